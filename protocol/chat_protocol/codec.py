"""Bytes to commands and events to bytes, for both wires.

Decoding is strict: what two JSON readers could understand in two ways (a key given twice, NaN,
numbers past 2^53, lone surrogates) is refused, since a stored message is read by all of them.
Both wires share everything but the envelope: the raw wire has `type` inside the object, Socket.IO
has it as the event's name.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, cast

import orjson
from marshmallow import ValidationError

from chat_protocol import limits
from chat_protocol.commands import Command, SendMessage
from chat_protocol.errors import ProtocolError, Ref
from chat_protocol.events import DurableEvent, Error, Message, ServerSays
from chat_protocol.fields import camel_case, flatten_errors, is_ref
from chat_protocol.schemas import COMMANDS, DURABLE_EVENTS
from chat_protocol.shortcut import Shortcut

# --- JSON in ------------------------------------------------------------------------------------


def loads(text: str | bytes) -> Any:
    """Parse JSON that means one thing only.

    Raises `ProtocolError("bad_request")` for anything that is not JSON (RFC 8259), holds a key
    twice, nests deeper than `limits.JSON_MAX_DEPTH`, or has a number beyond `limits.INTEGER_MAX`.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ProtocolError("bad_request", f"Not valid JSON: {error.msg}.") from None
    keys, colons = _measure(value, limits.JSON_MAX_DEPTH)
    if keys:
        # Each colon in the text stands behind a key or inside a string. Where the count of keys
        # that survived explains all of them, no key came twice; where it does not (or a string is
        # written with escapes), the standard library's slower reader decides.
        escaped, written = (
            (b"\\" in text, text.count(b":"))
            if isinstance(text, bytes)
            else ("\\" in text, text.count(":"))
        )
        if escaped or written != keys + colons:
            _look_for_twins(text)
    return value


def _look_for_twins(text: str | bytes) -> None:
    try:
        json.loads(text, object_pairs_hook=_refuse_twins)
    except (ValueError, RecursionError):
        # `text` is JSON within the bounds; only a value that its twin replaced can be anything
        # that this reader does not take (nested a thousand levels deep).
        raise ProtocolError("bad_request", "An object has a key twice.") from None


def _measure(value: Any, depth_left: int) -> tuple[int, int]:
    """(keys, colons inside strings) of a parsed value; refuses depth and huge numbers."""
    kind = type(value)
    if kind is str:
        return 0, value.count(":")
    if kind is dict or kind is list:
        if depth_left == 0:
            raise ProtocolError(
                "bad_request", f"Nested deeper than {limits.JSON_MAX_DEPTH} levels."
            )
        keys = colons = 0
        if kind is dict:
            keys = len(value)
            for key in value:
                colons += key.count(":")
            value = value.values()
        for inner in value:
            if type(inner) is str:
                # Nearly all there is; a call for each would be half the cost of reading.
                colons += inner.count(":")
                continue
            inner_keys, inner_colons = _measure(inner, depth_left - 1)
            keys += inner_keys
            colons += inner_colons
        return keys, colons
    if (kind is int or kind is float) and not -limits.INTEGER_MAX <= value <= limits.INTEGER_MAX:
        raise ProtocolError("bad_request", "A number is beyond 2^53.")
    return 0, 0


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise ProtocolError(
                "bad_request",
                "An object has a key twice.",
                details={key[: limits.ID_MAX_CHARS]: ["Given twice."]},
            )
        seen.add(key)


# --- commands in --------------------------------------------------------------------------------


_MESSAGE: Final = Shortcut(COMMANDS[SendMessage.type])


def decode_raw(text: str | bytes) -> Command:
    """One text frame of the raw wire: an object with a `type`.

    Raises `ProtocolError` with the frame's `ref`, where it had a usable one.
    """
    value = loads(text)
    if not isinstance(value, dict):
        raise ProtocolError("bad_request", "Send one JSON object per frame.")
    kind = value.pop("type", None)
    if not isinstance(kind, str):
        _refuse(value, "bad_request", "The object needs a `type`.", {"type": ["Must be a string."]})
    return load_command(kind, value)


def decode_socketio(arguments: Any) -> Command:
    """The payload of a Socket.IO EVENT packet: `[name, object]`.

    The object may be missing (`ping`), and may repeat the name as `type`.
    """
    if not isinstance(arguments, list) or not arguments or not isinstance(arguments[0], str):
        raise ProtocolError("bad_request", "An event needs a name.")
    if len(arguments) > 2:
        raise ProtocolError("bad_request", "An event takes one object and nothing beside it.")
    value = arguments[1] if len(arguments) == 2 else {}
    if not isinstance(value, dict):
        raise ProtocolError("bad_request", "An event's argument is one JSON object.")
    kind = arguments[0]
    if value.pop("type", kind) != kind:
        _refuse(value, "bad_request", "`type` says another name than the event.", None)
    return load_command(kind, value)


