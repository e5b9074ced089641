"""What the tests of the benchmarks need: a C compiler, and servers that do wrong on purpose."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import WSMsgType, web

from bench import native
from bench.plan import Connection, Crowd, Plan, Wire

MESSAGE = '{"content":"%M hello"}'


@pytest.fixture(scope="session", autouse=True)
def compiler() -> None:
    """Without a C compiler there is no load generator: skipped, and in CI a failure."""
    try:
        native.load_generator()
        native.floor_server()
    except native.CannotCompile as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"NO BENCHMARKS: {error}")


class Broadcast:
    """A room as a faulty server has it; subclasses deliver a message as they like."""

    def __init__(self) -> None:
        self.peers: list[web.WebSocketResponse] = []
        self.count = 0

    async def said(self, text: str) -> None:
        """Deliver what somebody posted."""
        self.count += 1
        for peer in self.peers:
            await peer.send_str(text)


Serve = Callable[[Broadcast, int], Awaitable[Plan]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves a room in this process; gives the plan of so many members who all post."""
    runners: list[web.AppRunner] = []

    async def start(room: Broadcast, members: int) -> Plan:
        async def chat(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            room.peers.append(socket)
            async for said in socket:
                if said.type is WSMsgType.TEXT:
                    await room.said(said.data)
            return socket

        app = web.Application()
        app.router.add_get("/", chat)
        runner = web.AppRunner(app, access_log=None)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return Plan(
            port=runner.addresses[0][1],
            pids=[os.getpid()],
            crowd=Crowd(rooms=1, members=members),
            connections=[
                Connection(room=0, wire=Wire(), path="/", message=MESSAGE) for _ in range(members)
            ],
        )

    yield start
    for runner in runners:
        await runner.cleanup()
