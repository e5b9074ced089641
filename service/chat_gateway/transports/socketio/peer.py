"""A Socket.IO connection as rooms see it, polling or not."""

import asyncio
from typing import ClassVar

from chat_gateway.hub.frames import Batch, Wire, websocket_text
from chat_gateway.hub.peer import CLOSE_GRACE_S, NEVER_S, Peer
from chat_gateway.transports.framing import CLOSE_ABNORMAL
from chat_gateway.transports.socketio.engine import PING, EngineSocket
from chat_protocol.codec import encode, encode_value, error_of, socketio_event, to_wire
from chat_protocol.errors import ProtocolError
from chat_protocol.events import ServerSays

FIRST_FINAL_CODE = 4500
"""From this close code on a client is not to come back, which Socket.IO says by DISCONNECT."""

_DISCONNECT = b"41"
_CONNECT_ERROR = b"44"


class SocketIoPeer(Peer):
    """Writes Socket.IO packets: frames to a link, or packets for the next poll."""

    __slots__ = ("_finishing", "_heartbeat_s", "_socket", "close_code", "connected")

    wire: ClassVar[Wire] = "socketio"

    def __init__(
        self,
        socket: EngineSocket,
        peer_id: str,
        *,
        address: str,
        opened_s: float,
        heartbeat_s: float,
    ) -> None:
        super().__init__(peer_id, address=address, opened_s=opened_s)
        self._socket = socket
        socket.speak_for(self)
        self._heartbeat_s = heartbeat_s
        self._finishing: asyncio.Task[None] | None = None
        self.connected = False
        """Whether the client was told that it is connected; before, no event may be sent."""
        self.close_code = CLOSE_ABNORMAL
        """What this server ended the connection with, if it did."""

    def deliver(self, batch: Batch, written_bytes: int = 0) -> None:
        """Write a room's frames, or keep its packets for the next poll."""
        if self.ended:
            return
        link = self._socket.link
        if not (
            link.write(batch.socketio()[written_bytes:])
            if link is not None
            else self._socket.hold(batch.socketio_packets())
        ):
            self.end(ProtocolError("slow_consumer"))

    def say(self, said: ServerSays) -> None:
        """Write one event."""
        if not self.ended:
            self._write(socketio_event(said.type, encode(said)))

    def acknowledge(self, ack_id: int, said: ServerSays) -> None:
        """Call the callback that a client gave with its event."""
        if not self.ended:
            self._write(b"43%d[%s]" % (ack_id, encode(said)))

    def _write(self, text: bytes) -> None:
        link = self._socket.link
        if not (
            link.write_soon(websocket_text(text))
            if link is not None
            else self._socket.hold([text[1:].decode()])
        ):
            self.end(ProtocolError("slow_consumer"))

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all has left."""
        if self._socket.link is None and not await self._socket.queue.drained(timeout_s):
            return False
        # Where it was upgraded meanwhile, what waited for polls waits there now.
        link = self._socket.link
        return not self._socket.closed if link is None else await link.drain(timeout_s)

    def end(self, refusal: ProtocolError) -> None:
        """Say the error, and close with its code; DISCONNECT keeps a client from coming back."""
        if self.ended:
            return
        self.ended = True
        self.close_code = refusal.spec.close_code or FIRST_FINAL_CODE
        error = error_of(refusal)
        if not self.connected:
            said = {"message": error.message, "data": to_wire(error)}
            words = [_CONNECT_ERROR + encode_value(said)]
        else:
            words = [socketio_event(error.type, encode(error))]
            if self.close_code >= FIRST_FINAL_CODE:
                words.append(_DISCONNECT)
        link = self._socket.link
        if link is not None:
            link.close(self.close_code, b"".join(websocket_text(word) for word in words))
        else:
            self._socket.keep([word[1:].decode() for word in words])
            self._finishing = self._socket.finish()

    def refused(self, refusal: ProtocolError) -> None:
        """CONNECT was answered with an error; a client that stays all the same is closed."""
        self.ended = True
        self.due_s = NEVER_S
        self.close_code = refusal.spec.close_code or FIRST_FINAL_CODE
        asyncio.get_running_loop().call_later(CLOSE_GRACE_S, self._drop)

    def _drop(self) -> None:
        if self._socket.closed:
            return
        if self._socket.link is not None:
            self._socket.link.close(self.close_code)
        else:
            self._finishing = self._socket.finish()

    def heartbeat(self, now_s: float) -> None:
        """Ping a WebSocket; a polling client is pinged by the library, and looked after here."""
        link = self._socket.link
        if link is not None:
            link.probe(PING)
        elif self._socket.is_stale():
            self.ended = True
            self._finishing = self._socket.finish()

    def next_heartbeat_s(self, now_s: float) -> float:
        """A heartbeat from now."""
        return now_s + self._heartbeat_s
