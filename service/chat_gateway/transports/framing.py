"""WebSocket frames (RFC 6455) from a client: bytes in, whole messages out.

Strict where the RFC is: a client's frames are masked, control frames are short and whole, text is
UTF-8. What the protocol of this service never takes (binary, anything over the limit) is refused
as soon as the header tells, before its bytes are kept.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from chat_protocol import limits

CLOSE_NO_CODE: Final = 1005
"""What a close without a code counts as; never on the wire (RFC 6455, section 7.4.1)."""

CLOSE_ABNORMAL: Final = 1006
"""What a connection that ended without a close frame counts as; never on the wire."""

_PROTOCOL_ERROR: Final = 1002
_UNSUPPORTED_DATA: Final = 1003
_INVALID_TEXT: Final = 1007
_TOO_BIG: Final = 1009

_FIN: Final = 0x80
_RESERVED: Final = 0x70
_OPCODE: Final = 0x0F
_MASKED: Final = 0x80
_CONTROL: Final = 0x08
_CONTROL_MAX_BYTES: Final = 125
FRAGMENTS_MAX: Final = 1024
"""Frames of one message: the largest one in pieces of 64 bytes. Empty ones would never end."""

_WHOLE_TEXT: Final = 0x81
_SHORT_HEADER_BYTES: Final = 6
_CLOSE_CODES_TAKEN: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class Opcode(IntEnum):
    """What a frame is (RFC 6455, section 5.2)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class FrameError(Exception):
    """The client broke the framing; the connection is closed with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code}: {reason}")


class FrameReader:
    """Reads one connection's frames; `feed` is given whatever came, in whatever pieces."""

    __slots__ = ("_begun", "_buffer", "_fragments")

    def __init__(self) -> None:
        self._buffer = b""
        self._begun: bytearray | None = None
        """The fragments of a message so far; one buffer, since a fragment may be empty."""
        self._fragments = 0

    def whole(self, data: bytes) -> bytes | None:
        """The payload, where `data` is one whole ASCII text message and nothing waits before it.

        That is what nearly every read brings; anything else is for `feed`.
        """
        size = len(data) - _SHORT_HEADER_BYTES
        if self._buffer or self._begun is not None or size < 0 or data[0] != _WHOLE_TEXT:
            return None
        start = _SHORT_HEADER_BYTES
        if data[1] == _MASKED | 126:
            start += 2
            size -= 2
            if size < 0 or size != data[2] << 8 | data[3]:
                return None
        elif data[1] != _MASKED | size or size > _CONTROL_MAX_BYTES:
            return None
        payload = _unmask(data[start - 4 : start], data[start:])
        return payload if payload.isascii() else None

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Whole messages and control frames, with the payload unmasked; text is valid UTF-8.

        Raises `FrameError` behind the messages that came before the fault; feed nothing after.
        """
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        start = 0
        while True:
            header = self._header(data, start)
            if header is None:
                break
            first, payload_start, size = header
            end = payload_start + size
            if end > len(data):
                break
            payload = _unmask(data[payload_start - 4 : payload_start], data[payload_start:end])
            start = end
            opcode = first & _OPCODE
            if opcode & _CONTROL:
                yield Opcode(opcode), payload
                continue
            message = self._join(first, payload)
            if message is not None:
                yield Opcode.TEXT, message
        self._buffer = data[start:] if start else data

    def _header(self, data: bytes, start: int) -> tuple[int, int, int] | None:
        """(first byte, where the payload starts, its size), checked; None where more must come."""
        have = len(data) - start
        if have < 2:
            return None
        first, second = data[start], data[start + 1]
        size = second & 0x7F
        at = start + 2
        if not second & _MASKED:
            raise FrameError(_PROTOCOL_ERROR, "A client's frames are masked.")
        if first & _RESERVED:
            raise FrameError(_PROTOCOL_ERROR, "A reserved bit is set.")
        self._check_opcode(first, size)
        if size == 126:
            at += 2
            size = int.from_bytes(data[start + 2 : at], "big")
        elif size == 127:
            at += 8
            size = int.from_bytes(data[start + 2 : at], "big")
        if len(data) < at + 4:
            # The mask, or the length itself, is not here yet.
            return None
        begun = len(self._begun) if self._begun is not None else 0
        if begun + size > limits.FRAME_MAX_BYTES and not first & _CONTROL:
            raise FrameError(_TOO_BIG, f"A message is over {limits.FRAME_MAX_BYTES} bytes.")
        return first, at + 4, size

    def _check_opcode(self, first: int, size: int) -> None:
        opcode = first & _OPCODE
        if opcode & _CONTROL:
            if opcode > Opcode.PONG:
                raise FrameError(_PROTOCOL_ERROR, "An unknown control frame.")
            if size > _CONTROL_MAX_BYTES or not first & _FIN:
                raise FrameError(_PROTOCOL_ERROR, "A control frame is short and whole.")
        elif opcode == Opcode.CONTINUATION:
            if self._begun is None:
                raise FrameError(_PROTOCOL_ERROR, "Nothing to continue.")
        elif self._begun is not None:
            raise FrameError(_PROTOCOL_ERROR, "A message began inside another.")
        elif opcode == Opcode.BINARY:
            raise FrameError(_UNSUPPORTED_DATA, "Send text frames.")
        elif opcode != Opcode.TEXT:
            raise FrameError(_PROTOCOL_ERROR, "An unknown kind of frame.")

    def _join(self, first: int, payload: bytes) -> bytes | None:
        if self._begun is not None:
            self._begun += payload
            self._fragments += 1
            if self._fragments > FRAGMENTS_MAX:
                raise FrameError(_TOO_BIG, f"A message is in over {FRAGMENTS_MAX} fragments.")
            if not first & _FIN:
                return None
            payload = bytes(self._begun)
            self._begun = None
        elif not first & _FIN:
            self._begun = bytearray(payload)
            self._fragments = 1
            return None
        if not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                raise FrameError(_INVALID_TEXT, "A text message is not UTF-8.") from None
        return payload


def _unmask(mask: bytes, payload: bytes) -> bytes:
    size = len(payload)
    # One XOR of two long integers: the fastest that the standard library has.
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ key).to_bytes(size, "little")


def close_code_of(payload: bytes) -> int:
    """The code in a client's close frame. Raises `FrameError` for one that may not be there."""
    if not payload:
        return CLOSE_NO_CODE
    if len(payload) == 1:
        raise FrameError(_PROTOCOL_ERROR, "A close code has two bytes.")
    code = int.from_bytes(payload[:2], "big")
    if code not in _CLOSE_CODES_TAKEN:
        raise FrameError(_PROTOCOL_ERROR, "Not a close code.")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise FrameError(_INVALID_TEXT, "A close reason is not UTF-8.") from None
    return code


def control_frame(opcode: Opcode, payload: bytes = b"") -> bytes:
    """An unmasked control frame; a longer payload than fits is cut."""
    payload = payload[:_CONTROL_MAX_BYTES]
    return bytes((_FIN | opcode, len(payload))) + payload
