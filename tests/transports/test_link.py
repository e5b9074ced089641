"""A link by itself, on a real connection."""

import asyncio
import gc
import socket
import weakref
from collections.abc import Coroutine
from typing import Any, cast

from chat_gateway.transports.framing import FrameError, Opcode
from chat_gateway.transports.link import Link
from chat_gateway.transports.socketio.engine import WaitingPackets
from tests.transports.test_framing import client_frame


class Waiter:
    """Says when its link is gone."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def message(self, text: bytes) -> Coroutine[Any, Any, None] | None:
        return None

    def pinged(self) -> bool:
        return True

    def broken(self, error: FrameError) -> None:
        raise error

    def lost(self) -> None:
        self.gone.set()


async def test_who_closes_and_never_reads_what_waits_is_dropped_all_the_same() -> None:
    waiter = Waiter()

    class Opening(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken = cast(asyncio.Transport, transport)
            link = Link(taken)
            taken.set_protocol(link)
            link.start(waiter)
            # More than the kernel takes, though no more than one write may be.
            link.write(bytes(32 << 20))

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Opening, "127.0.0.1", 0)
    with socket.socket() as leaving:
        leaving.connect(server.sockets[0].getsockname())
        leaving.sendall(client_frame(Opcode.CLOSE, b""))

        await asyncio.wait_for(waiter.gone.wait(), 15)

    server.close()
    await server.wait_closed()


async def test_all_who_wait_for_a_poll_to_take_everything_go_on_together() -> None:
    waiting = WaitingPackets()
    waiting.put_nowait(None)
    drained = asyncio.gather(waiting.drained(10), waiting.drained(10))
    await asyncio.sleep(0)

    waiting.get_nowait()

    assert list(await asyncio.wait_for(drained, 5)) == [True, True]


class Knowing(Waiter):
    """Knows its link, as the listeners of both wires do."""

    link: Link


async def test_who_was_told_that_a_link_is_gone_is_forgotten_without_the_collector() -> None:
    told: list[Knowing] = []
    opened = asyncio.Event()

    class Opening(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken = cast(asyncio.Transport, transport)
            knowing = Knowing()
            knowing.link = Link(taken)
            taken.set_protocol(knowing.link)
            knowing.link.start(knowing)
            told.append(knowing)
            opened.set()

    server = await asyncio.get_running_loop().create_server(Opening, "127.0.0.1", 0)
    gc.collect()
    gc.disable()
    try:
        with socket.socket() as leaving:
            leaving.connect(server.sockets[0].getsockname())
            await asyncio.wait_for(opened.wait(), 5)
        gone = told[0].gone
        listener = weakref.ref(told.pop())
        await asyncio.wait_for(gone.wait(), 5)

        assert listener() is None
    finally:
        gc.enable()
    server.close()
    await server.wait_closed()
