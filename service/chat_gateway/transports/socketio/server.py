"""The Socket.IO server: python-socketio's, with this service's conversation behind it.

python-socketio connects clients and keeps the list of them; what they say goes to the conversation
of their connection, one thing after the other, and never to a handler found by a name that the
client chose. The path of an event is `_handle_eio_message` → `Conversation.receive`; its answer is
the client's own acknowledgement callback.
"""

from functools import partial
from typing import Any, NoReturn

import socketio
from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as Refused

from chat_gateway.domain.ids import new_id
from chat_gateway.handlers.conversation import Conversation, Reply
from chat_gateway.handlers.services import Services
from chat_gateway.transports.framing import CLOSE_ABNORMAL, FrameError
from chat_gateway.transports.socketio.engine import (
    PING_TIMEOUT_S,
    Engine,
    EngineSocket,
)
from chat_gateway.transports.socketio.packets import (
    DEFAULT_NAMESPACE,
    Packet,
    PacketType,
    take_apart,
)
from chat_gateway.transports.socketio.peer import SocketIoPeer
from chat_protocol import limits
from chat_protocol.codec import decode_socketio, error_of, loads, to_wire
from chat_protocol.commands import Command
from chat_protocol.connecting import opening_from_auth
from chat_protocol.errors import ProtocolError
from chat_protocol.events import Ack

_CONNECTION = "chat.connection"
_INVALID_NAMESPACE = {"message": "Invalid namespace"}


class Connection:
    """One Engine.IO connection: its socket, its peer, its conversation."""

    def __init__(self, socket: EngineSocket, request: web.Request, services: Services) -> None:
        self.socket = socket
        self.query = dict(request.query)
        self.peer = SocketIoPeer(
            socket,
            new_id(services.clock.now_ms()),
            address=request.remote or "",
            opened_s=services.clock.monotonic_s(),
            heartbeat_s=services.settings.heartbeat_s,
        )
        self.conversation = Conversation(services, self.peer)
        self.asked = False
        """Whether CONNECT came; it may come once."""

    def pinged(self) -> bool:
        """A WebSocket ping counts as a command does."""
        return self.conversation.within_rate()

    def broken(self, error: FrameError) -> None:
        """End a WebSocket whose framing is broken, or whose frame is binary or too big."""
        if error.code == 1003:
            self.peer.end(ProtocolError("unsupported_data", error.reason))
        elif error.code == 1009:
            self.peer.end(ProtocolError("payload_too_large", error.reason))
        else:
            self.peer.ended = True
            if self.socket.link is not None:
                self.socket.link.close(error.code)

    async def hear(self, packet: Packet) -> None:
        """An EVENT: a command, answered by the callback that came with it."""
        await self.conversation.receive(
            partial(_decode, packet.body), partial(self._answer, packet.ack_id)
        )

    async def refuse(self, refusal: ProtocolError) -> None:
        """What came was no packet; counted, and told."""
        await self.conversation.receive(partial(_raise, refusal), partial(self._answer, None))

    def _answer(self, ack_id: int | None, reply: Reply) -> None:
        if ack_id is not None:
            self.peer.acknowledge(ack_id, reply)
        elif not isinstance(reply, Ack) or reply.ref is not None:
            self.peer.say(reply)


def _decode(body: bytes) -> Command:
    return decode_socketio(loads(body))


def _raise(refusal: ProtocolError) -> NoReturn:
    raise refusal


