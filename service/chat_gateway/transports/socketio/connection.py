"""One Socket.IO connection: its packets, and the conversation that they belong to.

What a client says goes to its conversation, one thing after the other, and never to a handler found
by a name that the client chose.
"""

from collections.abc import Coroutine
from functools import partial
from typing import Any, NoReturn, Protocol

from aiohttp import web

from chat_gateway.domain.ids import new_id
from chat_gateway.handlers.conversation import Conversation, Reply
from chat_gateway.handlers.services import Services
from chat_gateway.transports.credentials import token_of
from chat_gateway.transports.framing import CLOSE_ABNORMAL, FrameError
from chat_gateway.transports.socketio.engine import EngineSocket
from chat_gateway.transports.socketio.packets import (
    DEFAULT_NAMESPACE,
    Packet,
    PacketType,
    take_apart,
)
from chat_gateway.transports.socketio.peer import SocketIoPeer
from chat_protocol.codec import decode_socketio, loads
from chat_protocol.commands import Command
from chat_protocol.errors import ProtocolError
from chat_protocol.events import Ack

_FRAME_ERRORS = {1003: "unsupported_data", 1009: "payload_too_large"}

Left = Coroutine[Any, Any, None] | None
"""What is left to do for a packet before the next one is taken; see `link.Listener`."""


class Connector(Protocol):
    """Who answers CONNECT."""

    async def connect(self, connection: "Connection", packet: Packet) -> None:
        """Admit the client, or say why not."""
        ...


class Connection:
    """An Engine.IO connection, from its first request to its end."""

    __slots__ = ("_connector", "asked", "conversation", "peer", "query", "socket", "token")

    def __init__(
        self,
        socket: EngineSocket,
        request: web.Request,
        services: Services,
        connector: Connector,
    ) -> None:
        self.socket = socket
        self.query = dict(request.query)
        self.token = token_of(request)
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
        self._connector = connector

    def receive(self, data: bytes) -> Left:
        """A packet. A broken one is counted and told; a binary one ends the connection."""
        if self.peer.ended:
            return None
        try:
            return self._obey(take_apart(data))
        except ProtocolError as refusal:
            if refusal.code == "unsupported_data":
                self.peer.end(refusal)
                return None
            return self._refuse(refusal)

    def _obey(self, packet: Packet) -> Left:
        if packet.type is PacketType.CONNECT:
            if packet.namespace == DEFAULT_NAMESPACE:
                if self.asked:
                    raise ProtocolError("bad_request", "Connected already.")
                self.asked = True
            elif not self.conversation.within_rate():
                return None
            return self._connector.connect(self, packet)
        if packet.namespace != DEFAULT_NAMESPACE:
            raise ProtocolError("bad_request", "No such namespace.")
        if not self.peer.connected:
            self.peer.end(ProtocolError("bad_request", "CONNECT comes first."))
            return None
        if packet.type is PacketType.EVENT:
            return self.conversation.take(
                partial(_decode, packet.body), partial(self._answer, packet.ack_id)
            )
        if packet.type is PacketType.DISCONNECT:
            return self.socket.leave()
        if packet.type is PacketType.CONNECT_ERROR:
            raise ProtocolError("bad_request", "Only a server says this.")
        # An ACK answers nothing: this server asks for none.
        self.conversation.within_rate()
        return None

    def _refuse(self, refusal: ProtocolError) -> Left:
        return self.conversation.take(partial(_raise, refusal), partial(self._answer, None))

    def _answer(self, ack_id: int | None, reply: Reply) -> None:
        if ack_id is not None:
            self.peer.acknowledge(ack_id, reply)
        elif not isinstance(reply, Ack) or reply.ref is not None:
            self.peer.say(reply)

    def pinged(self) -> bool:
        """What only keeps alive counts as a command does."""
        return self.conversation.within_rate()

    def broken(self, error: FrameError) -> None:
        """End a WebSocket whose framing is broken, or whose frame is binary or too big."""
        code = _FRAME_ERRORS.get(error.code)
        if code is not None:
            self.peer.end(ProtocolError(code, error.reason))
        else:
            self.peer.ended = True
            if self.socket.link is not None:
                self.socket.link.close(error.code)

    def close(self, *, by_client: bool) -> None:
        """The connection is gone; a polling one has no close code but what this server meant."""
        link = self.socket.link
        code = link.close_code if link is not None else self.peer.close_code
        if code == CLOSE_ABNORMAL and by_client:
            # It said so in a packet, before any close frame.
            code = 1000
        self.conversation.close(code)


def _decode(body: bytes) -> Command:
    return decode_socketio(loads(body))


def _raise(refusal: ProtocolError) -> NoReturn:
    raise refusal
