"""The JSON Schema says the same as the schemas that the server checks with."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from marshmallow import fields, validate

from chat_protocol import codec
from chat_protocol.connecting import AuthSchema
from chat_protocol.errors import ProtocolError
from chat_protocol.export import examples, json_schema
from chat_protocol.fields import WireSchema
from chat_protocol.schemas import ACKS, COMMANDS
from tests.protocol.strategies import VALUES, obeying

DOCUMENT = json_schema.document()
SHAPES = json_schema.definitions()
DIALECTS = [Draft202012Validator, Draft7Validator]


def direction(name: str, dialect: Any = Draft202012Validator) -> Any:
    # draft-07 passes over what stands beside `$ref`, so the choice is wrapped.
    return dialect({**DOCUMENT, "anyOf": [{"$ref": f"#/$defs/{name}"}]})


CLIENT_SAYS = direction("ClientSays")
SERVER_SAYS = direction("ServerSays")
KINDS = st.sampled_from(sorted(COMMANDS))
EDGES = st.sampled_from(
    ["", "x", "x" * 64, "x" * 65, "x" * 2049, "x" * 4000, "x" * 4001, "\x00", "a\nb", "ftp://x.io"]
)


def taken(value: dict[str, Any]) -> bool:
    try:
        codec.decode_raw(json.dumps(value))
    except ProtocolError:
        return False
    return True


def _is_whole_float(value: Any) -> bool:
    """JSON Schema takes 7.0 for an integer; the server, which wants 7, does not."""
    if isinstance(value, dict):
        return any(_is_whole_float(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_is_whole_float(inner) for inner in value)
    return isinstance(value, float) and value.is_integer()


OTHER_VALUES = (VALUES | EDGES | st.lists(EDGES, max_size=55)).filter(
    lambda value: not _is_whole_float(value)
)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_document_and_each_shape_are_valid_json_schema(dialect: Any) -> None:
    dialect.check_schema(DOCUMENT)
    for shape in SHAPES.values():
        dialect.check_schema(shape)


@given(KINDS, st.data())
def test_what_the_schema_allows_the_server_takes(kind: str, data: st.DataObject) -> None:
    shape = SHAPES[json_schema.name_of(COMMANDS[kind])]
    value = {**data.draw(obeying(shape, SHAPES)), "type": kind}
    CLIENT_SAYS.validate(value)
    assert taken(value)


@given(KINDS, st.data())
def test_schema_and_server_agree_on_commands_with_a_field_changed(
    kind: str, data: st.DataObject
) -> None:
    shape = SHAPES[json_schema.name_of(COMMANDS[kind])]
    value = {**data.draw(obeying(shape, SHAPES)), "type": kind}
    field = data.draw(st.sampled_from([*shape["properties"], "unknown"]))
    if data.draw(st.booleans()):
        value[field] = data.draw(OTHER_VALUES)
    else:
        value.pop(field, None)
    assert CLIENT_SAYS.is_valid(value) == taken(value)


@given(st.data())
def test_schema_and_server_agree_on_attachments(data: st.DataObject) -> None:
    shape = SHAPES["Attachment"]
    attachment = data.draw(obeying(shape, SHAPES))
    field = data.draw(st.sampled_from([*shape["properties"], "unknown"]))
    attachment[field] = data.draw(OTHER_VALUES)
    value = {"type": "message", "content": "x", "attachments": [attachment]}
    assert CLIENT_SAYS.is_valid(value) == taken(value)


@given(st.data())
def test_schema_and_server_agree_on_the_auth_object(data: st.DataObject) -> None:
    auth = {
        name: value
        for name in ("token", "ticket", "sessionId", "lastSeq", "unknown")
        if (value := data.draw(st.none() | OTHER_VALUES)) is not None or data.draw(st.booleans())
    }
    assert Draft202012Validator(SHAPES["Auth"]).is_valid(auth) == (not AuthSchema().validate(auth))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_example_obeys_the_schema_in_its_direction(dialect: Any) -> None:
    for example in examples.COMMANDS.values():
        direction("ClientSays", dialect).validate(example)
    for group in (examples.EVENTS, examples.ACKS, examples.REPLIES):
        for example in group.values():
            direction("ServerSays", dialect).validate(example)


def test_a_raw_command_needs_its_type_and_a_socketio_one_does_not() -> None:
    command = {"content": "x"}
    assert not CLIENT_SAYS.is_valid(command)
    assert Draft202012Validator(SHAPES["SendMessage"]).is_valid(command)
    assert not Draft202012Validator(SHAPES["SendMessage"]).is_valid({**command, "type": "edit"})


def test_an_event_of_a_later_server_with_more_fields_is_still_valid() -> None:
    for example in examples.EVENTS.values():
        SERVER_SAYS.validate({**example, "fromTheFuture": 1})


def test_every_field_has_a_meaning_and_every_shape_a_summary() -> None:
    for name, shape in SHAPES.items():
        assert shape["description"], name
        for field, described in shape["properties"].items():
            assert "$ref" in described or described["description"], f"{name}.{field}"


def test_every_ack_of_a_command_has_a_shape() -> None:
    assert {json_schema.name_of(schema) for schema in ACKS.values()} == set(json_schema.ack_names())
    assert set(ACKS) == set(COMMANDS) - {"typing", "ping"}


def test_a_rule_that_json_schema_is_not_told_of_is_an_error() -> None:
    class Odd(WireSchema):
        """A shape with a rule that the export does not know."""

        name = fields.String(validate=validate.ContainsOnly("ab"))

    with pytest.raises(TypeError, match="ContainsOnly"):
        json_schema.shape_of(Odd(), json_schema.STANDALONE)
