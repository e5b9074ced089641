"""The AsyncAPI document is valid, complete and true."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from chat_protocol.errors import CLOSE_CODES, REGISTRY
from chat_protocol.export import asyncapi
from chat_protocol.export.reference import NOT_YET_COMMANDS
from chat_protocol.schemas import ACKS, COMMANDS, DURABLE_EVENTS, EPHEMERAL_EVENTS, REPLIES

OFFICIAL = Path(__file__).parent / "data" / "asyncapi-3.0.0.schema.json"
DOCUMENT = asyncapi.document("http://localhost:8080")
MESSAGES = DOCUMENT["components"]["messages"]


@cache
def official() -> Draft7Validator:
    return Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def at(reference: str) -> Any:
    value: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    return value


@pytest.mark.parametrize(
    "public_url", ["http://localhost:8080", "https://chat.example.com", "https://a.io/chat/"]
)
def test_the_document_is_valid_asyncapi(public_url: str) -> None:
    official().validate(asyncapi.document(public_url))


def test_the_official_schema_does_refuse_what_is_not_asyncapi() -> None:
    broken = asyncapi.document("http://localhost:8080")
    del broken["operations"]["raw.message"]["action"]
    assert not official().is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > 50
    for reference in found:
        assert at(reference)


def test_every_embedded_schema_is_valid_json_schema() -> None:
    for shape in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(shape)
        Draft7Validator.check_schema(shape)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_example_obeys_its_payload(name: str) -> None:
    message = MESSAGES[name]
    validator = Draft202012Validator(
        {"components": DOCUMENT["components"], "allOf": [message["payload"]]}
    )
    assert message["examples"]
    for example in message["examples"]:
        validator.validate(example["payload"])


@pytest.mark.parametrize("wire", ["raw", "socketio"])
def test_both_channels_carry_every_command_event_and_reply(wire: str) -> None:
    said = {f"event.{kind}" for kind in (*DURABLE_EVENTS, *EPHEMERAL_EVENTS)}
    asked = {f"command.{kind}" for kind in COMMANDS}
    assert set(DOCUMENT["channels"][wire]["messages"]) == said | asked | {"ack", *REPLIES}


@pytest.mark.parametrize("wire", ["raw", "socketio"])
def test_every_command_is_an_operation_with_its_replies(wire: str) -> None:
    operations = DOCUMENT["operations"]
    for kind in COMMANDS:
        operation = operations[f"{wire}.{kind}"]
        assert operation["action"] == "receive"
        replies = {at(each["$ref"])["$ref"] for each in operation["reply"]["messages"]}
        assert "#/components/messages/error" in replies
        assert ("#/components/messages/ack" in replies) == (kind in ACKS)
        assert ("#/components/messages/pong" in replies) == (kind == "ping")
    assert operations[f"{wire}.events"]["action"] == "send"


def test_a_raw_command_has_its_type_in_the_object_and_a_socketio_one_in_the_name() -> None:
    for kind in COMMANDS:
        raw = at(DOCUMENT["channels"]["raw"]["messages"][f"command.{kind}"]["$ref"])
        socketio = at(DOCUMENT["channels"]["socketio"]["messages"][f"command.{kind}"]["$ref"])
        assert raw["name"] == socketio["name"] == kind
        assert raw["examples"][0]["payload"]["type"] == kind
        assert "type" not in socketio["examples"][0]["payload"]


def test_the_query_of_both_channels_names_what_a_client_may_say() -> None:
    ours = {"sessionId", "token", "ticket", "lastSeq"}
    queries = {
        wire: set(channel["bindings"]["ws"]["query"]["properties"])
        for wire, channel in DOCUMENT["channels"].items()
    }
    assert queries == {"raw": ours, "socketio": ours | {"EIO", "transport"}}
    assert DOCUMENT["channels"]["raw"]["address"] == "/ws/chat"
    assert DOCUMENT["channels"]["socketio"]["address"] == "/socket.io/"


def test_the_servers_are_where_the_public_url_says() -> None:
    plain = asyncapi.document("http://localhost:8080")["servers"]["raw"]
    assert (plain["protocol"], plain["host"]) == ("ws", "localhost:8080")
    below = asyncapi.document("https://a.io/chat/")["servers"]["socketio"]
    assert (below["protocol"], below["host"], below["pathname"]) == ("wss", "a.io", "/chat")


def test_errors_and_close_codes_stand_in_the_document() -> None:
    errors = {error["code"]: error for error in DOCUMENT["x-errors"]}
    assert set(errors) == set(REGISTRY)
    assert errors["token_expired"] == {
        "code": "token_expired",
        "httpStatus": 401,
        "closeCode": 4001,
        "retryable": True,
        "message": REGISTRY["token_expired"].message,
    }
    assert {int(code) for code in DOCUMENT["x-closeCodes"]} == set(CLOSE_CODES)


def test_a_command_that_is_not_there_yet_says_so() -> None:
    for kind in COMMANDS:
        assert ("description" in MESSAGES[f"command.{kind}"]) == (kind in NOT_YET_COMMANDS)
