"""What the server says is exactly what its schemas describe."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chat_protocol import codec, events
from chat_protocol.export import json_schema
from chat_protocol.schemas import ACKS, DURABLE_EVENTS, EPHEMERAL_EVENTS, REPLIES
from tests.protocol.strategies import DURABLE, SAID, TEXT, obeying

SERVER_SAYS = Draft202012Validator(
    {**json_schema.document(), "anyOf": [{"$ref": "#/$defs/ServerSays"}]}
)
SHAPES = json_schema.definitions()


def assert_described(wire: dict[str, Any], schema: Any, kind: str) -> None:
    SERVER_SAYS.validate(wire)
    assert wire.pop("type") == kind
    loaded = schema.load(wire)
    assert len(loaded) == len(wire)


@given(DURABLE, st.integers(1, 2**53 - 1))
def test_a_durable_event_is_what_its_schema_loads(event: events.DurableEvent, seq: int) -> None:
    wire = json.loads(codec.encode_durable(event, seq))
    assert wire["seq"] == seq
    assert None not in wire.values()
    assert_described(wire, DURABLE_EVENTS[event.type], event.type)


@given(SAID)
def test_an_ephemeral_event_or_reply_is_what_its_schema_loads(said: Any) -> None:
    wire = json.loads(codec.encode(said))
    assert None not in wire.values()
    assert_described(wire, {**EPHEMERAL_EVENTS, **REPLIES}[said.type], said.type)


@given(st.sampled_from(sorted(ACKS)), st.data())
def test_an_ack_is_what_its_schema_loads(kind: str, data: st.DataObject) -> None:
    shape = SHAPES[json_schema.name_of(ACKS[kind])]
    carried = {name: field for name, field in shape["properties"].items() if name != "ref"}
    needed = [name for name in shape["required"] if name != "type"]
    if kind == "history":
        result: dict[str, Any] = {"messages": [], "hasMore": data.draw(st.booleans())}
    else:
        result = {
            name: "2026-11-24T09:30:00.000Z"
            if field.get("format") == "date-time"
            else data.draw(TEXT if field["type"] == "string" else obeying(field, SHAPES))
            for name, field in carried.items()
            if name in needed and name != "type"
        }
    ref = data.draw(st.none() | st.just("r") | st.just(3))
    wire = json.loads(codec.encode(events.Ack(ref=ref, result=result)))
    assert wire.pop("ref", None) == ref
    assert_described(wire, ACKS[kind], "ack")


@given(DURABLE)
def test_socketio_wraps_the_very_same_object(event: events.DurableEvent) -> None:
    encoded = codec.encode_durable(event, 7)
    packet = codec.socketio_event(event.type, encoded)
    assert packet.startswith(b"42")
    assert encoded in packet
    assert json.loads(packet[2:]) == [event.type, json.loads(encoded)]


@given(DURABLE)
def test_stored_events_stand_inside_a_list_as_they_were_encoded(
    event: events.DurableEvent,
) -> None:
    stored = [codec.encode_durable(event, seq) for seq in (1, 2)]
    value = codec.encode_value({"messages": codec.raw_list(stored), "one": codec.raw(stored[0])})
    assert json.loads(value) == {
        "messages": [json.loads(each) for each in stored],
        "one": json.loads(stored[0]),
    }
    assert codec.encode_value(codec.raw_list([])) == b"[]"


@given(DURABLE)
def test_an_encoded_event_can_be_read_by_the_strict_reader(event: events.DurableEvent) -> None:
    encoded = codec.encode_durable(event, 7)
    assert codec.loads(encoded) == json.loads(encoded)
