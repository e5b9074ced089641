"""The inside of python-engineio, as far as this service needs it another way.

python-engineio keeps handshakes, polling and the upgrade. What is its own here: a connection that
is a WebSocket writes straight to its link (one write for a room's frames, no queue, no task and no
timer of its own), what waits for a polling client is counted in bytes, and packets are taken apart
strictly. `tests/transports/test_engine_is_the_one_we_know.py` fails when the methods that are
replaced here change in the library.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol

import engineio
import structlog
from aiohttp import web
from engineio import async_socket, exceptions, packet

from chat_gateway.hub.frames import websocket_text
from chat_gateway.hub.peer import BUFFER_MAX_BYTES, CLOSE_GRACE_S
from chat_gateway.transports.credentials import SUBPROTOCOL
from chat_gateway.transports.framing import FrameError
from chat_gateway.transports.handshake import Upgraded, upgrade
from chat_gateway.transports.link import Link, Outlet

log = structlog.get_logger()

PING_TIMEOUT_S: Final = 20.0
"""How long a polling client may take to answer a ping."""

PROBE_WITHIN_S: Final = 10.0
"""How long a WebSocket that is to take over from polling may take to say so."""

POSTED: Final = web.RequestKey("posted", bytes)
"""The body of a POST, which the route has read."""

PROBE: Final = b"2probe"
PROBE_ANSWER: Final = b"3probe"
UPGRADE: Final = b"5"
POSTS_WAITING_MAX: Final = 4
"""Requests of a polling client whose packets are not yet carried out; the next one waits."""

POLL_MAX_PACKETS: Final = 16
"""Packets in the answer to one poll: python-socketio's client gives up at more."""
PING: Final = websocket_text(b"2")
_SEPARATOR: Final = b"\x1e"


