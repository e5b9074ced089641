"""The composition root: which parts there are, who gets which, and in what order they stop.

Everything else is handed what it needs; only here is it chosen. Stopping (`docs/operations.md`):
readiness off, nothing new accepted, what was asked for stored and acknowledged, every client told
when to come back, then the store closed.
"""

import asyncio
import gc
import random
import resource
import signal
import socket
from collections.abc import AsyncIterator
from typing import Final, cast

import structlog
import uvloop
from aiohttp import web

from chat_gateway.clock import Clock, SystemClock
from chat_gateway.config import Settings
from chat_gateway.handlers.accounts import Accounts
from chat_gateway.handlers.members import Members
from chat_gateway.handlers.membership import Membership
from chat_gateway.handlers.messages import Messages
from chat_gateway.handlers.readiness import Readiness
from chat_gateway.handlers.rooms import Rooms
from chat_gateway.handlers.services import Services
from chat_gateway.handlers.sessions import Sessions
from chat_gateway.hub.connections import Connections
from chat_gateway.hub.hub import Hub
from chat_gateway.identity.passwords import Passwords
from chat_gateway.identity.sources import load_keys
from chat_gateway.identity.tokens import TokenCodec
from chat_gateway.log.appender import Log
from chat_gateway.metrics import Metrics
from chat_gateway.store.base import Store
from chat_gateway.store.sqlite import SqliteStore
from chat_gateway.transports.docs import routes as docs_routes
from chat_gateway.transports.origins import Origins
from chat_gateway.transports.patience import Patience, drop_the_deaf
from chat_gateway.transports.rest import openapi
from chat_gateway.transports.rest import routes as rest_routes
from chat_gateway.transports.socketio import routes as socketio_routes
from chat_gateway.transports.websocket import routes as websocket_routes
from chat_protocol import limits
from chat_protocol.errors import ProtocolError
from chat_protocol.export import asyncapi

log = structlog.get_logger()

BACKLOG: Final = 4096
"""Connections that the kernel may hold for us: thousands come back at once after a restart."""

COME_BACK_WITHIN_MS: Final = 4000
"""Clients of a stopping node come back spread over so long, not all in one moment."""

EXPIRED_EVERY_S: Final = 3600.0
"""How often logins, tickets and invites that have expired are deleted."""


