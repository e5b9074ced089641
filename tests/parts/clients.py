"""What a scenario asks of a client, whatever its wire and whoever wrote it.

A `ChatClient` keeps everything it hears in `events`, holds each object against the protocol's own
schema, and pairs replies with what they answer. How bytes come and go is the subclasses' part
(`raw_clients`, `socketio_clients`, `node_clients`).
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from chat_protocol import schemas
from chat_protocol.errors import REGISTRY

Said = dict[str, Any]
"""One wire object."""

WAIT_S = 10.0
"""How long anything that must happen may take, on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a connection ended: the last error that answered nothing, and the close code.

    `code` is None where the wire has none (a client of Socket.IO is not shown it), 1006 where the
    connection broke.
    """

    error: Said | None
    code: int | None


class Refused(Exception):
    """The server did not let the client in; `error` is what it said, `code` as in `Ending`."""

    def __init__(self, error: Said, code: int | None) -> None:
        super().__init__(f"{error}, closed with {code}")
        self.error = error
        self.code = code


class RefusedByHttp(Exception):
    """The server refused the handshake itself."""

    def __init__(self, status: int | None, body: str) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


class Gone(Exception):
    """The connection ended while something was awaited on it."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(str(ending))
        self.ending = ending


def check_event(said: Mapping[str, Any]) -> None:
    """Hold an object that the server said by itself against its schema."""
    kind = said["type"]
    schema = (
        schemas.DURABLE_EVENTS.get(kind)
        or schemas.EPHEMERAL_EVENTS.get(kind)
        or schemas.REPLIES[kind]
    )
    schema.load({name: value for name, value in said.items() if name != "type"})


def check_reply(command: str, said: Mapping[str, Any]) -> None:
    """Hold the answer of a command against its schema."""
    if said["type"] != "ack":
        assert said["type"] in ("error", "pong"), said
        check_event(said)
        return
    rest = {name: value for name, value in said.items() if name not in ("type", "ref")}
    schemas.ACKS[command].load(rest)


