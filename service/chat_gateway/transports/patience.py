"""How long a connection may stay without a whole request, or without taking what it asked for.

aiohttp itself would wait for ever. Later requests of a kept-alive connection have its own limit,
bodies that of their readers, WebSockets their heartbeat. What is left is the first request, which
costs a file descriptor for as long as a client drips its headers, and the answer that nobody reads,
which costs its size.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

FIRST_REQUEST_WITHIN_S: Final = 15.0

TAKE_WITHIN_S: Final = 60.0
"""A client that takes nothing of what waits for it has so long; a WebSocket's heartbeat is less."""


def drop_the_deaf(listening: socket.socket, within_s: float = TAKE_WITHIN_S) -> None:
    """Let the kernel drop connections of this socket whose other side takes nothing for so long.

    Where the kernel has no such option (it is Linux's), nothing happens.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        listening.setsockopt(socket.IPPROTO_TCP, option, int(within_s * 1000))


class Patience:
    """A protocol factory around aiohttp's, and the middleware that tells it of requests."""

    def __init__(self, within_s: float = FIRST_REQUEST_WITHIN_S) -> None:
        self._within_s = within_s
        self._waiting: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}

    def around(self, server: web.Server) -> Callable[[], RequestHandler]:
        """Make protocols as `server` does, each with its time."""

        def make() -> RequestHandler:
            protocol = server()
            loop = asyncio.get_running_loop()
            self._waiting[protocol] = loop.call_later(self._within_s, self._give_up, protocol)
            return protocol

        return make

    def _give_up(self, protocol: RequestHandler) -> None:
        del self._waiting[protocol]
        if protocol.transport is not None:
            protocol.transport.abort()

    @web.middleware
    async def middleware(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """A request is there."""
        timer = self._waiting.pop(request.protocol, None)
        if timer is not None:
            timer.cancel()
        return await handler(request)
