"""Writing past the transport: the socket that a link tells of, and what fan-out makes of it."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

import pytest
import trustme
import uvloop

from chat_gateway.domain.model import Record
from chat_gateway.hub import fanout
from chat_gateway.hub.frames import Batch
from chat_gateway.hub.peer import NO_SOCKET
from chat_gateway.transports.link import Link
from chat_gateway.transports.websocket.peer import RawPeer
from chat_protocol.errors import ProtocolError

MakeLoop = Callable[[], asyncio.AbstractEventLoop]
on_every_loop = pytest.mark.parametrize(
    "make_loop",
    [
        pytest.param(asyncio.new_event_loop, id="asyncio"),
        pytest.param(uvloop.new_event_loop, id="uvloop"),
    ],
)
ALL_TAKEN_AT_MOST = 1000
"""Batches of 64 KiB: far more than the kernel keeps of them for a client that does not read."""


class Watched(Link):
    """Keeps whether the socket was still open when the end of the connection was told."""

    __slots__ = ("descriptor", "gone", "open_when_lost")

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.descriptor: int = transport.get_extra_info("socket").fileno()
        self.gone = asyncio.Event()
        self.open_when_lost = False

    def connection_lost(self, exc: BaseException | None) -> None:
        with suppress(OSError):
            os.fstat(self.descriptor)
            self.open_when_lost = True
        super().connection_lost(exc)
        self.gone.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A peer on its link, and the client at the other end."""

    link: Watched
    peer: RawPeer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def connected(
    *, server_tls: ssl.SSLContext | None = None, client_tls: ssl.SSLContext | None = None
) -> AsyncIterator[Pair]:
    """One real connection, taken over as the handshake does it."""
    made: asyncio.Future[Watched] = asyncio.get_running_loop().create_future()

    class Opening(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken = cast(asyncio.Transport, transport)
            link = Watched(taken)
            taken.set_protocol(link)
            made.set_result(link)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Opening, "127.0.0.1", 0, ssl=server_tls)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("localhost", port, ssl=client_tls)
    try:
        link = await asyncio.wait_for(made, 5)
        peer = RawPeer(link, "peer", address="127.0.0.1", opened_s=0.0, heartbeat_s=60.0)
        yield Pair(link=link, peer=peer, reader=reader, writer=writer)
    finally:
        writer.transport.abort()
        await asyncio.wait_for(link.gone.wait(), 5)
        server.close()
        await server.wait_closed()


def batch(number: int) -> Batch:
    wire = b'{"seq":%d,"filler":"%s"}' % (number, b"x" * 65_000)
    return Batch([Record(session_id="s", seq=number, type="message", wire=wire)])


def deliver(pair: Pair, number: int) -> bytes:
    """Fan one batch out to the peer; returns the bytes that its client must get."""
    sent = batch(number)
    fanout.deliver(sent, "raw", [pair.peer])
    return sent.raw()


def run(make_loop: MakeLoop, test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), 30)

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(limited())


@on_every_loop
def test_what_the_socket_does_not_take_follows_whole_and_in_order(make_loop: MakeLoop) -> None:
    async def test() -> None:
        async with connected() as pair:
            assert pair.peer.fd == pair.link.descriptor
            expected = bytearray()
            for number in range(ALL_TAKEN_AT_MOST):
                expected += deliver(pair, number)
                if pair.peer.fd == NO_SOCKET:
                    break
            else:
                pytest.fail("the kernel took everything")
            expected += deliver(pair, number + 1)
            expected += deliver(pair, number + 2)

            got = await pair.reader.readexactly(len(expected))

            assert got == bytes(expected)
            assert await pair.peer.drain(5)
            assert pair.peer.fd == pair.link.descriptor
            last = deliver(pair, number + 3)
            assert await pair.reader.readexactly(len(last)) == last

    run(make_loop, test)


@on_every_loop
def test_nothing_overtakes_what_is_held_for_the_end_of_the_tick(make_loop: MakeLoop) -> None:
    async def test() -> None:
        async with connected() as pair:
            pair.link.write_soon(b"first")
            assert pair.peer.fd == NO_SOCKET
            then = deliver(pair, 1)
            assert await pair.reader.readexactly(5 + len(then)) == b"first" + then
            assert pair.peer.fd == pair.link.descriptor

    run(make_loop, test)


@on_every_loop
def test_a_descriptor_is_let_go_before_its_number_can_be_anothers(make_loop: MakeLoop) -> None:
    async def test() -> None:
        async with connected() as pair:
            pair.writer.transport.abort()
            await pair.link.gone.wait()
            assert pair.link.open_when_lost
            assert pair.peer.fd == NO_SOCKET
            # Written to all the same, by a room that has not heard of it: nothing happens.
            deliver(pair, 1)

    run(make_loop, test)


@on_every_loop
def test_who_was_told_to_go_is_not_written_to(make_loop: MakeLoop) -> None:
    async def test() -> None:
        async with connected() as pair:
            pair.peer.end(ProtocolError("slow_consumer"))
            assert pair.peer.fd == NO_SOCKET
            said = deliver(pair, 1)
            pair.link._transport.close()
            assert said not in await pair.reader.read()

    run(make_loop, test)


async def test_under_tls_nothing_is_written_past_the_transport() -> None:
    authority = trustme.CA()
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)

    async with connected(server_tls=server_tls, client_tls=client_tls) as pair:
        assert pair.peer.fd == NO_SOCKET
        expected = deliver(pair, 1)
        assert await pair.reader.readexactly(len(expected)) == expected
