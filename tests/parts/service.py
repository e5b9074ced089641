"""A service in this process on a loopback port, and clients of every wire for it.

The service is the real one, made by `create_app`; only its clock may be handed in.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import pytest
from aiohttp import web

from chat_gateway.app import create_app
from chat_gateway.clock import Clock, SystemClock
from tests.parts.clients import ChatClient
from tests.parts.node_clients import NodeRawClient, NodeSocketIoClient
from tests.parts.people import Api, Person
from tests.parts.raw_clients import RawClient
from tests.parts.settings import make_settings
from tests.parts.socketio_clients import SocketIoClient
from tests.parts.stores import STORE_PARAMETERS

NODE_WAYS: Final = ("node-raw", "node-io", "node-io-polling", "node-io-upgrade")
WAYS: Final = ("raw", "io", "io-polling", "io-upgrade", *NODE_WAYS)
"""Every way in: a wire, who wrote the client, and for Socket.IO its transport."""

WIRES: Final = ("raw", "io")
"""One way of each wire, for what does not depend on the client."""


def ways(*names: str) -> list[Any]:
    """Ways as parameters of a test; those of Node carry its marker."""
    return [
        pytest.param(name, marks=pytest.mark.node) if name in NODE_WAYS else name
        for name in names or WAYS
    ]


class Serve(Protocol):
    """Starts a service in this process."""

    async def __call__(self, *, clock: Clock | None = None, **changes: Any) -> Api:
        """Start it with these changes of its settings; returns its REST interface."""
        ...


class Connect(Protocol):
    """Connects clients, and closes them when the test is over."""

    async def __call__(
        self,
        api: Api,
        way: str,
        person: Person | None = None,
        session_id: str | None = None,
        *,
        last_seq: int | None = None,
        ticket: str | None = None,
    ) -> ChatClient:
        """Connect one, greeted and in the session; raises `Refused` or `RefusedByHttp`."""
        ...


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def serve(tmp_path: Path, http: aiohttp.ClientSession) -> AsyncIterator[Serve]:
    """Starts services in this process."""
    async with AsyncExitStack() as running:
        number = 0

        async def start(*, clock: Clock | None = None, **changes: Any) -> Api:
            nonlocal number
            number += 1
            data_dir = tmp_path / f"service-{number}"
            data_dir.mkdir()
            # Whoever dropped its network without a word is not waited for when a test is over.
            settings = make_settings(data_dir, **{"drain_s": 0.2, **changes})
            app = create_app(settings, clock=clock or SystemClock())
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            running.push_async_callback(runner.cleanup)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            return Api(http, f"http://{host}:{port}")

        yield start


@pytest.fixture
async def service(serve: Serve) -> Api:
    """A service with the embedded store and all defaults."""
    return await serve()


@pytest.fixture(params=STORE_PARAMETERS)
def any_store(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Changes of the settings for each store; none for the embedded one."""
    return {} if request.param == "sqlite" else {"store": request.getfixturevalue("mongo_url")}


@pytest.fixture
async def any_service(serve: Serve, any_store: dict[str, Any]) -> Api:
    """A service on every store."""
    return await serve(**any_store)


def make_client(api: Api, way: str, request: pytest.FixtureRequest) -> ChatClient:
    """A client that is not yet connected."""
    match way:
        case "raw":
            return RawClient(api.url)
        case "io":
            return SocketIoClient(api.url, "websocket")
        case "io-polling":
            return SocketIoClient(api.url, "polling")
        case "io-upgrade":
            return SocketIoClient(api.url, "upgrade")
    node = request.getfixturevalue("node")
    match way:
        case "node-raw":
            return NodeRawClient(api.url, node)
        case "node-io":
            return NodeSocketIoClient(api.url, node, "websocket")
        case "node-io-polling":
            return NodeSocketIoClient(api.url, node, "polling")
        case "node-io-upgrade":
            return NodeSocketIoClient(api.url, node, "upgrade")
    raise ValueError(way)


@pytest.fixture
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Connects clients."""
    clients: list[ChatClient] = []

    async def connect_one(
        api: Api,
        way: str,
        person: Person | None = None,
        session_id: str | None = None,
        *,
        last_seq: int | None = None,
        ticket: str | None = None,
    ) -> ChatClient:
        client = make_client(api, way, request)
        clients.append(client)
        await client.connect(
            token=person.token if person is not None and ticket is None else None,
            ticket=ticket,
            session_id=session_id,
            last_seq=last_seq,
        )
        return client

    yield connect_one
    for client in clients:
        await client.close()
