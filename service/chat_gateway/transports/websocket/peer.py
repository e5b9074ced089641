"""A raw WebSocket as rooms see it."""

from typing import ClassVar

from chat_gateway.hub.frames import Batch, Wire, websocket_text
from chat_gateway.hub.peer import Peer
from chat_gateway.transports.framing import Opcode, control_frame
from chat_gateway.transports.link import Link
from chat_protocol.codec import encode, error_of
from chat_protocol.errors import ProtocolError
from chat_protocol.events import ServerSays

_PING = control_frame(Opcode.PING)


class RawPeer(Peer):
    """Writes frames to its link."""

    __slots__ = ("_heartbeat_s", "_link")

    wire: ClassVar[Wire] = "raw"

    def __init__(
        self, link: Link, peer_id: str, *, address: str, opened_s: float, heartbeat_s: float
    ) -> None:
        super().__init__(peer_id, address=address, opened_s=opened_s)
        self._link = link
        link.speak_for(self)
        self._heartbeat_s = heartbeat_s

    def deliver(self, batch: Batch, written_bytes: int = 0) -> None:
        """Write a room's frames."""
        if not self.ended and not self._link.write(batch.raw()[written_bytes:]):
            self.end(ProtocolError("slow_consumer"))

    def say(self, said: ServerSays) -> None:
        """Write one frame."""
        if not self.ended and not self._link.write_soon(websocket_text(encode(said))):
            self.end(ProtocolError("slow_consumer"))

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all has left."""
        return await self._link.drain(timeout_s)

    def end(self, refusal: ProtocolError) -> None:
        """Say the error and close with its code."""
        if self.ended:
            return
        self.ended = True
        code = refusal.spec.close_code or 4500
        self._link.close(code, websocket_text(encode(error_of(refusal))))

    def heartbeat(self, now_s: float) -> None:
        """Ping."""
        self._link.probe(_PING)

    def next_heartbeat_s(self, now_s: float) -> float:
        """A heartbeat from now."""
        return now_s + self._heartbeat_s
