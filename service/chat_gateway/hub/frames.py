"""Frames: the bytes that go out, made once for a whole room.

A `Batch` is what a room says to its peers in one tick of the event loop: each wire's form of it is
made the first time a peer of that wire asks, and the same object is written to every such peer.
"""

from collections.abc import Sequence
from typing import Final, Literal

from chat_gateway.domain.model import Record
from chat_protocol.codec import socketio_event

Wire = Literal["raw", "socketio"]

_FIN_TEXT: Final = 0x81
_LENGTH_16_BIT: Final = 126
_LENGTH_64_BIT: Final = 127


def websocket_text(payload: bytes) -> bytes:
    """An unmasked, final text frame (RFC 6455, section 5.2), as a server sends it."""
    size = len(payload)
    if size < _LENGTH_16_BIT:
        return bytes((_FIN_TEXT, size)) + payload
    if size < 1 << 16:
        return bytes((_FIN_TEXT, _LENGTH_16_BIT)) + size.to_bytes(2, "big") + payload
    return bytes((_FIN_TEXT, _LENGTH_64_BIT)) + size.to_bytes(8, "big") + payload


class Batch:
    """Records that go out together.

    The three forms are those of a raw WebSocket, of a Socket.IO WebSocket (both ready for the
    socket), and of a Socket.IO connection that still polls.
    """

    __slots__ = ("_raw", "_records", "_socketio", "_socketio_packets")

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._raw: bytes | None = None
        self._socketio: bytes | None = None
        self._socketio_packets: list[str] | None = None

    def frames(self, wire: Wire) -> bytes:
        """What a WebSocket of this wire is sent."""
        return self.raw() if wire == "raw" else self.socketio()

    def raw(self) -> bytes:
        """WebSocket frames, one an event, joined."""
        frames = self._raw
        if frames is None:
            frames = self._raw = b"".join([websocket_text(record.wire) for record in self._records])
        return frames

    def socketio(self) -> bytes:
        """WebSocket frames of Engine.IO MESSAGE packets with Socket.IO EVENTs, joined."""
        frames = self._socketio
        if frames is None:
            frames = self._socketio = b"".join(
                [websocket_text(socketio_event(each.type, each.wire)) for each in self._records]
            )
        return frames

    def socketio_packets(self) -> list[str]:
        """The Socket.IO packets alone (`2["message",{…}]`): Engine.IO adds its own type."""
        packets = self._socketio_packets
        if packets is None:
            packets = self._socketio_packets = [
                socketio_event(each.type, each.wire)[1:].decode() for each in self._records
            ]
        return packets
