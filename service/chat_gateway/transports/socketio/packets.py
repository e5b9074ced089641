"""Socket.IO packets (protocol 5) of a client: taken apart, refused where they are none.

Only the default namespace is served, and nothing binary: an event that announces attachments is
refused before anything is kept for it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from chat_protocol.errors import ProtocolError

DEFAULT_NAMESPACE: Final = "/"
_ACK_ID_MAX_DIGITS: Final = 16
_NAMESPACE_MAX_BYTES: Final = 256


class PacketType(IntEnum):
    """What a packet is."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet; `body` is JSON that nobody has looked at yet, or empty."""

    type: PacketType
    namespace: str
    ack_id: int | None
    body: bytes


def take_apart(data: bytes) -> Packet:
    """A client's packet. Raises `ProtocolError("bad_request")` or `("unsupported_data")`."""
    if not b"0" <= data[:1] <= b"6":
        raise ProtocolError("bad_request", "Not a Socket.IO packet.")
    kind = PacketType(data[0] - ord("0"))
    if kind in (PacketType.BINARY_EVENT, PacketType.BINARY_ACK):
        raise ProtocolError("unsupported_data")
    body = data[1:]
    namespace = DEFAULT_NAMESPACE
    if body[:1] == b"/":
        name, _, body = body.partition(b",")
        try:
            namespace = name[:_NAMESPACE_MAX_BYTES].partition(b"?")[0].decode()
        except UnicodeDecodeError:
            raise ProtocolError("bad_request", "A namespace is not UTF-8.") from None
    digits = 0
    while body[digits : digits + 1].isdigit():
        digits += 1
        if digits > _ACK_ID_MAX_DIGITS:
            raise ProtocolError("bad_request", "An acknowledgement's id is too long.")
    ack_id = int(body[:digits]) if digits else None
    return Packet(kind, namespace, ack_id, body[digits:])
