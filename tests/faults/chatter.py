"""Someone who chats through every fault: comes back, sends again what has no ack, forgets nothing.

What they sent, what was acknowledged and what they heard is their history; after the faults it is
held against the log.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.parts.clients import ChatClient, Gone, Refused, RefusedByHttp, Said
from tests.parts.people import Api, Person

UNDER_WAY: Final = 8
"""Messages that wait for their acks at a time."""

COME_BACK_S: Final = 0.05
"""A lost client tries again after so long."""


class Crowd:
    """All who chat; tells when something about them has changed."""

    def __init__(self) -> None:
        self.chatters: list[Chatter] = []
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Somebody's history has grown."""
        self._changed.set()

    async def until(self, true: Callable[[], bool], *, timeout_s: float = 30) -> None:
        """Wait until this is so."""
        async with asyncio.timeout(timeout_s):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def until_acked(self, more: int) -> None:
        """Wait until so many more messages have been acknowledged to all of them together."""
        wanted = self._acks() + more
        await self.until(lambda: self._acks() >= wanted)

    async def until_connected(self, times: int) -> None:
        """Wait until each of them has connected so many times."""
        await self.until(lambda: all(each.connections >= times for each in self.chatters))

    def _acks(self) -> int:
        return sum(len(chatter.acks) for chatter in self.chatters)


class Chatter:
    """One member of a session, with one connection after the other."""

    def __init__(
        self,
        crowd: Crowd,
        name: str,
        person: Person,
        session_id: str,
        client: Callable[[], ChatClient],
    ) -> None:
        crowd.chatters.append(self)
        self._crowd = crowd
        self.name = name
        self.person = person
        self.heard: list[Said] = []
        self.acks: dict[str, Said] = {}
        self.sent: list[str] = []
        self.refusals: list[Said] = []
        self.connections = 0
        self._session_id = session_id
        self._make_client = client
        self._unacked: dict[str, None] = {}
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Chat until `finish`, and then until everything sent has its ack."""
        while not (self._stop.is_set() and not self._unacked):
            client = self._make_client()
            try:
                await client.connect(
                    token=self.person.token,
                    session_id=self._session_id,
                    last_seq=len(self.heard),
                )
                self.connections += 1
                self._crowd.changed()
                await self._chat(client)
            except (Gone, Refused, RefusedByHttp, OSError):
                await asyncio.sleep(COME_BACK_S)
            finally:
                self.heard += client.durable
                await client.close()

    def finish(self) -> None:
        """Send nothing new."""
        self._stop.set()

    async def hear_all(self, head: int) -> None:
        """Come back once more, and hear everything up to the head."""
        client = self._make_client()
        await client.connect(
            token=self.person.token, session_id=self._session_id, last_seq=len(self.heard)
        )
        if len(self.heard) < head:
            await client.next_event(seq=head)
        self.heard += client.durable
        await client.close()

    async def _chat(self, client: ChatClient) -> None:
        under_way: dict[str, asyncio.Future[Said]] = {}
        for key in list(self._unacked):
            under_way[key] = await self._send(client, key)
        while not (self._stop.is_set() and not under_way):
            while len(under_way) < UNDER_WAY and not self._stop.is_set():
                key = f"{self.name}-{len(self.sent)}"
                self.sent.append(key)
                self._unacked[key] = None
                under_way[key] = await self._send(client, key)
            await asyncio.wait(under_way.values(), return_when=asyncio.FIRST_COMPLETED)
            for key in [key for key, answer in under_way.items() if answer.done()]:
                self._answered(key, under_way.pop(key).result())
                if key in self._unacked:
                    await asyncio.sleep(COME_BACK_S)
                    under_way[key] = await self._send(client, key)

    async def _send(self, client: ChatClient, key: str) -> asyncio.Future[Said]:
        return await client.ask("message", content=f"from {key}", clientMessageId=key)

    def _answered(self, key: str, said: Said) -> None:
        self._crowd.changed()
        if said["type"] == "ack":
            self.acks[key] = said
            del self._unacked[key]
            return
        assert said["retryable"], said
        self.refusals.append(said)


async def check_histories(api: Api, session_id: str, chatters: Sequence[Chatter]) -> None:
    """The promises of durability, exactly once, order and resume, from everyone's history."""
    log: list[Any] = await api.log(chatters[0].person, session_id)
    head = len(log)
    assert [event["seq"] for event in log] == list(range(1, head + 1))
    by_key = {
        (event["senderId"], event["clientMessageId"]): event
        for event in log
        if event["type"] == "message"
    }
    assert len(by_key) == sum(event["type"] == "message" for event in log)
    for chatter in chatters:
        await chatter.hear_all(head)
        assert chatter.heard == log, chatter.name
        assert chatter.acks, chatter.name
        assert set(chatter.acks) == set(chatter.sent), chatter.name
        for key, ack in chatter.acks.items():
            event = by_key[chatter.person.account_id, key]
            assert (event["id"], event["seq"]) == (ack["id"], ack["seq"])
            assert event["content"] == f"from {key}"
    assert sum(len(chatter.sent) for chatter in chatters) == len(by_key)
