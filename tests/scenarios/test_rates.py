"""Who sends too fast is told so, who goes on is closed, and nobody else notices."""

import asyncio
import json

import aiohttp
import pytest

from chat_gateway.handlers.conversation import RATE_LIMITED_IN_A_ROW_MAX
from chat_protocol import limits
from tests.parts.clients import Said
from tests.parts.clock import MovableClock
from tests.parts.people import Api, new_person
from tests.parts.raw_clients import RawSocket
from tests.parts.server import ServerProcess
from tests.parts.service import WIRES, Connect, Serve, ways
from tests.parts.socketio_clients import PacketSocket

FLOOD = 20_000
"""Frames of a flood: some megabytes, far over what the server lets wait for itself."""

MEMORY_MAX_BYTES = 64 << 20


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling", "node-io"))
async def test_after_the_burst_a_command_is_told_to_wait(
    serve: Serve, connect: Connect, way: str
) -> None:
    clock = MovableClock()
    service = await serve(clock=clock)
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, way, mina, session_id)

    asked = [
        await client.ask("message", content=f"number {number}")
        for number in range(limits.MESSAGES_BURST + 60)
    ]
    answers: list[Said] = await asyncio.gather(*asked)

    refused = [answer for answer in answers if answer["type"] == "error"]
    accepted = [answer for answer in answers if answer["type"] == "ack"]
    assert len(accepted) >= limits.MESSAGES_BURST
    assert refused
    for error in refused:
        assert error["code"] == "rate_limited"
        assert error["retryable"] is True
        assert 0 < error["retryAfterMs"] <= 1000 / limits.MESSAGES_PER_SECOND + 1
    clock.advance(1)
    await client.ack("message", content="after a second it may again")
    log = await service.log(mina, session_id)
    assert [event["id"] for event in log[:-1]] == [ack["id"] for ack in accepted]


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_who_goes_on_all_the_same_is_closed_with_4029(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, way, mina, session_id)
    other = await connect(service, "raw", mina, session_id)

    for _ in range(limits.MESSAGES_BURST + 10 * RATE_LIMITED_IN_A_ROW_MAX):
        await client.tell("history", limit=1)

    error = await client.ended_with("rate_limited")
    assert error["retryAfterMs"] > 0
    await other.ack("message", content="nobody else is held to it")


@pytest.fixture
def api(server: ServerProcess, http: aiohttp.ClientSession) -> Api:
    """The server's REST interface."""
    return Api(http, server.url)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("kind", ["pings", "commands", "nonsense"])
async def test_a_flood_is_cut_off_and_a_fresh_client_is_served_meanwhile(
    server: ServerProcess, api: Api, connect: Connect, wire: str, kind: str
) -> None:
    begun = len(server.lines)
    mina = new_person()
    session_id = await api.session(mina)
    before_bytes = server.rss_bytes
    if wire == "raw":
        socket = await RawSocket.open(
            f"{server.url.replace('http', 'ws')}/ws/chat?token={mina.token}"
        )
    else:
        packets = await PacketSocket.open(server.url)
        await packets.connect(json.dumps({"token": mina.token}))
        socket = packets.socket
    command = '{"type":"ping"}' if wire == "raw" else '42["ping"]'

    async def flood() -> None:
        try:
            for _ in range(FLOOD):
                match kind:
                    case "pings":
                        await socket.socket.ping(b"x" * 100)
                    case "commands":
                        await socket.send_text(command)
                    case _:
                        await socket.send_text("nonsense")
        except (ConnectionResetError, aiohttp.ClientError):
            pass

    flooding = asyncio.create_task(flood())
    async with asyncio.timeout(2):
        fresh = await connect(api, "raw", mina, session_id)
        await fresh.ack("message", content="served all the same")

    # Whoever floods does not read; the end is seen once all that came before is read.
    code = await ended(socket)
    assert code == {"pings": 4029, "commands": 4029, "nonsense": 4509}[kind]
    await flooding
    await socket.close()
    assert server.rss_bytes - before_bytes < MEMORY_MAX_BYTES
    server.assert_quiet(after=begun)


async def ended(socket: RawSocket) -> int:
    """Read to the end; returns the close code."""
    async with asyncio.timeout(20):
        while True:
            heard = await socket.receive()
            if isinstance(heard, int):
                return heard


async def test_a_flood_of_engine_packets_that_say_nothing_is_harmless(
    server: ServerProcess, api: Api, connect: Connect
) -> None:
    begun = len(server.lines)
    mina = new_person()
    packets = await PacketSocket.open(server.url)
    await packets.connect(json.dumps({"token": mina.token}))
    before_bytes = server.rss_bytes

    for number in range(FLOOD):
        await packets.send(("3", "2", "6", "5", "3probe")[number % 5])
    async with asyncio.timeout(2):
        await connect(api, "io", new_person())

    assert server.rss_bytes - before_bytes < MEMORY_MAX_BYTES
    await packets.close()
    server.assert_quiet(after=begun)


async def test_a_flood_of_connections_that_never_say_who_they_are_ends_by_itself(
    serve: Serve, connect: Connect
) -> None:
    clock = MovableClock()
    service = await serve(clock=clock, connections_per_address=60)
    silent = [await connect(service, way) for _ in range(10) for way in WIRES]
    never_connected = [await PacketSocket.open(service.url) for _ in range(10)]

    clock.advance(limits.AUTHENTICATE_WITHIN_S + 1)

    for client in silent:
        await client.ended_with("unauthenticated")
    for packets in never_connected:
        assert (await packets.closed())[1] == 4501
        await packets.close()
    await connect(service, "io", new_person())
