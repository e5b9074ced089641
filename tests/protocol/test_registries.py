"""What must hold between the registries of the wire."""

import dataclasses
import re
from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any

import pytest
from marshmallow import Schema, fields

from chat_protocol import commands, events, limits
from chat_protocol.connecting import AuthSchema
from chat_protocol.errors import CLOSE_CODES, REGISTRY, ErrorSpec, ProtocolError
from chat_protocol.fields import camel_case
from chat_protocol.schemas import ACKS, COMMANDS, DURABLE_EVENTS, EPHEMERAL_EVENTS, REPLIES

CODES = list(REGISTRY.values())


@pytest.mark.parametrize("error", CODES, ids=lambda error: error.code)
def test_a_close_code_tells_by_its_range_whether_to_come_back(error: ErrorSpec) -> None:
    if error.close_code is not None and error.close_code >= 4000:
        assert (4000 <= error.close_code <= 4499) == error.retryable
        assert 4000 <= error.close_code <= 4999
        assert error.close_code in CLOSE_CODES
    elif error.close_code is not None:
        assert not error.retryable


@pytest.mark.parametrize("error", CODES, ids=lambda error: error.code)
def test_an_error_has_a_snake_case_name_a_sentence_and_an_http_error(error: ErrorSpec) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert error.message.endswith(".")
    assert HTTPStatus(error.http_status).value >= 400


def test_the_codes_that_clients_were_promised_stand() -> None:
    promised = {
        "token_expired": (401, 4001),
        "slow_consumer": (503, 4008),
        "server_draining": (503, 4012),
        "rate_limited": (429, 4029),
        "bad_request": (400, 4500),
        "invalid_token": (401, 4501),
        "not_a_member": (403, 4503),
        "session_not_found": (404, 4504),
        "too_many_connections": (429, 4505),
        "too_many_errors": (400, 4509),
        "unsupported_data": (415, 1003),
        "payload_too_large": (413, 1009),
        "idempotency_conflict": (409, None),
    }
    found = {code: (REGISTRY[code].http_status, REGISTRY[code].close_code) for code in promised}
    assert found == promised


def test_every_close_code_has_a_meaning_and_every_4xxx_one_an_error_before_it() -> None:
    assert {code for code in CLOSE_CODES if code >= 4000} == {
        spec.close_code for spec in CODES if spec.close_code is not None and spec.close_code >= 4000
    }
    assert all(meaning.endswith(".") for meaning in CLOSE_CODES.values())


def test_a_refusal_keeps_what_it_says_when_it_answers_a_command() -> None:
    refusal = ProtocolError("rate_limited", "Slow.", details={"a": ["b"]}, retry_after_ms=5)
    answered = refusal.with_ref(7)
    assert (answered.code, answered.message, answered.details, answered.retry_after_ms) == (
        "rate_limited",
        "Slow.",
        {"a": ["b"]},
        5,
    )
    assert (refusal.ref, answered.ref) == (None, 7)
    with pytest.raises(KeyError):
        ProtocolError("no_such_code")


def _types_below(base: type[Any]) -> set[str]:
    found: set[str] = set()
    for each in base.__subclasses__():
        if isinstance(each.__dict__.get("type"), str):
            found.add(each.type)
        found |= _types_below(each)
    return found


def test_every_command_and_durable_event_is_in_its_registry() -> None:
    assert _types_below(commands.Command) == set(COMMANDS)
    assert _types_below(events.DurableEvent) == set(DURABLE_EVENTS)


def test_no_type_means_two_things_to_a_client() -> None:
    said = [*DURABLE_EVENTS, *EPHEMERAL_EVENTS, *REPLIES, "ack"]
    assert len(said) == len(set(said))
    assert "connect" not in said
    assert "disconnect" not in said


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_command_schema_has_the_fields_of_its_dataclass(kind: str) -> None:
    schema = COMMANDS[kind]
    assert set(schema.fields) == {field.name for field in dataclasses.fields(schema.command)}
    needed = {name for name, field in schema.fields.items() if field.required}
    assert needed == {
        field.name
        for field in dataclasses.fields(schema.command)
        if field.default is dataclasses.MISSING
    }


def _all_fields(schema: Schema) -> Iterator[fields.Field[object]]:
    for field in schema.fields.values():
        yield field
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from _all_fields(inner.schema)


def test_every_name_on_the_wire_is_camel_case() -> None:
    schemas = chain(
        COMMANDS.values(),
        DURABLE_EVENTS.values(),
        EPHEMERAL_EVENTS.values(),
        REPLIES.values(),
        ACKS.values(),
        [AuthSchema()],
    )
    names = {str(field.data_key) for schema in schemas for field in _all_fields(schema)}
    assert len(names) > 40
    for name in [*names, *limits.TOLD_TO_CLIENTS]:
        assert re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", name)


def test_camel_case_is_made_from_python_names() -> None:
    made = {name: camel_case(name) for name in ("seq", "client_message_id", "is_typing")}
    assert made == {
        "seq": "seq",
        "client_message_id": "clientMessageId",
        "is_typing": "isTyping",
    }


def test_the_limits_fit_into_each_other() -> None:
    # A character is at most 12 bytes in JSON (an escaped surrogate pair).
    assert limits.CONTENT_MAX_CHARS * 12 < limits.FRAME_MAX_BYTES
    assert limits.HISTORY_LIMIT_DEFAULT <= limits.HISTORY_LIMIT_MAX
    assert limits.MESSAGES_PER_SECOND <= limits.MESSAGES_BURST
    assert limits.INTEGER_MAX == 2**53 - 1