class Node:
    """The parts of one running service."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        metrics = Metrics()
        self.store = make_store(settings)
        self.hub = Hub(self.store, metrics)
        self.log = Log(self.store, self.hub, clock, metrics)
        capped = settings.rate_limits
        self.connections = Connections(
            self.hub,
            clock,
            per_account=settings.connections_per_account if capped else None,
            per_address=settings.connections_per_address if capped else None,
        )
        self.readiness = Readiness(self.store)
        membership = Membership(self.store)
        sessions = Sessions(
            store=self.store,
            log=self.log,
            connections=self.connections,
            membership=membership,
            clock=clock,
        )
        self.services = Services(
            settings=settings,
            clock=clock,
            metrics=metrics,
            hub=self.hub,
            connections=self.connections,
            readiness=self.readiness,
            membership=membership,
            accounts=Accounts(
                store=self.store,
                passwords=Passwords(),
                tokens=TokenCodec(load_keys(settings, clock), clock, settings),
                connections=self.connections,
                clock=clock,
                settings=settings,
            ),
            sessions=sessions,
            members=Members(
                store=self.store,
                log=self.log,
                connections=self.connections,
                membership=membership,
                clock=clock,
            ),
            messages=Messages(store=self.store, log=self.log, membership=membership, clock=clock),
            rooms=Rooms(store=self.store, hub=self.hub, membership=membership),
        )

    async def run(self, _: web.Application) -> AsyncIterator[None]:
        """Open the store, look after connections, and close what was opened."""
        await self.store.open()
        tasks = [
            asyncio.create_task(self.connections.sweep()),
            asyncio.create_task(self._forget_expired()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.hub.close()
            await self.store.close()

    async def _forget_expired(self) -> None:
        while True:
            try:
                await self.store.delete_expired(self.services.clock.now_ms())
            except ProtocolError as error:
                log.warning("Cannot delete what expired", error=error)
            await asyncio.sleep(EXPIRED_EVERY_S)

    async def drain(self, _: web.Application | None = None) -> None:
        """Stop taking work, finish what was begun, and send everybody away; twice does nothing."""
        if self.readiness.draining:
            return
        self.readiness.draining = True
        await self.log.close()
        # Acks are written in the tick after their message was stored.
        await asyncio.sleep(0)
        for peer in self.connections:
            wait_ms = limits.DRAIN_RETRY_AFTER_MS + random.randrange(COME_BACK_WITHIN_MS)  # noqa: S311
            peer.end(ProtocolError("server_draining", retry_after_ms=wait_ms))
        await self.connections.gone(self.services.settings.drain_s)


def make_store(settings: Settings) -> Store:
    """The store that the settings name, not yet opened."""
    if settings.store.startswith("sqlite:"):
        return SqliteStore(settings.sqlite_path)
    # The driver takes a fifth of a second to import; who has the embedded store need not wait.
    from chat_gateway.store.mongo import MongoStore

    return MongoStore(settings.store)


def create_app(settings: Settings, *, clock: Clock | None = None) -> web.Application:
    """The whole service as an aiohttp application. Raises `SettingsError` for an unusable key."""
    return _assemble(Node(settings, clock or SystemClock()), Patience())


def _assemble(node: Node, patience: Patience) -> web.Application:
    settings = node.services.settings
    origins = Origins(settings.allowed_origins)
    app = web.Application(
        middlewares=[patience.middleware, origins.middleware],
        client_max_size=limits.FRAME_MAX_BYTES,
    )
    rest_routes.add_routes(app, node.services)
    websocket_routes.add_routes(app, node.services, origins)
    socketio_routes.add_routes(app, node.services, origins)
    docs_routes.add_routes(
        app,
        openapi=openapi.document(settings.public_url),
        asyncapi=asyncapi.document(settings.public_url),
    )
    app.cleanup_ctx.append(node.run)
    app.on_shutdown.append(node.drain)
    return app


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return.

    Raises `SettingsError`, `StoreUnavailable`, and `OSError` where the address cannot be had.
    """
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    told_to_stop = _stop_signals()
    _allow_many_connections()
    _collect_garbage_seldom()
    node = Node(settings, SystemClock())
    patience = Patience()
    runner = web.AppRunner(
        _assemble(node, patience), access_log=None, shutdown_timeout=settings.drain_s
    )
    await runner.setup()
    try:
        server = await asyncio.get_running_loop().create_server(
            patience.around(cast(web.Server, runner.server)),
            _addresses(settings.host),
            settings.port,
            backlog=BACKLOG,
        )
        for listening in server.sockets:
            drop_the_deaf(listening)
        port = server.sockets[0].getsockname()[1]
        log.info(
            "Chat gateway attached",
            url=f"http://{settings.host}:{port}",
            socket=f"ws://{settings.host}:{port}{websocket_routes.PATH}",
            store=settings.store.partition(":")[0],
        )
        await told_to_stop.wait()
        log.info("Chat gateway draining", connections=len(node.connections))
        # Whoever polls comes by a new connection for its last words, and is let in for them.
        await node.drain()
        server.close()
    finally:
        await runner.cleanup()
    log.info("Chat gateway stopped")


def _addresses(host: str) -> list[str]:
    """`localhost` is two addresses to some clients and either to others; serve what there is."""
    if host != "localhost":
        return [host]
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ["127.0.0.1"]
    return ["127.0.0.1", "::1"]


def _allow_many_connections() -> None:
    """Each connection is a file descriptor; take as many as the system lets us have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _collect_garbage_seldom() -> None:
    """Nearly everything here ends by its count of references; the search for the rest walks over
    all connections each time, so it comes a fortieth as often, and never over what is loaded now.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(28_000, 20, 40)


def _stop_signals() -> asyncio.Event:
    """Set by SIGTERM and SIGINT, from before anybody can know that this process serves."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