class ChatServer(socketio.AsyncServer):
    """python-socketio's server, whose events are commands."""

    def __init__(self, services: Services) -> None:
        super().__init__(
            async_mode="aiohttp",
            async_handlers=False,
            # Origins are checked, and CORS is answered, in one place for all of HTTP.
            cors_allowed_origins=[],
            ping_interval=services.settings.heartbeat_s,
            ping_timeout=PING_TIMEOUT_S,
            max_http_buffer_size=limits.FRAME_MAX_BYTES,
            # The sweep over all connections looks after idle ones.
            monitor_clients=False,
        )
        self._services = services
        self._connections: dict[str, Connection] = {}
        self.on("connect", self._admit)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    # --- coming and going -----------------------------------------------------------------------

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        socket: EngineSocket = self.eio.sockets[eio_sid]
        connection = Connection(socket, environ["aiohttp.request"], self._services)
        try:
            connection.conversation.arrive()
        except ProtocolError as refusal:
            connection.conversation.close(refusal.spec.close_code or 4500)
            raise
        socket.listener = connection
        self._connections[eio_sid] = connection
        environ[_CONNECTION] = connection
        await super()._handle_eio_connect(eio_sid, environ)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        connection = self._connections.pop(eio_sid, None)
        if connection is None:
            return
        await super()._handle_eio_disconnect(eio_sid, reason)
        link = connection.socket.link
        code = link.close_code if link is not None else connection.peer.close_code
        if code == CLOSE_ABNORMAL and reason == self.reason.CLIENT_DISCONNECT:
            # It said so in a packet, before any close frame.
            code = 1000
        connection.conversation.close(code)

    async def _admit(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        """The connect handler: who is this, and may they come in?"""
        connection: Connection = environ[_CONNECTION]
        try:
            await connection.conversation.open(opening_from_auth(auth, connection.query))
        except ProtocolError as refusal:
            connection.peer.refused(refusal)
            raise Refused(refusal.message, to_wire(error_of(refusal))) from None

    # --- what a client says ---------------------------------------------------------------------

    async def _handle_eio_message(self, eio_sid: str, data: bytes) -> None:
        connection = self._connections.get(eio_sid)
        if connection is None or connection.peer.ended:
            return
        try:
            packet = take_apart(data)
        except ProtocolError as refusal:
            if refusal.code == "unsupported_data":
                connection.peer.end(refusal)
            else:
                await connection.refuse(refusal)
            return
        if packet.type is PacketType.CONNECT:
            await self._connect(eio_sid, connection, packet)
        elif packet.namespace != DEFAULT_NAMESPACE:
            await connection.refuse(ProtocolError("bad_request", "No such namespace."))
        elif not connection.peer.connected:
            connection.peer.end(ProtocolError("bad_request", "CONNECT comes first."))
        elif packet.type is PacketType.EVENT:
            await connection.hear(packet)
        elif packet.type is PacketType.DISCONNECT:
            await connection.socket.close(
                wait=False, abort=True, reason=self.reason.CLIENT_DISCONNECT
            )
            connection.socket.queue.put_nowait(None)
        elif packet.type is PacketType.CONNECT_ERROR:
            await connection.refuse(ProtocolError("bad_request", "Only a server says this."))
        # An ACK answers nothing: this server asks for none.

    async def _connect(self, eio_sid: str, connection: Connection, packet: Packet) -> None:
        if packet.namespace != DEFAULT_NAMESPACE:
            await self._send_packet(
                eio_sid,
                self.packet_class(
                    socketio.packet.CONNECT_ERROR,
                    data=_INVALID_NAMESPACE,
                    namespace=packet.namespace,
                ),
            )
            return
        if connection.asked:
            await connection.refuse(ProtocolError("bad_request", "Connected already."))
            return
        connection.asked = True
        try:
            auth = loads(packet.body) if packet.body else None
        except ProtocolError as refusal:
            connection.peer.refused(refusal)
            await self._send_packet(
                eio_sid,
                self.packet_class(
                    socketio.packet.CONNECT_ERROR,
                    data={"message": refusal.message, "data": to_wire(error_of(refusal))},
                    namespace=packet.namespace,
                ),
            )
            return
        await self._handle_connect(eio_sid, DEFAULT_NAMESPACE, auth)
        if not connection.peer.ended:
            connection.peer.connected = True
            await connection.conversation.begin()
