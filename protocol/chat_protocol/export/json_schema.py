"""JSON Schema (2020-12, and draft-07 alike) of everything on the sockets.

Made from the marshmallow schemas, so that there is one truth; a validator that this page does not
know is an error here, never a rule silently left out. Commands are closed, since the server refuses
unknown fields; what the server says is open, since a later server may say more.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from marshmallow import Schema, fields, validate

from chat_protocol import limits
from chat_protocol.connecting import AuthSchema
from chat_protocol.export.meanings import MEANINGS
from chat_protocol.fields import RefField, Text, WholeNumber
from chat_protocol.schemas import ACKS, COMMANDS, DURABLE_EVENTS, EPHEMERAL_EVENTS, REPLIES

Json = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
STANDALONE: Final = "#/$defs/"
NO_NUL: Final = "[^\\u0000]*$"

RULES: Final[Mapping[str, Json]] = {"GetHistory": {"not": {"required": ["before", "after"]}}}
"""What a schema checks over several fields at once, by the name of its shape."""

EVENTS: Final = {**DURABLE_EVENTS, **EPHEMERAL_EVENTS}


def name_of(schema: Schema) -> str:
    """A shape's name in the documents: `SendMessage`, `MessageUpdated`, `HistoryAck`."""
    return type(schema).__name__.removesuffix("Schema")


def summary_of(schema: Schema) -> str:
    """A shape's docstring on one line."""
    return " ".join(inspect.cleandoc(type(schema).__doc__ or "").split())


def definitions(prefix: str = STANDALONE) -> dict[str, Json]:
    """Shape name to JSON Schema; they refer to each other under `prefix`.

    A command's `type` is optional, since on Socket.IO the event's name says it; see `raw_command`.
    """
    found: dict[str, Json] = {}
    for kind, command in COMMANDS.items():
        found[name_of(command)] = shape_of(command, prefix, kind=kind, closed=True)
    for kind, said in {**EVENTS, **REPLIES}.items():
        found[name_of(said)] = shape_of(said, prefix, kind=kind, required=True)
    for ack in ACKS.values():
        found[name_of(ack)] = _ack(ack, prefix)
    found["Auth"] = shape_of(AuthSchema(), prefix, closed=True)
    for inner in _nested(COMMANDS.values()):
        found.setdefault(name_of(inner), shape_of(inner, prefix, closed=True))
    for inner in _nested([*EVENTS.values(), *ACKS.values()]):
        found.setdefault(name_of(inner), shape_of(inner, prefix))
    return found


def raw_command(kind: str, prefix: str = STANDALONE) -> Json:
    """A command as one text frame of the raw wire: the shape, and its `type` must be there."""
    reference = {"$ref": prefix + name_of(COMMANDS[kind])}
    return {"allOf": [reference, {"type": "object", "required": ["type"]}]}


def ack_names() -> list[str]:
    """The shapes that an `ack` can have."""
    return list(dict.fromkeys(name_of(schema) for schema in ACKS.values()))


def document() -> Json:
    """One schema that any text frame of the raw wire obeys, in either direction.

    `#/$defs/ClientSays` and `#/$defs/ServerSays` are the two directions.
    """
    said = [*(name_of(s) for s in {**EVENTS, **REPLIES}.values()), *ack_names()]
    return {
        "$schema": DIALECT,
        "title": "chat-gateway: objects on the sockets",
        "anyOf": [{"$ref": "#/$defs/ClientSays"}, {"$ref": "#/$defs/ServerSays"}],
        "$defs": {
            "ClientSays": {"anyOf": [raw_command(kind) for kind in COMMANDS]},
            "ServerSays": {"anyOf": [{"$ref": STANDALONE + name} for name in said]},
            **definitions(),
        },
    }


# --- shapes -------------------------------------------------------------------------------------


