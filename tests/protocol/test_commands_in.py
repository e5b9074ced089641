"""A client's words become a command or a refusal, never anything else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from chat_protocol import codec, limits
from chat_protocol.commands import Command, Ping, SendMessage
from chat_protocol.errors import ProtocolError
from chat_protocol.export.json_schema import definitions, name_of
from chat_protocol.schemas import COMMANDS, REPLIES
from tests.protocol.strategies import JSON_TEXTS, SOUP, VALUES, as_text, obeying

REFUSAL_MAX_BYTES = 16 * 1024

SHAPES = definitions()
GOOD = st.sampled_from(sorted(COMMANDS)).flatmap(
    lambda kind: obeying(SHAPES[name_of(COMMANDS[kind])], SHAPES).map(
        lambda value: {**value, "type": kind}
    )
)


def assert_command_or_refusal(decode: Any, said: Any) -> None:
    try:
        command = decode(said)
    except ProtocolError as refusal:
        told = codec.encode(codec.error_of(refusal))
        assert len(told) < REFUSAL_MAX_BYTES
        wire = json.loads(told)
        assert wire.pop("type") == "error"
        REPLIES["error"].load(wire)
    else:
        assert isinstance(command, Command)
        assert COMMANDS[command.type].command is type(command)


def refusal_of(said: str | bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as refused:
        codec.decode_raw(said)
    return refused.value


# --- anything at all ----------------------------------------------------------------------------


@given(st.binary(max_size=80) | st.text(st.characters(), max_size=80) | JSON_TEXTS | SOUP)
def test_any_text_or_bytes_are_a_command_or_a_refusal(said: str | bytes) -> None:
    assert_command_or_refusal(codec.decode_raw, said)


@given(st.sampled_from([*COMMANDS, "connect", "ack", ""]), st.dictionaries(st.text(), VALUES))
def test_any_object_with_a_type_is_a_command_or_a_refusal(kind: str, value: dict[str, Any]) -> None:
    assert_command_or_refusal(codec.decode_raw, json.dumps({**value, "type": kind}))
    assert_command_or_refusal(codec.decode_socketio, [kind, dict(value)])


@given(st.lists(VALUES | st.sampled_from(sorted(COMMANDS)), max_size=4) | VALUES)
def test_any_socketio_payload_is_a_command_or_a_refusal(arguments: Any) -> None:
    assert_command_or_refusal(codec.decode_socketio, arguments)


@given(GOOD, st.data())
def test_a_good_command_with_one_field_turned_bad_is_a_command_or_a_refusal(
    value: dict[str, Any], data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(sorted(value)))
    assert_command_or_refusal(codec.decode_raw, json.dumps({**value, field: data.draw(VALUES)}))


# --- good commands ------------------------------------------------------------------------------


@given(GOOD)
def test_a_command_comes_back_from_its_wire_object_unchanged(value: dict[str, Any]) -> None:
    command = codec.decode_raw(as_text(value))
    assert command.type == value["type"]
    again = codec.decode_raw(codec.encode_value(codec.to_wire(command)))
    assert again == command


@given(GOOD)
def test_both_wires_and_both_forms_of_text_make_the_same_command(value: dict[str, Any]) -> None:
    text = as_text(value)
    command = codec.decode_raw(text)
    assert codec.decode_raw(text.encode()) == command
    assert codec.decode_raw(json.dumps(value)) == command
    kind = value["type"]
    nameless = {name: field for name, field in value.items() if name != "type"}
    assert codec.decode_socketio([kind, dict(value)]) == command
    assert codec.decode_socketio([kind, nameless]) == command


@given(GOOD | st.fixed_dictionaries({"content": VALUES}, optional={"ref": VALUES, "x": VALUES}))
def test_the_shortcut_for_messages_takes_and_refuses_just_what_the_schema_does(
    value: dict[str, Any],
) -> None:
    fields = {name: field for name, field in value.items() if name != "type"}
    try:
        wanted = COMMANDS["message"].load(dict(fields))
    except ValidationError:
        with pytest.raises(ProtocolError):
            codec.load_command("message", dict(fields))
    else:
        assert codec.load_command("message", dict(fields)) == wanted


def test_the_shortest_message_and_a_full_one_are_read() -> None:
    assert codec.decode_raw('{"type":"message","content":"테스트 메시지"}') == SendMessage(
        content="테스트 메시지"
    )
    full = codec.decode_raw(
        '{"type":"message","sessionId":"s","content":"x","clientMessageId":"k","replyTo":"r",'
        '"mentions":["a"],"attachments":[{"url":"https://x.io/a","sizeBytes":3}],"ref":1.5}'
    )
    assert isinstance(full, SendMessage)
    assert (full.session_id, full.client_message_id, full.reply_to) == ("s", "k", "r")
    assert (full.mentions, full.attachments[0].size_bytes, full.ref) == (("a",), 3, 1.5)


def test_a_socketio_event_without_an_object_is_a_command_without_fields() -> None:
    assert codec.decode_socketio(["ping"]) == Ping()


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code", "at_fault"),
    [
        ("", "bad_request", None),
        ("{", "bad_request", None),
        ("[]", "bad_request", None),
        ('"message"', "bad_request", None),
        ("null", "bad_request", None),
        (b"\xff\xfe", "bad_request", None),
        (b'{"type":"ping","ref":"\xed\xa0\x80"}', "bad_request", None),
        ('{"type":"ping","ref":"\\ud800"}', "bad_request", None),
        ('{"type":"ping","ref":"\ud800"}', "bad_request", None),
        ('\ufeff{"type":"ping"}', "bad_request", None),
        ("{}", "bad_request", "type"),
        ('{"type":null}', "bad_request", "type"),
        ('{"type":["message"]}', "bad_request", "type"),
        ('{"type":"nonsense"}', "unknown_type", None),
        ('{"type":"__class__"}', "unknown_type", None),
        ('{"type":"message"}', "validation_failed", "content"),
        ('{"type":"message","content":""}', "validation_failed", "content"),
        ('{"type":"message","content":null}', "validation_failed", "content"),
        ('{"type":"message","content":{"$ne":null}}', "validation_failed", "content"),
        ('{"type":"message","content":7}', "validation_failed", "content"),
        ('{"type":"message","content":"\\u0000"}', "validation_failed", "content"),
        ('{"type":"message","content":"x","sessionId":""}', "validation_failed", "sessionId"),
        ('{"type":"message","content":"x","mentions":"a"}', "validation_failed", "mentions"),
        ('{"type":"message","content":"x","mentions":{"a":1}}', "validation_failed", "mentions"),
        ('{"type":"message","content":"x","mentions":[1]}', "validation_failed", "mentions.0"),
        (
            '{"type":"message","content":"x","attachments":[{"url":"javascript:1"}]}',
            "validation_failed",
            "attachments.0.url",
        ),
        (
            '{"type":"message","content":"x","attachments":[{"url":"http://a.io","x":1}]}',
            "validation_failed",
            "attachments.0.x",
        ),
        ('{"type":"message","content":"x","attachments":[1]}', "validation_failed", None),
        ('{"type":"message","content":"x","colour":1}', "validation_failed", "colour"),
        ('{"type":"message","content":"x","client_message_id":"k"}', "validation_failed", None),
        ('{"type":"read","seq":"7"}', "validation_failed", "seq"),
        ('{"type":"read","seq":true}', "validation_failed", "seq"),
        ('{"type":"read","seq":7.0}', "validation_failed", "seq"),
        ('{"type":"read","seq":-1}', "validation_failed", "seq"),
        ('{"type":"history","limit":0}', "validation_failed", "limit"),
        ('{"type":"history","limit":201}', "validation_failed", "limit"),
        ('{"type":"history","before":9,"after":1}', "validation_failed", "after"),
        ('{"type":"typing","isTyping":"true"}', "validation_failed", "isTyping"),
        ('{"type":"typing","isTyping":1}', "validation_failed", "isTyping"),
        ('{"type":"join"}', "validation_failed", "sessionId"),
        ('{"type":"ping","ref":{}}', "validation_failed", "ref"),
    ],
)
def test_bad_input_is_refused_with_its_code_and_the_field_at_fault(
    said: str | bytes, code: str, at_fault: str | None
) -> None:
    refusal = refusal_of(said)
    assert refusal.code == code
    if at_fault is not None:
        assert refusal.details is not None
        assert at_fault in refusal.details


def test_an_unknown_type_is_answered_with_the_types_there_are() -> None:
    message = refusal_of('{"type":"nonsense"}').message
    assert all(kind in message for kind in COMMANDS)


def test_all_unknown_fields_are_named_at_once() -> None:
    details = refusal_of('{"type":"ping","x":1,"y":2}').details
    assert details == {"x": ["Unknown field."], "y": ["Unknown field."]}


def test_ten_thousand_unknown_fields_with_long_names_make_a_short_refusal() -> None:
    fields = ",".join(f'"{number}{"x" * 500}":1' for number in range(100))
    many = ",".join(f'"{number}":1' for number in range(7000))
    for said in (fields, many):
        refusal = refusal_of(f'{{"type":"ping",{said}}}')
        assert refusal.details is not None
        assert len(refusal.details) == limits.DETAILS_MAX
        assert len(codec.encode(codec.error_of(refusal))) < REFUSAL_MAX_BYTES


# --- ref ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ref", [0, 1, -7, 1.5, "", "a", "한" * limits.REF_MAX_CHARS])
def test_a_ref_comes_back_in_the_command_and_in_every_refusal_that_could_read_it(
    ref: str | float,
) -> None:
    written = json.dumps(ref)
    assert codec.decode_raw(f'{{"type":"ping","ref":{written}}}').ref == ref
    for rest in (
        '"type":"nonsense"',
        '"type":"message"',
        '"type":1',
        '"x":1',
        '"type":"ping","x":1',
    ):
        assert refusal_of(f'{{{rest},"ref":{written}}}').ref == ref


@pytest.mark.parametrize("ref", ["null", "true", "[1]", "{}", '"' + "x" * 65 + '"'])
def test_a_ref_of_another_kind_is_refused_and_not_echoed(ref: str) -> None:
    refusal = refusal_of(f'{{"type":"ping","ref":{ref}}}')
    assert (refusal.code, refusal.ref) == ("validation_failed", None)
    assert "ref" in (refusal.details or {})


@pytest.mark.parametrize("ref", [2**53, -(2**53), float("nan"), float("inf"), "\ud800"])
def test_a_ref_that_no_answer_could_carry_is_not_echoed(ref: str | float) -> None:
    with pytest.raises(ProtocolError) as refused:
        codec.decode_socketio(["ping", {"ref": ref}])
    assert refused.value.ref is None


# --- Socket.IO ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "bad_request"),
        (None, "bad_request"),
        ({}, "bad_request"),
        ("ping", "bad_request"),
        ([1, {}], "bad_request"),
        (["ping", {}, {}], "bad_request"),
        (["ping", None], "bad_request"),
        (["ping", "text"], "bad_request"),
        (["ping", [{}]], "bad_request"),
        (["ping", b"blob"], "bad_request"),
        (["ping", {"type": "message"}], "bad_request"),
        (["ping", {"type": None}], "bad_request"),
        (["connect", {}], "unknown_type"),
        (["disconnect"], "unknown_type"),
        (["message", {}], "validation_failed"),
        (["message", {"content": b"blob"}], "validation_failed"),
        (["ping", {1: 2}], "validation_failed"),
    ],
)
def test_other_socketio_payloads_are_refused(arguments: Any, code: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        codec.decode_socketio(arguments)
    assert refused.value.code == code


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "most"),
    [
        ('{"type":"message","content":"%s"}', limits.CONTENT_MAX_CHARS),
        (
            '{"type":"message","content":"x","clientMessageId":"%s"}',
            limits.CLIENT_MESSAGE_ID_MAX_CHARS,
        ),
        ('{"type":"message","content":"x","replyTo":"%s"}', limits.ID_MAX_CHARS),
        ('{"type":"ping","ref":"%s"}', limits.REF_MAX_CHARS),
        ('{"type":"authenticate","token":"%s"}', limits.TOKEN_MAX_CHARS),
        ('{"type":"react","messageId":"m","emoji":"%s"}', limits.EMOJI_MAX_CHARS),
    ],
)
@pytest.mark.parametrize("character", ["x", "한", "👍"])
def test_text_is_taken_to_its_limit_in_characters_and_refused_past_it(
    template: str, most: int, character: str
) -> None:
    codec.decode_raw(template % (character * most))
    assert refusal_of(template % (character * (most + 1))).code == "validation_failed"


@pytest.mark.parametrize(
    ("template", "item", "most"),
    [
        ('{"type":"message","content":"x","mentions":[%s]}', '"a"', limits.MENTIONS_MAX),
        (
            '{"type":"message","content":"x","attachments":[%s]}',
            '{"url":"http://a.io"}',
            limits.ATTACHMENTS_MAX,
        ),
    ],
)
def test_lists_are_taken_to_their_limit_and_refused_past_it(
    template: str, item: str, most: int
) -> None:
    codec.decode_raw(template % ",".join([item] * most))
    assert refusal_of(template % ",".join([item] * (most + 1))).code == "validation_failed"


def test_a_text_that_is_too_long_is_not_looked_at_any_further() -> None:
    text = '{"type":"message","content":"x","attachments":[{"url":"http://%s!"}]}' % ("a." * 20_000)
    assert refusal_of(text).details == {
        "attachments.0.url": [f"Longer than maximum length {limits.URL_MAX_CHARS}."]
    }
