"""`kill -9` of the database under load: refused meanwhile, recovered by itself, nothing lost."""

import asyncio
from collections.abc import Callable
from functools import partial

import aiohttp
import pytest

from tests.faults.chatter import Chatter, Crowd, check_histories
from tests.parts.clients import Refused
from tests.parts.mongo import MongoServer
from tests.parts.people import Api, new_person
from tests.parts.server import ServerProcess
from tests.parts.service import Connect, make_client

WAYS = ("raw", "io", "io-polling")


@pytest.mark.mongo
async def test_a_killed_database_is_told_of_and_come_back_to(
    server_process: Callable[..., ServerProcess],
    mongo_server: MongoServer,
    mongo_url: str,
    http: aiohttp.ClientSession,
    connect: Connect,
    request: pytest.FixtureRequest,
) -> None:
    if not mongo_server.owned:
        pytest.skip("CHAT_TEST_MONGO_URL names a server that is not ours to kill")
    server = server_process(CHAT_RATE_LIMITS="off", store=mongo_url)
    await server.start()
    api = Api(http, server.url)
    people = [new_person(way) for way in WAYS]
    session_id = await api.session(*people)
    crowd = Crowd()
    for way, person in zip(WAYS, people, strict=True):
        Chatter(crowd, way, person, session_id, partial(make_client, api, way, request))
    running = [asyncio.create_task(chatter.run()) for chatter in crowd.chatters]
    await crowd.until_acked(150)

    await asyncio.to_thread(mongo_server.kill)

    await crowd.until(lambda: all(chatter.refusals for chatter in crowd.chatters))
    for chatter in crowd.chatters:
        assert {error["code"] for error in chatter.refusals} == {"store_unavailable"}
    ready, alive, read, late = await asyncio.gather(
        api.answer("GET", "/readyz"),
        api.answer("GET", "/healthz"),
        api.answer("GET", f"/api/sessions/{session_id}", by=people[0]),
        connect(api, "raw", new_person(), "any-session"),
        return_exceptions=True,
    )
    assert isinstance(ready, tuple)
    assert ready[0] == 503
    assert isinstance(alive, tuple)
    assert alive[0] == 200
    assert isinstance(read, tuple)
    assert (read[0], read[1]["code"]) == (503, "store_unavailable")
    assert isinstance(late, Refused)
    assert late.error["code"] == "store_unavailable"

    await asyncio.to_thread(mongo_server.start)

    await crowd.until_acked(150)
    for chatter in crowd.chatters:
        chatter.finish()
    await asyncio.wait_for(asyncio.gather(*running), 20)
    await check_histories(api, session_id, crowd.chatters)
    status, _ = await api.answer("GET", "/readyz")
    assert status == 200
    assert not any("Traceback" in line for line in server.lines)
