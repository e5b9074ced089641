"""docs/protocol.md: its examples are true, and nothing that a client can meet is missing."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from chat_gateway.handlers import dispatch
from chat_protocol import codec, commands
from chat_protocol.connecting import AuthSchema
from chat_protocol.errors import CLOSE_CODES, REGISTRY
from chat_protocol.export import examples, json_schema
from chat_protocol.export.reference import NOT_YET_COMMANDS, NOT_YET_EVENTS
from chat_protocol.schemas import ACKS, COMMANDS, DURABLE_EVENTS, EPHEMERAL_EVENTS, REPLIES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
EVENTS = {**DURABLE_EVENTS, **EPHEMERAL_EVENTS}
SERVER_SAYS = Draft202012Validator(
    {**json_schema.document(), "anyOf": [{"$ref": "#/$defs/ServerSays"}]}
)

_FENCE = re.compile(r"(?:<!-- (?P<what>[^\n]+?) -->\n)?```json\n(?P<text>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A fenced JSON block, and what the comment above it says it is: `command join`."""

    what: str
    text: str

    @property
    def kind(self) -> str:
        return self.what.partition(" ")[2]


EXAMPLES = [Example(match["what"] or "", match["text"]) for match in _FENCE.finditer(PAGE)]


def headings(level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", PAGE, re.MULTILINE)


def table_after(heading: str) -> list[list[str]]:
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [row.split(" | ") for row in rows[2:]]


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{n}-{example.what}" for n, example in enumerate(EXAMPLES)]
)
def test_every_example_is_what_it_says_it_is(example: Example) -> None:
    role = example.what.partition(" ")[0]
    wire = codec.loads(example.text)
    if role == "command":
        assert codec.decode_raw(example.text).type == example.kind
        return
    if role == "auth":
        AuthSchema().load(wire)
        return
    SERVER_SAYS.validate(wire)
    schema = {"event": EVENTS, "ack": ACKS, "reply": REPLIES}[role][example.kind]
    assert wire.pop("type") == ("ack" if role == "ack" else example.kind)
    if role == "ack":
        del wire["ref"]
    assert len(schema.load(wire)) == len(wire)


def test_every_command_event_ack_and_reply_has_an_example() -> None:
    shown = {example.what for example in EXAMPLES}
    wanted = {
        *(f"command {kind}" for kind in COMMANDS),
        *(f"ack {kind}" for kind in ACKS),
        *(f"event {kind}" for kind in EVENTS),
        *(f"reply {kind}" for kind in REPLIES),
    }
    assert wanted <= shown


def test_every_command_event_and_reply_has_a_heading_of_its_own() -> None:
    assert set(COMMANDS) | set(REPLIES) <= set(headings(3))
    assert {heading.removesuffix(" (event)") for heading in headings(4)} == set(EVENTS)


def test_the_table_of_errors_has_every_code_with_what_the_registry_says() -> None:
    rows = {re.sub(r".*`(.+)`", r"\1", row[0]): row[1:] for row in table_after("Errors")}
    assert list(rows) == list(REGISTRY)
    for spec in REGISTRY.values():
        close = str(spec.close_code or "")
        retry = "yes" if spec.retryable else "no"
        assert rows[spec.code] == [str(spec.http_status), close, retry, spec.message]
        assert f'<a id="error-{spec.code}"></a>' in PAGE


def test_the_table_of_close_codes_has_every_code_and_tells_by_its_range_what_to_do() -> None:
    rows = {int(row[0]): row[1:] for row in table_after("Close codes and reconnecting")}
    assert set(rows) == set(CLOSE_CODES)
    for code, (meaning, reconnect, errors) in rows.items():
        assert meaning == CLOSE_CODES[code]
        if code >= 4000:
            assert reconnect.startswith("yes" if code < 4500 else "no")
            assert set(re.findall(r"`(\w+)`", errors)) == {
                spec.code for spec in REGISTRY.values() if spec.close_code == code
            }


def test_every_link_inside_the_page_leads_to_a_heading() -> None:
    slugs = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for level in (2, 3, 4)
        for heading in headings(level)
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert len(links) > 10
    assert links <= slugs


def test_every_file_that_the_page_links_to_is_there() -> None:
    for path in re.findall(r"\]\((?!#|http)([^)#]+)", PAGE):
        assert (ROOT / "docs" / path).exists(), path


def test_what_the_page_says_is_not_there_yet_is_just_what_the_service_does_not_do() -> None:
    done = {commands.SendMessage.type, commands.Authenticate.type, commands.Ping.type}
    done |= {command.type for command in dispatch._USE_CASES}
    assert set(COMMANDS) - done == NOT_YET_COMMANDS
    for kind in COMMANDS:
        entry = PAGE.partition(f"\n### {kind}\n")[2].partition("<!-- generated")[0]
        assert ("Not in this version" in entry) == (kind in NOT_YET_COMMANDS), kind
    for kind in EVENTS:
        entry = re.split(rf"\n#### {re.escape(kind)}(?: \(event\))?\n", PAGE)[1]
        entry = entry.partition("<!-- generated")[0]
        assert ("Not said in this version" in entry) == (kind in NOT_YET_EVENTS), kind


def test_the_examples_tell_one_story() -> None:
    """An ack answers the command beside it: the same ref, and the seq of the event it made."""
    for kind, ack in examples.ACKS.items():
        assert ack["ref"] == examples.COMMANDS[kind]["ref"]
    sent, ack, event = (
        group["message"] for group in (examples.COMMANDS, examples.ACKS, examples.EVENTS)
    )
    assert (ack["seq"], ack["id"]) == (event["seq"], event["id"])
    assert sent["clientMessageId"] == event["clientMessageId"]
    assert json.dumps(sent["content"]) == json.dumps(event["content"])
