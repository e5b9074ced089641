"""A connection that never asks for anything does not stay."""

import asyncio
import socket
from typing import cast

import pytest
from aiohttp import web

from chat_gateway.transports.patience import Patience, drop_the_deaf


async def test_a_silent_connection_is_dropped_and_one_that_asked_in_time_is_not() -> None:
    patience = Patience(within_s=0.3)

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application(middlewares=[patience.middleware])
    app.router.add_get("/", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    factory = patience.around(cast(web.Server, runner.server))
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    dripping, dripping_out = await asyncio.open_connection("127.0.0.1", port)
    asking, asking_out = await asyncio.open_connection("127.0.0.1", port)
    try:
        dripping_out.write(request[:20])
        asking_out.write(request)
        await asyncio.wait_for(asking.readuntil(b"hello"), 10)
        # The drop of the one that drips is what tells that the time is over.
        assert await asyncio.wait_for(_ended(dripping), 10)
        asking_out.write(request)
        await asyncio.wait_for(asking.readuntil(b"hello"), 10)
    finally:
        for writer in (dripping_out, asking_out):
            writer.close()
        server.close()
        await runner.cleanup()


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="an option of Linux")
async def test_a_client_that_takes_nothing_of_its_answer_is_dropped() -> None:
    lost: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            cast(asyncio.Transport, transport).write(bytes(32 << 20))

        def connection_lost(self, exc: BaseException | None) -> None:
            lost.set_result(exc)

    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    drop_the_deaf(server.sockets[0], within_s=0.5)
    with socket.socket() as deaf:
        deaf.connect(server.sockets[0].getsockname())

        error = await asyncio.wait_for(lost, 20)

    assert isinstance(error, OSError)
    server.close()
    await server.wait_closed()
