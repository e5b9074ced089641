"""A slow reader hurts nobody: its buffer is bounded, it is told, closed with 4008, and resumes."""

import asyncio
import json
from collections.abc import Callable

import aiohttp
import pytest

from tests.parts.clients import ChatClient
from tests.parts.node import Node
from tests.parts.node_clients import NodeRawClient
from tests.parts.people import Api, Person, new_person
from tests.parts.raw_clients import RawSocket
from tests.parts.server import ServerProcess
from tests.parts.service import Connect
from tests.parts.socketio_clients import PacketSocket, PollingSession

TEXT = "가" * 4000
"""12 kB as UTF-8."""

FLOOD = 600
"""Messages of that size: more than the kernel's buffers of a connection and the server's bound."""

SMALL_BUFFER_BYTES = 32 << 10
"""Of a client's kernel, so that it is the server where messages wait."""

MEMORY_MAX_BYTES = 64 << 20


@pytest.fixture
async def unlimited(
    server_process: Callable[..., ServerProcess], http: aiohttp.ClientSession
) -> tuple[ServerProcess, Api]:
    """A server without rate limits."""
    server = server_process(CHAT_RATE_LIMITS="off")
    await server.start()
    return server, Api(http, server.url)


async def flood(sender: ChatClient, *others: ChatClient, size: int = FLOOD) -> int:
    """Send so many long messages; returns the last seq.

    The sender and the others read as fast as they are sent to. They all live in this process,
    which may give the sender so much time that another one of them falls behind; so the next
    messages wait until everybody has the last.
    """
    seq = 0
    for _ in range(size // 20):
        asked = [await sender.ask("message", content=TEXT) for _ in range(20)]
        for ack in await asyncio.gather(*asked):
            seq = ack["seq"]
        for client in (sender, *others):
            await client.next_event(seq=seq)
    return seq


async def resumed(
    api: Api, connect: Connect, way: str, person: Person, session_id: str, heard: list[int]
) -> None:
    """Come back with the last seq that was heard; nothing is missing then."""
    assert heard == list(range(1, len(heard) + 1))
    head = await api.head(person, session_id)
    assert len(heard) < head
    client = await connect(api, way, person, session_id, last_seq=len(heard))
    await client.next_event(seq=head, timeout_s=20)
    assert client.seqs == list(range(len(heard) + 1, head + 1))


async def test_a_raw_client_that_stops_reading_is_told_and_closed_and_resumes(
    unlimited: tuple[ServerProcess, Api], connect: Connect
) -> None:
    server, api = unlimited
    mina = new_person()
    session_id = await api.session(mina)
    fast = await connect(api, "io", mina, session_id)
    sender = await connect(api, "raw", mina, session_id)
    url = f"{server.url.replace('http', 'ws')}/ws/chat?sessionId={session_id}&token={mina.token}"
    slow = await RawSocket.open(url, receive_buffer_bytes=SMALL_BUFFER_BYTES)
    await slow.receive_object("joined")

    seq = await flood(sender, fast)

    heard: list[int] = []
    while isinstance(text := await slow.receive(), str):
        said = json.loads(text)
        if said["type"] == "message":
            heard.append(said["seq"])
    assert said["code"] == "slow_consumer"
    assert said["retryable"] is True
    assert text == 4008
    await slow.close()
    for client in (fast, sender):
        assert client.seqs == list(range(1, seq + 1))
    await resumed(api, connect, "raw", mina, session_id, heard)
    server.assert_quiet()


async def test_a_socketio_websocket_that_stops_reading_is_told_and_closed_and_resumes(
    unlimited: tuple[ServerProcess, Api], connect: Connect
) -> None:
    server, api = unlimited
    mina = new_person()
    session_id = await api.session(mina)
    fast = await connect(api, "raw", mina, session_id)
    slow = await PacketSocket.open(server.url, receive_buffer_bytes=SMALL_BUFFER_BYTES)
    await slow.connect(json.dumps({"token": mina.token, "sessionId": session_id}))
    await slow.receive_starting('42["joined"')

    seq = await flood(fast)

    packets, code = await slow.closed()
    events = [json.loads(packet[2:]) for packet in packets if packet.startswith("42")]
    assert events[-1][0] == "error"
    assert events[-1][1]["code"] == "slow_consumer"
    assert code == 4008
    await slow.close()
    assert fast.seqs == list(range(1, seq + 1))
    heard = [said["seq"] for name, said in events if name == "message"]
    await resumed(api, connect, "io", mina, session_id, heard)
    server.assert_quiet()


async def test_a_polling_client_that_stops_polling_is_told_and_ended_and_resumes(
    unlimited: tuple[ServerProcess, Api], connect: Connect, http: aiohttp.ClientSession
) -> None:
    server, api = unlimited
    mina = new_person()
    session_id = await api.session(mina)
    fast = await connect(api, "raw", mina, session_id)
    slow = await PollingSession.open(http, server.url)
    await slow.post("40" + json.dumps({"token": mina.token, "sessionId": session_id}))

    await flood(fast, size=300)

    packets: list[str] = []
    while "1" not in packets:
        status, polled = await slow.poll()
        assert status == 200
        packets += polled
    events = [json.loads(packet[2:]) for packet in packets if packet.startswith("42")]
    assert events[-1][0] == "error"
    assert events[-1][1]["code"] == "slow_consumer"
    status, _ = await slow.poll()
    assert status == 400
    heard = [said["seq"] for name, said in events if name == "message"]
    await resumed(api, connect, "io-polling", mina, session_id, heard)
    await server.logged("code=4008")
    server.assert_quiet()


@pytest.mark.node
async def test_node_ws_that_stops_reading_hears_4008(
    unlimited: tuple[ServerProcess, Api], connect: Connect, node: Node
) -> None:
    server, api = unlimited
    mina = new_person()
    session_id = await api.session(mina)
    sender = await connect(api, "raw", mina, session_id)
    slow = NodeRawClient(server.url, node)
    await slow.connect(token=mina.token, session_id=session_id)
    slow.stop_reading()

    await flood(sender)

    slow.read_on()
    await slow.ended_with("slow_consumer")
    await resumed(api, connect, "node-raw", mina, session_id, slow.seqs)


async def test_many_who_never_read_cost_bounded_memory_and_are_dropped(
    unlimited: tuple[ServerProcess, Api], connect: Connect, http: aiohttp.ClientSession
) -> None:
    server, api = unlimited
    mina = new_person()
    session_id = await api.session(mina)
    sender = await connect(api, "raw", mina, session_id)
    url = f"{server.url.replace('http', 'ws')}/ws/chat?sessionId={session_id}&token={mina.token}"
    small = SMALL_BUFFER_BYTES
    deaf = [await RawSocket.open(url, receive_buffer_bytes=small) for _ in range(10)]
    deaf_on_io = [
        await PacketSocket.open(server.url, receive_buffer_bytes=small) for _ in range(10)
    ]
    for socket in deaf:
        await socket.receive_object("joined")
    for packets in deaf_on_io:
        await packets.connect(json.dumps({"token": mina.token, "sessionId": session_id}))
        await packets.receive_starting('42["joined"')
    polling = [await PollingSession.open(http, server.url) for _ in range(10)]
    for session in polling:
        await session.post("40" + json.dumps({"token": mina.token, "sessionId": session_id}))
    before_bytes = server.rss_bytes

    seq = await flood(sender)

    assert server.rss_bytes - before_bytes < MEMORY_MAX_BYTES
    fresh = await connect(api, "io", mina, session_id, last_seq=seq - 1)
    await fresh.next_event(seq=seq, timeout_s=1)
    # All thirty are gone from the server, though none of them ever read or closed.
    await server.logged("code=4008", times=30, timeout_s=15)
    for socket in deaf:
        await socket.drop()
    for packets in deaf_on_io:
        await packets.socket.drop()
    server.assert_quiet()