def load_command(kind: str, value: dict[str, Any]) -> Command:
    """A command from its type and its other fields, or `ProtocolError` with the fields at fault."""
    if kind == SendMessage.type:
        message = _MESSAGE.load(value)
        if message is not None:
            return message
    schema = COMMANDS.get(kind)
    if schema is None:
        known = ", ".join(sorted(COMMANDS))
        _refuse(value, "unknown_type", f"No such command; there are: {known}.", None)
    try:
        return cast(Command, schema.load(value))
    except ValidationError as error:
        _refuse(value, "validation_failed", None, flatten_errors(error))


def _refuse(
    value: Mapping[str, Any],
    code: str,
    message: str | None,
    details: dict[str, list[str]] | None,
) -> NoReturn:
    raise ProtocolError(code, message, details=details, ref=ref_of(value)) from None


def ref_of(value: Mapping[str, Any]) -> Ref | None:
    """The `ref` of a client's object, where it is one that may be echoed."""
    ref = value.get("ref")
    return cast(Ref, ref) if is_ref(ref) else None


# --- events out ---------------------------------------------------------------------------------

_WIRE_NAMES: dict[type, tuple[tuple[str, str], ...]] = {}


def _wire_names(kind: type) -> tuple[tuple[str, str], ...]:
    names = _WIRE_NAMES.get(kind)
    if names is None:
        names = tuple((f.name, camel_case(f.name)) for f in dataclasses.fields(kind))
        _WIRE_NAMES[kind] = names
    return names


def to_wire(said: Any) -> dict[str, Any]:
    """A dataclass of this package as its wire object: camelCase names, None left out."""
    wire: dict[str, Any] = {}
    kind = getattr(said, "type", None)
    if kind is not None:
        wire["type"] = kind
    for name, wire_name in _wire_names(type(said)):
        value = getattr(said, name)
        if value is None:
            continue
        if name == "result":
            wire.update(value)
        elif isinstance(value, list | tuple):
            wire[wire_name] = [to_wire(v) if dataclasses.is_dataclass(v) else v for v in value]
        else:
            wire[wire_name] = value
    return wire


def encode(said: ServerSays) -> bytes:
    """The wire object of an event or reply as UTF-8 JSON; what a raw client gets as text."""
    return orjson.dumps(to_wire(said))


def encode_durable(event: DurableEvent, seq: int) -> bytes:
    """The wire object of a durable event, numbered `seq`: the bytes that are stored and sent."""
    wire = _message_to_wire(event) if type(event) is Message else to_wire(event)
    wire["seq"] = seq
    return orjson.dumps(wire)


def _message_to_wire(message: Message) -> dict[str, Any]:
    """`to_wire` of the one event that nearly all are, without asking a class for its fields."""
    wire: dict[str, Any] = {
        "type": "message",
        "sessionId": message.session_id,
        "seq": message.seq,
        "id": message.id,
        "senderId": message.sender_id,
        "createdAt": message.created_at,
        "senderName": message.sender_name,
        "content": message.content,
        "clientMessageId": message.client_message_id,
    }
    if message.reply_to is not None:
        wire["replyTo"] = message.reply_to
    wire["mentions"] = message.mentions
    wire["attachments"] = [to_wire(each) for each in message.attachments]
    return wire


def encode_value(value: Any) -> bytes:
    """Any JSON value as UTF-8; `raw(...)` values stand in it as they are."""
    return orjson.dumps(value)


def raw(encoded: bytes) -> Any:
    """Already encoded JSON to stand inside a value for `encode_value` or in an `Ack`'s result."""
    return orjson.Fragment(encoded)


def raw_list(encoded: Sequence[bytes]) -> Any:
    """A JSON array of already encoded values."""
    return orjson.Fragment(b"[" + b",".join(encoded) + b"]")


def socketio_event(kind: str, encoded: bytes) -> bytes:
    """The Engine.IO text of a Socket.IO EVENT in the default namespace: `42["message",{…}]`."""
    return b'42["%s",%s]' % (kind.encode(), encoded)


def error_of(refusal: ProtocolError) -> Error:
    """The `error` object of a refusal."""
    return Error(
        ref=refusal.ref,
        code=refusal.code,
        message=refusal.message,
        retryable=refusal.spec.retryable,
        retry_after_ms=refusal.retry_after_ms,
        details=refusal.details,
    )


DURABLE_TYPES: Final = frozenset(DURABLE_EVENTS)
MESSAGE_TYPE: Final = Message.type
