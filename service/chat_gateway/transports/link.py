"""A WebSocket after its handshake, for both wires: messages in, ready-made bytes out.

aiohttp reads the request that asks for the upgrade; from then on the connection is the link's, and
aiohttp keeps nothing of it. The link writes to the transport, whose own buffer is the only one
(`hub.peer` says how much may wait there), and says when a room may write past it (`hub.fanout`). It
hands each message on as it comes, without a task where that is done at once; while one takes longer
the next ones wait, and when too many do, nothing more is read.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final, Protocol, cast

from chat_gateway.hub.peer import BUFFER_MAX_BYTES, CLOSE_GRACE_S, NO_SOCKET
from chat_gateway.transports.framing import (
    CLOSE_ABNORMAL,
    FrameError,
    FrameReader,
    Opcode,
    close_code_of,
    control_frame,
)

INBOX_MAX_BYTES: Final = 256 * 1024
"""Messages that may wait to be handled; with more, nothing is read until half are done."""

INBOX_MAX_MESSAGES: Final = 1024


class Listener(Protocol):
    """Who a link reports to."""

    def message(self, text: bytes) -> Coroutine[Any, Any, None] | None:
        """The next text message; what is left to do for it, if anything, before the one after."""
        ...

    def pinged(self) -> bool:
        """The client sent a ping or a pong; whether a ping is to be answered."""
        ...

    def broken(self, error: FrameError) -> None:
        """The client broke the framing; end the connection."""
        ...

    def lost(self) -> None:
        """The connection is gone, and all that it sent has been handed over."""
        ...


class Outlet(Protocol):
    """Whom a link speaks for, and tells which socket takes frames as they are; see `hub.peer`."""

    fd: int


class Link(asyncio.Protocol):
    """One WebSocket. `handshake.upgrade` makes it; `receive` gives its first messages, all others
    go to the listener of `start`.
    """

    __slots__ = (
        "_drained",
        "_fd",
        "_grace",
        "_heard",
        "_held",
        "_inbox",
        "_inbox_bytes",
        "_listener",
        "_more",
        "_open",
        "_outlet",
        "_paused_reading",
        "_paused_writing",
        "_reader",
        "_transport",
        "_working",
        "close_code",
        "closed",
    )

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._reader: FrameReader | None = FrameReader()
        self._listener: Listener | None = None
        self._inbox: deque[bytes] | None = None
        """Messages that wait; None where none ever had to."""
        self._inbox_bytes = 0
        """What waits there; once this side has closed, what came all the same."""
        self._more: asyncio.Future[None] | None = None
        self._working: asyncio.Task[None] | None = None
        """What the last message left to do."""
        self._paused_reading = False
        # So that the transport says so as soon as anything has to wait. What waits already was
        # told to the protocol before this one.
        transport.set_write_buffer_limits(high=0)
        self._paused_writing = transport.get_write_buffer_size() > 0
        """Whether anything waits in the transport."""
        self._fd = _socket_of(transport)
        self._outlet: Outlet | None = None
        self._drained: asyncio.Future[None] | None = None
        self._heard = True
        self._open = True
        """Whether anything may still be said: neither side has closed."""
        self._held: bytes | None = None
        """Frames that go out at the end of this tick."""
        self._grace: asyncio.TimerHandle | None = None
        self.close_code = CLOSE_ABNORMAL
        """What the connection ended with, once `closed`."""
        self.closed = False

    # --- in -------------------------------------------------------------------------------------

    async def receive(self) -> bytes | None:
        """The next text message, before `start`; None when the connection has ended."""
        while not self._inbox:
            if not self._open:
                return None
            self._more = asyncio.get_running_loop().create_future()
            await self._more
            self._more = None
        return self._next()

    def start(self, listener: Listener) -> None:
        """Hand all messages to `listener`, those that came already first; called once."""
        self._listener = listener
        if self._inbox:
            self._working = asyncio.get_running_loop().create_task(self._work(None))
        elif self.closed:
            self._let_go()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._heard = True
        if self._reader is None:
            return
        if not self._open:
            # Of one that was told to go only the close frame matters, and not behind a flood.
            self._inbox_bytes += len(data)
            if self._inbox_bytes > INBOX_MAX_BYTES:
                self._reader = None
                return
        try:
            for opcode, payload in self._reader.feed(data):
                self._take(opcode, payload)
                if self._reader is None:
                    return
        except FrameError as error:
            self._reader = None
            if self._listener is not None:
                self._listener.broken(error)
            else:
                self.close(error.code)
        self._pause_where_much_waits()

    def _pause_where_much_waits(self) -> None:
        if (
            self._inbox
            and not self._paused_reading
            and (self._inbox_bytes > INBOX_MAX_BYTES or len(self._inbox) > INBOX_MAX_MESSAGES)
        ):
            self._paused_reading = True
            self._transport.pause_reading()

    def _take(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.TEXT:
            if self._open:
                self._hand_over(payload)
        elif opcode is Opcode.PING or opcode is Opcode.PONG:
            if not self._open:
                return
            # A pong may come without having been asked for, and as often as a ping.
            within_rate = self._listener is None or self._listener.pinged()
            if within_rate and opcode is Opcode.PING:
                self.write(control_frame(Opcode.PONG, payload))
        elif opcode is Opcode.CLOSE:
            code = close_code_of(payload)
            self._reader = None
            if self._open:
                # What it sent before is still carried out.
                self._write_held()
                self._open = False
                self._tell_outlet()
                self.close_code = code
                self._transport.write(control_frame(Opcode.CLOSE, payload[:2]))
                self._drop_after_grace()
                self._wake()
            self._transport.close()

    def _hand_over(self, text: bytes) -> None:
        if self._listener is None or self._working is not None:
            if self._inbox is None:
                self._inbox = deque()
            self._inbox.append(text)
            self._inbox_bytes += len(text)
            self._wake()
            return
        left = self._listener.message(text)
        if left is not None:
            self._working = asyncio.get_running_loop().create_task(self._work(left))

    async def _work(self, left: Coroutine[Any, Any, None] | None) -> None:
        """Finish a message, then those that came meanwhile."""
        listener = cast(Listener, self._listener)
        try:
            if left is not None:
                await left
            while self._inbox:
                left = listener.message(self._next())
                if left is not None:
                    await left
        finally:
            self._working = None
        if self.closed:
            self._let_go()

    def _next(self) -> bytes:
        inbox = cast("deque[bytes]", self._inbox)
        text = inbox.popleft()
        self._inbox_bytes -= len(text)
        if (
            self._paused_reading
            and self._inbox_bytes <= INBOX_MAX_BYTES // 2
            and len(inbox) <= INBOX_MAX_MESSAGES // 2
        ):
            self._paused_reading = False
            self._transport.resume_reading()
        return text

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def eof_received(self) -> bool:
        """The client sends nothing more: the transport closes itself."""
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone. The transport closes its socket when this has returned."""
        self.closed = True
        self._open = False
        self._reader = None
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        self._resume()
        self._outlet = None
        self._wake()
        if self._working is None:
            self._let_go()

    def _let_go(self) -> None:
        """Tell the listener, and forget it: nobody waits for the garbage collector, which seldom
        comes, to see that a connection is gone.
        """
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.lost()

    # --- out ------------------------------------------------------------------------------------

    def speak_for(self, outlet: Outlet) -> None:
        """Keep `outlet.fd` from now on."""
        self._outlet = outlet
        self._tell_outlet()

    def _tell_outlet(self) -> None:
        if self._outlet is not None:
            free = self._open and not self._paused_writing and self._held is None
            self._outlet.fd = self._fd if free else NO_SOCKET

    def write(self, frames: bytes) -> bool:
        """Write whole frames; false, and nothing written, where too much waits already.

        What counts is what waited before: one batch may be larger than the bound, and whoever has
        taken all before it is not slow. Nothing is written to a link that is closing.
        """
        if not self._open:
            return True
        if self._paused_writing and self._transport.get_write_buffer_size() > BUFFER_MAX_BYTES:
            return False
        if self._held is not None:
            frames = self._held + frames
            self._held = None
            self._tell_outlet()
        self._transport.write(frames)
        return True

    def write_soon(self, frames: bytes) -> bool:
        """Write at the end of this tick of the loop, or with what is written before; as `write`.

        An answer and the event that it is about leave in one packet so.
        """
        if self._held is not None:
            self._held += frames
            return len(self._held) <= BUFFER_MAX_BYTES
        if not self._open:
            return True
        if self._paused_writing and self._transport.get_write_buffer_size() > BUFFER_MAX_BYTES:
            return False
        self._held = frames
        self._tell_outlet()
        asyncio.get_running_loop().call_soon(self._write_held)
        return True

    def _write_held(self) -> None:
        held, self._held = self._held, None
        if held is not None and self._open:
            self._transport.write(held)
            self._tell_outlet()

    def pause_writing(self) -> None:
        """The socket takes nothing more for now."""
        self._paused_writing = True
        self._tell_outlet()

    def resume_writing(self) -> None:
        """The transport's buffer is empty again."""
        self._resume()

    def _resume(self) -> None:
        self._paused_writing = False
        self._tell_outlet()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all that was written has left; false where it did not, or is gone."""
        if self._paused_writing and not self.closed:
            self._drained = asyncio.get_running_loop().create_future()
            try:
                await asyncio.wait_for(self._drained, timeout_s)
            except TimeoutError:
                return False
            finally:
                self._drained = None
        return self._open

    def probe(self, frame: bytes) -> None:
        """Ask for a sign of life by `frame`; drop the connection if the last one stayed out.

        Anything that came counts. A client that is not being read from cannot give one.
        """
        if not self._open:
            return
        if not self._heard and not self._paused_reading:
            self.close_code = CLOSE_ABNORMAL
            self._open = False
            self._tell_outlet()
            self._transport.abort()
            return
        self._heard = False
        self.write(frame)

    def close(self, code: int, last_words: bytes = b"") -> None:
        """Write `last_words` and a close frame; what does not go within the grace is dropped."""
        if not self._open:
            return
        self._write_held()
        frame = control_frame(Opcode.CLOSE, code.to_bytes(2, "big"))
        self._transport.write(last_words + frame)
        self._open = False
        self._tell_outlet()
        self.close_code = code
        self._inbox = None
        self._inbox_bytes = 0
        if self._paused_reading:
            # The client's own close frame has to come through.
            self._paused_reading = False
            self._transport.resume_reading()
        self._drop_after_grace()
        self._wake()

    def _drop_after_grace(self) -> None:
        """Whoever closes and does not read what still waits would keep it, and the socket."""
        loop = asyncio.get_running_loop()
        self._grace = loop.call_later(CLOSE_GRACE_S, self._transport.abort)


def _socket_of(transport: asyncio.Transport) -> int:
    """The socket's descriptor, where what is written to it goes out as it is: not under TLS.

    It is the transport's own, and not used any more once `connection_lost` was called: only after
    that, both asyncio's transports and uvloop's close it, and its number may be another's.
    """
    if transport.get_extra_info("sslcontext") is not None:
        return NO_SOCKET
    socket = transport.get_extra_info("socket")
    return NO_SOCKET if socket is None else int(socket.fileno())
