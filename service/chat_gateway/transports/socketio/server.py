"""The Socket.IO server: python-socketio's, with this service's conversations behind it.

python-socketio connects clients, keeps the list of them and carries its own API; rooms and fan-out
are the hub's. An event's way is `EngineSocket` → `Connection.receive` → `Conversation.take`; its
answer is the client's own acknowledgement callback.
"""

import logging
from typing import Any

import socketio
from socketio.exceptions import ConnectionRefusedError as Refused

from chat_gateway.handlers.services import Services
from chat_gateway.transports.socketio.connection import Connection
from chat_gateway.transports.socketio.engine import PING_TIMEOUT_S, Engine, EngineSocket
from chat_gateway.transports.socketio.packets import DEFAULT_NAMESPACE, Packet
from chat_protocol import limits
from chat_protocol.codec import error_of, loads, to_wire
from chat_protocol.connecting import opening_from_auth
from chat_protocol.errors import ProtocolError

_CONNECTION = "chat.connection"
_INVALID_NAMESPACE = {"message": "Invalid namespace"}

_LIBRARY_LOG = logging.getLogger("socketio")
# The libraries log a client's mistakes as errors; what is left is a failure of this server's.
_LIBRARY_LOG.addFilter(lambda record: bool(record.exc_info))


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
            logger=_LIBRARY_LOG,
            engineio_logger=_LIBRARY_LOG,
        )
        self._services = services
        self._connections: dict[str, Connection] = {}
        self.on("connect", self._admit)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    # --- coming and going -----------------------------------------------------------------------

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        socket: EngineSocket = self.eio.sockets[eio_sid]
        connection = Connection(socket, environ["aiohttp.request"], self._services, self)
        try:
            connection.conversation.arrive()
        except ProtocolError as refusal:
            connection.conversation.close(refusal.spec.close_code or 4500)
            raise
        socket.receiver = connection
        self._connections[eio_sid] = connection
        await super()._handle_eio_connect(eio_sid, {_CONNECTION: connection})

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        connection = self._connections.pop(eio_sid, None)
        if connection is None:
            return
        await super()._handle_eio_disconnect(eio_sid, reason)
        connection.close(by_client=reason == self.reason.CLIENT_DISCONNECT)
        connection.socket.let_go()

    # --- CONNECT --------------------------------------------------------------------------------

    async def connect(self, connection: Connection, packet: Packet) -> None:
        """Answer a CONNECT packet, and greet who is let in."""
        eio_sid = connection.socket.sid
        if packet.namespace != DEFAULT_NAMESPACE:
            await self._say_no(eio_sid, packet, _INVALID_NAMESPACE)
            return
        try:
            auth = loads(packet.body) if packet.body else None
        except ProtocolError as refusal:
            connection.peer.refused(refusal)
            answer = {"message": refusal.message, "data": to_wire(error_of(refusal))}
            await self._say_no(eio_sid, packet, answer)
            return
        await self._handle_connect(eio_sid, DEFAULT_NAMESPACE, auth)
        connection.query.clear()
        connection.token = None
        if not connection.peer.ended:
            connection.peer.connected = True
            await connection.conversation.begin()

    async def _say_no(self, eio_sid: str, packet: Packet, answer: dict[str, Any]) -> None:
        await self._send_packet(
            eio_sid,
            self.packet_class(
                socketio.packet.CONNECT_ERROR, data=answer, namespace=packet.namespace
            ),
        )

    async def _admit(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        """The connect handler: who is this, and may they come in?"""
        connection: Connection = environ[_CONNECTION]
        try:
            opening = opening_from_auth(auth, connection.query).with_token(connection.token)
            await connection.conversation.open(opening)
        except ProtocolError as refusal:
            connection.peer.refused(refusal)
            raise Refused(refusal.message, to_wire(error_of(refusal))) from None
