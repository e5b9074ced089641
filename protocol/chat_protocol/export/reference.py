"""The reference of the wire as rows to be shown: fields, errors, close codes, limits.

The Markdown in the repository and the page that the service shows are both made from these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from marshmallow import Schema

from chat_protocol import limits
from chat_protocol.errors import CLOSE_CODES, REGISTRY
from chat_protocol.export.json_schema import Json, definitions, name_of
from chat_protocol.schemas import AttachmentSchema, MemberViewSchema, ReceiptViewSchema

NOT_YET_COMMANDS: Final = frozenset({"edit", "delete", "react", "typing"})
"""Commands that the service answers with `unsupported_command` so far."""

NOT_YET_EVENTS: Final = frozenset(
    {"message.updated", "message.deleted", "reaction", "typing", "presence", "receipt"}
)
"""Events that the service does not say so far."""

LIMITS: Final[Sequence[tuple[str, str]]] = (
    ("Frame, or REST body", f"{limits.FRAME_MAX_BYTES // 1024} KiB"),
    ("Nesting of arrays and objects", f"{limits.JSON_MAX_DEPTH} levels"),
    ("Any number", "−(2^53 − 1) to 2^53 − 1"),
    ("`content`", f"1–{limits.CONTENT_MAX_CHARS} characters"),
    ("`clientMessageId`", f"1–{limits.CLIENT_MESSAGE_ID_MAX_CHARS} characters"),
    ("`ref`", f"a number, or up to {limits.REF_MAX_CHARS} characters"),
    ("`mentions`", f"{limits.MENTIONS_MAX}"),
    ("`attachments`", f"{limits.ATTACHMENTS_MAX}"),
    ("Messages in one page of `history`", f"{limits.HISTORY_LIMIT_MAX}"),
    (
        "Events in one page of a log, together",
        f"{limits.PAGE_MAX_BYTES // 1024} KiB, but at least one event",
    ),
    ("Members and receipts listed in `joined`", f"{limits.MEMBERS_SHOWN_MAX}"),
    (
        "Commands on one connection",
        f"{limits.MESSAGES_PER_SECOND} a second, {limits.MESSAGES_BURST} at once",
    ),
    ("Bad frames in a row", f"{limits.BAD_INPUT_IN_A_ROW_MAX}, then the connection is closed"),
    ("Fields named in one error", f"{limits.DETAILS_MAX}"),
    ("Time to authenticate after connecting", f"{limits.AUTHENTICATE_WITHIN_S} s"),
    ("Life of a ticket", f"{limits.TICKET_LIFETIME_S} s, one use"),
)
"""What is bounded, and how far it goes."""


INNER: Final[Mapping[str, Schema]] = {
    name_of(schema): schema
    for schema in (AttachmentSchema(), MemberViewSchema(), ReceiptViewSchema())
}
"""Shapes that stand inside others, by name."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a shape."""

    name: str
    kind: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One code of the registry of errors."""

    code: str
    http_status: int
    close_code: int | None
    retryable: bool
    message: str


@dataclass(frozen=True, slots=True)
class CloseRow:
    """One close code, whether a client comes back, and the errors that end so."""

    close_code: int
    meaning: str
    reconnect: str
    errors: tuple[str, ...]


_SHAPES: Final = definitions()


def fields_of(schema: Schema) -> list[FieldRow]:
    """The fields of a command, event, ack or reply, but `type`."""
    shape = _SHAPES[name_of(schema)]
    needed = shape.get("required", [])
    return [
        FieldRow(name, _kind(field), name in needed, field.get("description", ""))
        for name, field in shape["properties"].items()
        if name != "type"
    ]


def errors() -> list[ErrorRow]:
    """The registry, in its order."""
    return [
        ErrorRow(spec.code, spec.http_status, spec.close_code, spec.retryable, spec.message)
        for spec in REGISTRY.values()
    ]


def close_codes() -> list[CloseRow]:
    """All close codes, lowest first."""
    return [
        CloseRow(
            code,
            CLOSE_CODES[code],
            _reconnect(code),
            tuple(spec.code for spec in REGISTRY.values() if spec.close_code == code),
        )
        for code in sorted(CLOSE_CODES)
    ]


def _reconnect(close_code: int) -> str:
    if 4000 <= close_code < 4500:
        return "yes, with `lastSeq`"
    if close_code >= 4500 or close_code in _CLIENT_AT_FAULT:
        return "no"
    return "as you like"


_CLIENT_AT_FAULT: Final = frozenset({1002, 1003, 1007, 1009})
"""Standard codes that say the client did what it must not do again."""


def _kind(field: Json) -> str:
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        return "message" if name == "StoredMessage" else name
    if "enum" in field:
        values: Sequence[str] = field["enum"]
        return "an error code" if len(values) > 10 else " or ".join(f"`{v}`" for v in values)
    kind = field["type"]
    if kind == ["string", "number"]:
        return f"number, or string of up to {limits.REF_MAX_CHARS} characters"
    if kind == "array":
        bound = f", at most {field['maxItems']}" if "maxItems" in field else ""
        return f"array of {_kind(field['items']).split(',')[0]}{bound}"
    if kind == "object":
        return f"object of {_kind(field['additionalProperties'])}"
    if kind == "string":
        return _text(field)
    if kind == "integer":
        return _whole_number(field)
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _text(field: Mapping[str, object]) -> str:
    if field.get("format") == "date-time":
        return "time"
    if "maxLength" not in field:
        return "string"
    return f"string, {field.get('minLength', 0)}–{field['maxLength']} characters"


def _whole_number(field: Mapping[str, object]) -> str:
    low, high = field["minimum"], field["maximum"]
    return f"integer ≥ {low}" if high == limits.INTEGER_MAX else f"integer, {low}–{high}"
