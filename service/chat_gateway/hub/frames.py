"""Frames: the bytes that go out, made once for a whole room.

A `Batch` is what a room says to its peers in one tick of the event loop: each wire's form of it is
made the first time a peer of that wire asks, and the same object is written to every such peer.
"""

from collections.abc import Sequence
from typing import Final

from chat_protocol.codec import socketio_event

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
    """Events that go out together: pairs of an event's type and its wire object as JSON.

    `texts` counts the events; the three forms are those of a raw WebSocket, of a Socket.IO
    WebSocket (both ready for the transport), and of a Socket.IO connection that still polls.
    """

    __slots__ = ("_raw", "_socketio", "_socketio_packets", "events")

    def __init__(self, events: Sequence[tuple[str, bytes]]) -> None:
        self.events = events
        self._raw: bytes | None = None
        self._socketio: bytes | None = None
        self._socketio_packets: list[str] | None = None

    def raw(self) -> bytes:
        """WebSocket frames, one an event, joined."""
        frames = self._raw
        if frames is None:
            frames = self._raw = b"".join([websocket_text(wire) for _, wire in self.events])
        return frames

    def socketio(self) -> bytes:
        """WebSocket frames of Engine.IO MESSAGE packets with Socket.IO EVENTs, joined."""
        frames = self._socketio
        if frames is None:
            frames = self._socketio = b"".join(
                [websocket_text(socketio_event(kind, wire)) for kind, wire in self.events]
            )
        return frames

    def socketio_packets(self) -> list[str]:
        """The Socket.IO packets alone (`2["message",{…}]`): Engine.IO adds its own type."""
        packets = self._socketio_packets
        if packets is None:
            packets = self._socketio_packets = [
                socketio_event(kind, wire)[1:].decode() for kind, wire in self.events
            ]
        return packets
