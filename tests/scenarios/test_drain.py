"""SIGTERM: everyone is told when to come back, and nothing that was acknowledged is lost."""

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from tests.parts.clients import ChatClient, Gone, Said
from tests.parts.people import Api, new_person
from tests.parts.server import ServerProcess
from tests.parts.service import Connect, ways


async def sent_until_gone(client: ChatClient, name: str) -> list[Said]:
    """Send with ten messages under way until the connection ends; returns the acks."""
    acks: list[Said] = []
    under_way: list[asyncio.Future[Said]] = []
    number = 0
    try:
        while True:
            number += 1
            under_way.append(
                await client.ask("message", content="x", clientMessageId=f"{name}-{number}")
            )
            if len(under_way) >= 10:
                acks.append(await under_way.pop(0))
    except Gone:
        for each in under_way:
            if each.done() and each.exception() is None:
                acks.append(each.result())
    return [ack for ack in acks if ack["type"] == "ack"]


@pytest.mark.node
async def test_a_stopping_server_loses_nothing_and_tells_everyone_when_to_come_back(
    server_process: Callable[..., ServerProcess], http: aiohttp.ClientSession, connect: Connect
) -> None:
    server = server_process(CHAT_RATE_LIMITS="off")
    await server.start()
    api = Api(http, server.url)
    mina = new_person()
    session_id = await api.session(mina)
    clients = {
        way: await connect(api, way, mina, session_id)
        for way in ("raw", "io", "io-polling", "node-raw", "node-io", "node-io-polling")
    }
    sending = [
        asyncio.create_task(sent_until_gone(clients[way], way)) for way in ("raw", "io", "node-io")
    ]
    for client in clients.values():
        await client.next_event("message")

    server.terminate()

    for way, client in clients.items():
        assert (await client.ended()).error is not None, way
        error = await client.ended_with("server_draining")
        assert error["retryable"] is True
        assert 1000 <= error["retryAfterMs"] <= 5000
    acked = [ack for acks in await asyncio.gather(*sending) for ack in acks]
    assert await server.stopped() == 0
    assert acked

    await server.start()
    log = await api.log(mina, session_id)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    by_id = {event["id"]: event["seq"] for event in log}
    for ack in acked:
        assert by_id.get(ack["id"]) == ack["seq"]
    assert len({event["clientMessageId"] for event in log}) == len(log)
    for way, client in clients.items():
        heard = client.seqs
        assert heard == list(range(heard[0], heard[0] + len(heard))), way
        back = await connect(api, way, mina, session_id, last_seq=heard[-1])
        assert back.events[1]["recovered"] is True
        if heard[-1] < len(log):
            await back.next_event(seq=len(log))
        assert [*heard, *back.seqs] == list(range(heard[0], len(log) + 1)), way
    server.assert_quiet()


@pytest.mark.parametrize("way", ways("raw", "io"))
async def test_a_server_with_nothing_to_do_stops_at_once(
    server_process: Callable[..., ServerProcess],
    http: aiohttp.ClientSession,
    connect: Connect,
    way: str,
) -> None:
    server = server_process()
    await server.start()
    client = await connect(Api(http, server.url), way, new_person())

    server.terminate()

    async with asyncio.timeout(2):
        await client.ended_with("server_draining")
        assert await server.stopped() == 0
    server.assert_quiet()
