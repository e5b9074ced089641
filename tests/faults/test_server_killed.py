"""`kill -9` of the server under load loses nothing that was acknowledged, and doubles nothing."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp
import pytest

from tests.faults.chatter import Chatter, Crowd, check_histories
from tests.parts.people import Api, new_person
from tests.parts.server import ServerProcess
from tests.parts.service import make_client

WAYS = ("raw", "io", "io-polling", "node-raw", "node-io", "node-io-polling")
KILLS = 2
ACKS_BETWEEN_KILLS = 120


@pytest.mark.node
async def test_a_killed_server_keeps_its_promises(
    server_process: Callable[..., ServerProcess],
    any_store: dict[str, Any],
    http: aiohttp.ClientSession,
    request: pytest.FixtureRequest,
) -> None:
    server = server_process(CHAT_RATE_LIMITS="off", **any_store)
    await server.start()
    api = Api(http, server.url)
    people = [new_person(way) for way in WAYS]
    session_id = await api.session(*people)
    crowd = Crowd()
    for way, person in zip(WAYS, people, strict=True):
        Chatter(crowd, way, person, session_id, partial(make_client, api, way, request))
    running = [asyncio.create_task(chatter.run()) for chatter in crowd.chatters]

    for kill in range(KILLS + 1):
        await crowd.until_acked(ACKS_BETWEEN_KILLS)
        # The quick may have gone on by themselves; everybody has to be there when it happens.
        await crowd.until_connected(kill + 1)
        if kill < KILLS:
            server.kill()
            await server.start()
    for chatter in crowd.chatters:
        chatter.finish()
    await asyncio.wait_for(asyncio.gather(*running), 20)

    await check_histories(api, session_id, crowd.chatters)
    for chatter in crowd.chatters:
        assert chatter.connections > KILLS, chatter.name
    server.assert_quiet()