class ChatClient(ABC):
    """One connection of a client.

    `events` is all that was heard, in order, but the answers to commands; `errors` are those of
    them that say what went wrong.
    """

    wire: ClassVar[str]

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.events: list[Said] = []
        self.ending: Ending | None = None
        self._unread: list[Said] = []
        self._pending: dict[str, tuple[str, asyncio.Future[Said]]] = {}
        self._asked = 0
        self._news: list[asyncio.Future[None]] = []

    # --- what scenarios use ---------------------------------------------------------------------

    async def connect(
        self,
        *,
        token: str | None = None,
        ticket: str | None = None,
        session_id: str | None = None,
        last_seq: int | None = None,
    ) -> None:
        """Connect, and return when the server has greeted (or, without proof, just taken) it.

        Raises `Refused` or `RefusedByHttp`.
        """
        opening = {
            "token": token,
            "ticket": ticket,
            "sessionId": session_id,
            "lastSeq": last_seq,
        }
        await self._open({name: value for name, value in opening.items() if value is not None})
        if token is None and ticket is None:
            return
        try:
            await self.next_event("ready")
            if session_id is not None:
                await self.next_event("joined")
        except Gone as gone:
            if gone.ending.error is None:
                raise
            raise Refused(gone.ending.error, gone.ending.code) from None

    async def ask(self, command: str, **fields: Any) -> asyncio.Future[Said]:
        """Send a command; the future gets its answer, or `Gone`."""
        answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._asked += 1
        await self._ask(command, f"ask-{self._asked}", fields, answer)
        return answer

    async def send(self, command: str, **fields: Any) -> Said:
        """Send a command and return its answer: an `ack`, `error` or `pong` object."""
        answer = await self.ask(command, **fields)
        return await asyncio.wait_for(answer, WAIT_S)

    async def ack(self, command: str, **fields: Any) -> Said:
        """Send a command that must succeed."""
        reply = await self.send(command, **fields)
        assert reply["type"] == "ack", reply
        return reply

    async def refusal(self, command: str, **fields: Any) -> Said:
        """Send a command that must be refused; returns the error."""
        reply = await self.send(command, **fields)
        assert reply["type"] == "error", reply
        return reply

    @abstractmethod
    async def tell(self, command: str, **fields: Any) -> None:
        """Send a command without asking for an answer."""

    async def next_event(
        self, kind: str | None = None, *, timeout_s: float = WAIT_S, **fields: Any
    ) -> Said:
        """The first event not yet taken that is of this kind and has these fields; takes it.

        Raises `Gone` where the connection ends before, `AssertionError` where time runs out.
        """
        wanted = {**fields, **({"type": kind} if kind else {})}
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for index, said in enumerate(self._unread):
                        if all(said.get(name) == value for name, value in wanted.items()):
                            return self._unread.pop(index)
                    if self.ending is not None:
                        raise Gone(self.ending)
                    await self._more()
        except TimeoutError:
            raise AssertionError(
                f"no {wanted} within {timeout_s} s; heard last: {self.events[-5:]}"
            ) from None

    async def messages_until(self, seq: int, *, timeout_s: float = WAIT_S) -> list[Said]:
        """All durable events heard so far, once the one numbered `seq` has come."""
        await self.next_event(seq=seq, timeout_s=timeout_s)
        return self.durable

    async def ended(self, *, timeout_s: float = WAIT_S) -> Ending:
        """Wait until the connection has ended."""
        async with asyncio.timeout(timeout_s):
            while self.ending is None:
                await self._more()
        return self.ending

    async def ended_with(self, code: str, *, timeout_s: float = WAIT_S) -> Said:
        """Wait for an end that was announced by this error; returns the error.

        Where the wire shows a close code, it is the one that the registry names.
        """
        ending = await self.ended(timeout_s=timeout_s)
        assert ending.error is not None, ending
        assert ending.error["code"] == code, ending
        assert ending.code in (None, REGISTRY[code].close_code), ending
        return ending.error

    @property
    def durable(self) -> list[Said]:
        """The durable events heard, in the order of their coming."""
        return [said for said in self.events if said["type"] in schemas.DURABLE_EVENTS]

    @property
    def seqs(self) -> list[int]:
        """The numbers of the durable events heard, in the order of their coming."""
        return [said["seq"] for said in self.durable]

    @property
    def errors(self) -> list[Said]:
        """The error objects that answered no command."""
        return [said for said in self.events if said["type"] == "error"]

    @abstractmethod
    async def close(self) -> None:
        """Leave, as a client does that is not needed any more; closing twice does nothing."""

    @abstractmethod
    async def drop(self) -> None:
        """Lose the network: no close frame, no goodbye."""

    # --- what subclasses use --------------------------------------------------------------------

    @abstractmethod
    async def _open(self, opening: Mapping[str, Any]) -> None:
        """Make the connection; raises `Refused` or `RefusedByHttp`."""

    @abstractmethod
    async def _ask(
        self, command: str, name: str, fields: Said, answer: asyncio.Future[Said]
    ) -> None:
        """Send a command so that its answer reaches `answer`; `name` is new for each."""

    def _expect(self, name: str, command: str, answer: asyncio.Future[Said]) -> None:
        if self.ending is not None:
            self._fail(answer, self.ending)
            return
        self._pending[name] = (command, answer)

    def _answered(self, name: str, said: Said) -> None:
        command, answer = self._pending.pop(name)
        check_reply(command, said)
        if not answer.done():
            answer.set_result(said)

    def _heard(self, said: Said) -> None:
        check_event(said)
        self.events.append(said)
        self._unread.append(said)
        self._wake()

    def _over(self, code: int | None) -> None:
        """The connection has ended; the first reason counts."""
        if self.ending is not None:
            return
        errors = self.errors
        last = errors[-1] if errors and self.events[-1] is errors[-1] else None
        self.ending = Ending(error=last, code=code)
        for _, answer in self._pending.values():
            self._fail(answer, self.ending)
        self._pending.clear()
        self._wake()

    @staticmethod
    def _fail(answer: asyncio.Future[Said], ending: Ending) -> None:
        if not answer.done():
            answer.set_exception(Gone(ending))
            answer.exception()  # whoever does not wait for it any more need not

    async def _more(self) -> None:
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._news.append(news)
        await news

    def _wake(self) -> None:
        news, self._news = self._news, []
        for each in news:
            if not each.done():
                each.set_result(None)