def shape_of(
    schema: Schema,
    prefix: str,
    *,
    kind: str | None = None,
    required: bool = False,
    closed: bool = False,
) -> Json:
    """The JSON Schema of one shape.

    `kind` is what stands in its `type`, `required` whether that must be there, `closed` whether
    unknown fields are refused. Raises `TypeError` for a field or rule that has no equal here.
    """
    name = name_of(schema)
    properties: Json = {}
    needed: list[str] = []
    if kind is not None:
        properties["type"] = {"const": kind, "description": MEANINGS["type"]}
        if required:
            needed.append("type")
    for field in schema.fields.values():
        wire_name = str(field.data_key)
        properties[wire_name] = _described(field, name, wire_name, prefix)
        if field.required:
            needed.append(wire_name)
    shape: Json = {"type": "object", "title": name, "description": summary_of(schema)}
    shape["properties"] = properties
    if needed:
        shape["required"] = needed
    if closed:
        shape["additionalProperties"] = False
    return {**shape, **RULES.get(name, {})}


def _ack(schema: Schema, prefix: str) -> Json:
    shape = shape_of(schema, prefix, kind="ack", required=True)
    first, *rest = shape["properties"].items()
    reference = {**_field(RefField(), prefix), "description": MEANINGS["ref"]}
    shape["properties"] = dict([first, ("ref", reference), *rest])
    return shape


def _nested(schemas: Iterable[Schema]) -> Iterator[Schema]:
    for schema in schemas:
        for field in schema.fields.values():
            inner = field.inner if isinstance(field, fields.List) else field
            if isinstance(inner, fields.Nested):
                yield from _nested([inner.schema])
                yield inner.schema


# --- fields -------------------------------------------------------------------------------------


def _described(field: fields.Field[Any], shape: str, wire_name: str, prefix: str) -> Json:
    found = _field(field, prefix)
    if "$ref" in found:
        # draft-07 passes over whatever stands beside a reference.
        return found
    meaning = (
        MEANINGS.get(f"{shape}.{wire_name}")
        or field.metadata.get("description")
        or MEANINGS[wire_name]
    )
    return {**found, "description": meaning}


def _field(field: fields.Field[Any], prefix: str) -> Json:
    found = _kind(field, prefix)
    for rule in field.validators:
        found.update(_rule(rule, found))
    if "format" in field.metadata:
        found["format"] = field.metadata["format"]
    if isinstance(field, Text) and "enum" not in found:
        found["pattern"] = found.get("pattern", "^") + NO_NUL
    if field.allow_none:
        found["type"] = [found["type"], "null"]
    return found


def _kind(field: fields.Field[Any], prefix: str) -> Json:
    if isinstance(field, RefField):
        return {
            "type": ["string", "number"],
            "maxLength": limits.REF_MAX_CHARS,
            "minimum": -limits.INTEGER_MAX,
            "maximum": limits.INTEGER_MAX,
        }
    if isinstance(field, fields.String):
        return {"type": "string"}
    if isinstance(field, WholeNumber):
        return {"type": "integer"}
    if isinstance(field, fields.Boolean):
        return {"type": "boolean"}
    if isinstance(field, fields.List):
        return {"type": "array", "items": _field(field.inner, prefix)}
    if isinstance(field, fields.Nested):
        return {"$ref": prefix + name_of(field.schema)}
    if isinstance(field, fields.Dict) and field.value_field is not None:
        return {"type": "object", "additionalProperties": _field(field.value_field, prefix)}
    raise TypeError(f"no JSON Schema is known for {field!r}")


def _rule(rule: object, found: Json) -> Json:
    if isinstance(rule, validate.Length):
        low, high = ("minItems", "maxItems") if "items" in found else ("minLength", "maxLength")
        return _given({low: rule.min, high: rule.max})
    if isinstance(rule, validate.Range):
        return _given({"minimum": rule.min, "maximum": rule.max})
    if type(rule) is validate.OneOf:
        return {"enum": list(rule.choices)}
    if isinstance(rule, validate.Equal):
        return {"const": rule.comparable}
    if isinstance(rule, validate.Regexp):
        return {"pattern": rule.regex.pattern}
    if isinstance(rule, validate.URL):
        schemes = "|".join(
            "".join(f"[{letter.upper()}{letter}]" for letter in scheme)
            for scheme in sorted(rule.schemes)
        )
        return {"format": "uri", "pattern": f"^({schemes})://"}
    raise TypeError(f"no JSON Schema is known for the rule {rule!r}")


def _given(found: Mapping[str, Any]) -> Json:
    return {name: value for name, value in found.items() if value is not None}
