"""A peer that gives no sign of life is dropped; one that does is not."""

import asyncio
import json

import pytest

from tests.parts.people import Api, new_person
from tests.parts.raw_clients import BROKEN, RawSocket
from tests.parts.service import WAYS, Connect, Serve
from tests.parts.socketio_clients import PacketSocket

HEARTBEAT_S = 0.5


@pytest.fixture
async def service(serve: Serve) -> Api:
    """A service that asks often."""
    return await serve(heartbeat_s=HEARTBEAT_S)


async def test_a_raw_peer_that_never_answers_a_ping_is_dropped(service: Api) -> None:
    url = f"{service.url.replace('http', 'ws')}/ws/chat?token={new_person().token}"
    socket = await RawSocket.open(url, autoping=False)
    pings = 0
    async with asyncio.timeout(10):
        while True:
            message = await socket.socket.receive()
            if message.type.name == "PING":
                pings += 1
            elif message.type.name != "TEXT":
                break

    assert 1 <= pings <= 2
    assert socket.socket.close_code in (None, BROKEN)
    await socket.close()


async def test_a_socketio_peer_that_never_answers_a_ping_is_dropped(service: Api) -> None:
    packets = await PacketSocket.open(service.url)
    await packets.connect(json.dumps({"token": new_person().token}))
    pings = 0
    async with asyncio.timeout(10):
        while isinstance(heard := await packets.socket.receive(), str):
            pings += heard == "2"

    assert 1 <= pings <= 2
    assert heard == BROKEN
    await packets.close()


@pytest.mark.node
async def test_peers_that_say_nothing_but_answer_pings_stay(service: Api, connect: Connect) -> None:
    clients = [await connect(service, way, new_person()) for way in WAYS]
    silent = await RawSocket.open(
        f"{service.url.replace('http', 'ws')}/ws/chat?token={new_person().token}", autoping=False
    )

    # One that came last and does not answer is dropped: all were asked twice by then.
    await silent.close_code()
    await silent.close()

    for client in clients:
        assert client.ending is None
        assert (await client.send("ping"))["type"] == "pong"