class WaitingPackets(asyncio.Queue[packet.Packet | None]):
    """Packets that wait for a polling client, and how many bytes they are."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.size_bytes = 0
        self._empty: asyncio.Future[None] | None = None

    def _put(self, item: packet.Packet | None) -> None:
        super()._put(item)
        self.size_bytes += _size_bytes(item)

    def _get(self) -> packet.Packet | None:
        item: packet.Packet | None = super()._get()
        self.size_bytes -= _size_bytes(item)
        if self.empty():
            self.release()
        return item

    def next_is_close(self) -> bool:
        """Whether the packet that goes next is a CLOSE."""
        item: packet.Packet | None = self._queue[0]  # type: ignore[attr-defined]
        return item is not None and item.packet_type == packet.CLOSE

    def release(self) -> None:
        """Nobody takes anything any more: all who wait in `drained` go on."""
        if self._empty is not None:
            self._empty.set_result(None)
            self._empty = None

    async def drained(self, timeout_s: float) -> bool:
        """Return when nothing waits; false where that took longer than the time given."""
        if self.empty():
            return True
        if self._empty is None:
            self._empty = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([self._empty], timeout=timeout_s)
        return bool(done)


def _size_bytes(item: packet.Packet | None) -> int:
    return len(item.data.encode()) if item is not None and isinstance(item.data, str) else 0


class Receiver(Protocol):
    """Who an Engine.IO connection reports to; what it returns is as `Listener` has it."""

    def receive(self, data: bytes) -> Coroutine[Any, Any, None] | None:
        """The data of a MESSAGE packet; empty where the packet was none that there is."""
        ...

    def pinged(self) -> bool:
        """Something came that only keeps alive; whether it is to be answered."""
        ...

    def broken(self, error: FrameError) -> None:
        """The client broke the framing of its WebSocket."""
        ...


class Engine(engineio.AsyncServer):
    """An Engine.IO server whose sockets are `EngineSocket`s.

    The `connect` handler may raise, which refuses the connection, and sets the socket's
    `receiver`, which gets the messages.
    """

    def create_queue(self, *args: Any, **kwargs: Any) -> WaitingPackets:
        """What waits for a client."""
        return WaitingPackets()

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        sid = self.generate_id()
        socket = EngineSocket(self, sid)
        self.sockets[sid] = socket
        try:
            await socket.send(packet.Packet(packet.OPEN, self._open(sid, transport)))
            await self.handlers["connect"](sid, environ)
            if transport == "websocket":
                return await socket.handle_get_request(environ)
        except BaseException:
            self.sockets.pop(sid, None)
            await socket.close(wait=False, abort=True, reason=self.reason.TRANSPORT_ERROR)
            raise
        socket.schedule_ping()
        socket.connected = True
        return self._ok(await socket.poll())

    def _open(self, sid: str, transport: str) -> dict[str, Any]:
        """The handshake (Engine.IO protocol 4); times in milliseconds."""
        return {
            "sid": sid,
            "upgrades": self._upgrades(sid, transport),
            "pingInterval": int(self.ping_interval * 1000),
            "pingTimeout": int(self.ping_timeout * 1000),
            "maxPayload": self.max_http_buffer_size,
        }


class EngineSocket(async_socket.AsyncSocket):
    """One Engine.IO connection: polling until `link` is there, a WebSocket from then on."""

    queue: WaitingPackets
    connected: bool
    upgraded: bool
    upgrading: bool

    def __init__(self, server: Engine, sid: str) -> None:
        super().__init__(server, sid)
        self.link: Link | None = None
        self.receiver: Receiver | None = None
        """Who gets what the client says; set when the connection is taken."""
        self._outlet: Outlet | None = None
        self._turn = asyncio.Lock()
        self._posts = asyncio.Semaphore(POSTS_WAITING_MAX)
        self._carrying_out: set[asyncio.Task[None]] = set()

    # --- out ------------------------------------------------------------------------------------

    def speak_for(self, outlet: Outlet) -> None:
        """As `Link.speak_for`, of the link that is there or will be."""
        self._outlet = outlet
        if self.link is not None:
            self.link.speak_for(outlet)

    def let_go(self) -> None:
        """Forget who was told of this connection, which has ended: the two know each other."""
        self.receiver = None
        self._outlet = None

    async def send(self, pkt: packet.Packet) -> None:
        """Send a packet: at once on a WebSocket, with the next poll otherwise."""
        if self.link is None:
            await super().send(pkt)
        else:
            self.link.write(websocket_text(pkt.encode().encode()))

    def hold(self, messages: Sequence[str]) -> bool:
        """Keep messages for the next poll; false, and none kept, where too much waits already."""
        if self.queue.size_bytes > BUFFER_MAX_BYTES:
            return False
        self.keep(messages)
        return True

    def keep(self, messages: Sequence[str]) -> None:
        """Keep messages for the next poll, whatever waits."""
        for message in messages:
            self.queue.put_nowait(packet.Packet(packet.MESSAGE, data=message))

    async def poll(self) -> list[packet.Packet]:
        """What goes with the next poll.

        A CLOSE goes alone: python-socketio's client, told of it, forgets the callbacks that the
        packets before it were to call.
        """
        waiting = self.queue
        try:
            first = await asyncio.wait_for(
                waiting.get(), self.server.ping_interval + self.server.ping_timeout
            )
        except (TimeoutError, asyncio.CancelledError):
            raise exceptions.QueueEmpty from None
        waiting.task_done()
        if first is None:
            return []
        packets = [first]
        while len(packets) < POLL_MAX_PACKETS and not waiting.empty():
            if waiting.next_is_close():
                break
            following = waiting.get_nowait()
            waiting.task_done()
            if following is None:
                waiting.put_nowait(None)
                break
            packets.append(following)
        return packets

    def finish(self) -> asyncio.Task[None]:
        """End a polling connection once the client has taken what waits, or the grace is over."""
        self.queue.put_nowait(packet.Packet(packet.CLOSE))
        return asyncio.get_running_loop().create_task(self._finish())

    async def _finish(self) -> None:
        await self.queue.drained(CLOSE_GRACE_S)
        await self.close(wait=False, abort=True, reason=self.server.reason.SERVER_DISCONNECT)
        # Wakes a poll that is under way, if there is one.
        self.queue.put_nowait(None)
        self.server.sockets.pop(self.sid, None)

    async def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        """End the connection, and the link with it."""
        await super().close(wait=wait and self.link is None, abort=abort, reason=reason)
        self.queue.release()
        if self.link is not None:
            self.link.close(1000)

    def schedule_ping(self) -> None:
        """Pings of polling clients are the library's; those of links come from the sweep."""
        if self.link is None:
            super().schedule_ping()
        self.last_ping = None

    def is_stale(self) -> bool:
        """Whether a polling client has let a ping go unanswered."""
        asked_at: float | None = self.last_ping
        return asked_at is not None and time.time() - asked_at > self.server.ping_timeout

    # --- in -------------------------------------------------------------------------------------

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Take the packets of a POST, in order; its body has been read already.

        The answer goes out when they are taken, not when they are carried out: a client that
        upgrades waits for it before it reads on, and what is carried out may wait for the client
        to read on.
        """
        request: web.Request = environ["aiohttp.request"]
        texts = request[POSTED].split(_SEPARATOR)
        await self._posts.acquire()
        task = asyncio.get_running_loop().create_task(self._carry_out(texts))
        self._carrying_out.add(task)
        task.add_done_callback(self._carrying_out.discard)

    async def _carry_out(self, texts: Sequence[bytes]) -> None:
        try:
            async with self._turn:
                for text in texts:
                    left = self._take(text)
                    if left is not None:
                        await left
        except Exception:
            log.exception("Cannot take a packet", engine_id=self.sid)
        finally:
            self._posts.release()

    async def _upgrade_websocket(self, environ: dict[str, Any]) -> Any:
        if self.upgrading or self.upgraded:
            return self.server._bad_request("Upgraded already")
        link = upgrade(environ["aiohttp.request"], protocols=(SUBPROTOCOL,))
        if self.connected and not await self._probed(link):
            link.close(1002)
            return Upgraded()
        self.connected = self.upgraded = True
        self._attach(link)
        return Upgraded()

    async def _probed(self, link: Link) -> bool:
        """The client's words before a WebSocket takes over; polls end meanwhile."""
        self.upgrading = True
        try:
            async with asyncio.timeout(PROBE_WITHIN_S):
                if await link.receive() != PROBE:
                    return False
                link.write(websocket_text(PROBE_ANSWER))
                self.queue.put_nowait(packet.Packet(packet.NOOP))
                return await link.receive() == UPGRADE and not self.closed
        except TimeoutError:
            return False
        finally:
            self.upgrading = False

    def _attach(self, link: Link) -> None:
        """Write what waited, in order; from now on everything is written at once.

        It goes in one write: what a poll may hold, a link may, and a second write would be refused
        while the first one waits.
        """
        frames: list[bytes] = []
        while not self.queue.empty():
            waiting = self.queue.get_nowait()
            self.queue.task_done()
            if waiting is not None:
                frames.append(websocket_text(waiting.encode().encode()))
        if frames:
            link.write(b"".join(frames))
        self.link = link
        if self._outlet is not None:
            link.speak_for(self._outlet)
        link.start(self)

    def message(self, text: bytes) -> Coroutine[Any, Any, None] | None:
        """A packet came over the link."""
        if self._turn.locked():
            # What a POST brought before the upgrade is still being carried out.
            return self._carry_out_after(text)
        return self._take(text)

    async def _carry_out_after(self, text: bytes) -> None:
        async with self._turn:
            left = self._take(text)
            if left is not None:
                await left

    def pinged(self) -> bool:
        """A ping or pong of the WebSocket, or a packet of the kind, came."""
        return self.receiver is None or self.receiver.pinged()

    def broken(self, error: FrameError) -> None:
        """The framing is broken."""
        if self.receiver is not None:
            self.receiver.broken(error)

    def lost(self) -> None:
        """The link is gone, and the connection with it."""
        task = asyncio.get_running_loop().create_task(
            self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        )
        self._carrying_out.add(task)
        task.add_done_callback(self._carrying_out.discard)
        self.server.sockets.pop(self.sid, None)

    def _take(self, text: bytes) -> Coroutine[Any, Any, None] | None:
        """One packet of the client's; those of one connection one after the other."""
        kind = text[:1]
        if kind == b"4":
            return self._receive(text[1:])
        if kind == b"1":
            return self.leave()
        if kind not in (b"2", b"3", UPGRADE, b"6"):
            return self._receive(b"")
        # They ask for nothing, but each costs a look.
        self.pinged()
        if kind == b"3":
            self.schedule_ping()
        return None

    def _receive(self, data: bytes) -> Coroutine[Any, Any, None] | None:
        return None if self.receiver is None else self.receiver.receive(data)

    async def leave(self) -> None:
        """The client says that it goes."""
        await self.close(wait=False, abort=True, reason=self.server.reason.CLIENT_DISCONNECT)
        self.queue.put_nowait(None)
