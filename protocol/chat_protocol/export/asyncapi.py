"""The AsyncAPI 3.0 document of both wires.

The application described is the server: a command is an operation that it receives, an event one
that it sends. The registry of errors, the close codes and the limits stand in it as `x-errors`,
`x-closeCodes` and `x-limits`, so that a client's library can be made from this one document.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from chat_protocol import limits
from chat_protocol.errors import CLOSE_CODES, REGISTRY
from chat_protocol.export import examples
from chat_protocol.export.json_schema import (
    EVENTS,
    Json,
    ack_names,
    definitions,
    name_of,
    raw_command,
    summary_of,
)
from chat_protocol.export.reference import NOT_YET_COMMANDS, NOT_YET_EVENTS
from chat_protocol.fields import camel_case
from chat_protocol.schemas import ACKS, COMMANDS, REPLIES

VERSION: Final = "1.0.0"
"""Of the protocol, the `v1` of the subprotocol `chat.v1`; not of the service."""

SHAPES: Final = "#/components/schemas/"

ABOUT: Final = """\
One protocol on two wires. On the raw WebSocket a text frame is one JSON object with a `type`. On
Socket.IO the event's name is that `type`, its one argument is the same object, and the answer of a
command is the native acknowledgement, whose one argument is the same `ack` or `error` object."""


def document(public_url: str) -> Json:
    """The document of a server that clients reach at `public_url` (http or https)."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "chat-gateway sockets",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(public_url),
        "channels": {
            "raw": _channel("raw", "/ws/chat", "The raw WebSocket.", _RAW_QUERY),
            "socketio": {
                **_channel("socketio", "/socket.io/", "Socket.IO, namespace `/`.", _SOCKETIO_QUERY),
                "x-auth": {"$ref": SHAPES + "Auth"},
            },
        },
        "operations": {**_operations("raw"), **_operations("socketio")},
        "components": {
            "schemas": definitions(SHAPES),
            "messages": _messages(),
            "securitySchemes": _SECURITY,
        },
        "x-errors": [
            {camel_case(name): value for name, value in dataclasses.asdict(spec).items()}
            for spec in REGISTRY.values()
        ],
        "x-closeCodes": {str(code): meaning for code, meaning in sorted(CLOSE_CODES.items())},
        "x-limits": dict(limits.TOLD_TO_CLIENTS),
    }


# --- servers and channels -----------------------------------------------------------------------

_SECURITY: Final[Json] = {
    "token": {
        "type": "httpApiKey",
        "name": "token",
        "in": "query",
        "description": "The access token; Socket.IO clients put it into `auth` instead.",
    },
    "ticket": {
        "type": "httpApiKey",
        "name": "ticket",
        "in": "query",
        "description": f"From `POST /api/tickets`: {limits.TICKET_LIFETIME_S} s, one use.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "`Authorization: Bearer`, where the client can set headers.",
    },
}

_OURS: Final[Json] = {
    "sessionId": {"type": "string", "description": "Join this session at once."},
    "token": {"type": "string", "description": "The access token."},
    "ticket": {"type": "string", "description": "A one-time ticket in place of a token."},
    "lastSeq": {
        "type": "integer",
        "minimum": 0,
        "maximum": limits.INTEGER_MAX,
        "description": "The last seq that the client has; all later events follow `joined`.",
    },
}
_RAW_QUERY: Final[Json] = {"type": "object", "properties": _OURS}
_SOCKETIO_QUERY: Final[Json] = {
    "type": "object",
    "required": ["EIO", "transport"],
    "properties": {
        "EIO": {"const": "4", "description": "The version of Engine.IO."},
        "transport": {"enum": ["polling", "websocket"]},
        **_OURS,
    },
}


def _servers(public_url: str) -> Json:
    url = urlsplit(public_url)
    at: Json = {"host": url.netloc, "protocol": "wss" if url.scheme == "https" else "ws"}
    if url.path.strip("/"):
        at["pathname"] = url.path.rstrip("/")
    security = [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY]
    return {
        "raw": {
            **at,
            "protocolVersion": "13",
            "description": "Plain WebSocket (RFC 6455), subprotocol `chat.v1` where one is asked.",
            "security": security,
        },
        "socketio": {
            **at,
            "protocolVersion": "Socket.IO 5, Engine.IO 4",
            "description": "Socket.IO, by WebSocket or HTTP long polling.",
            "security": security,
        },
    }


def _channel(wire: str, address: str, summary: str, query: Json) -> Json:
    prefix = "raw." if wire == "raw" else ""
    messages = {
        **{
            f"command.{kind}": {"$ref": f"#/components/messages/{prefix}command.{kind}"}
            for kind in COMMANDS
        },
        **{
            name: {"$ref": f"#/components/messages/{name}"}
            for name in (*(f"event.{kind}" for kind in EVENTS), "ack", *REPLIES)
        },
    }
    return {
        "address": address,
        "title": summary.rstrip("."),
        "summary": summary,
        "servers": [{"$ref": f"#/servers/{wire}"}],
        "messages": messages,
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
    }


# --- operations ---------------------------------------------------------------------------------


def _operations(wire: str) -> Json:
    channel = {"$ref": f"#/channels/{wire}"}

    def said(names: Iterable[str]) -> list[Json]:
        return [{"$ref": f"#/channels/{wire}/messages/{name}"} for name in names]

    operations: Json = {}
    for kind, schema in COMMANDS.items():
        operation: Json = {
            "action": "receive",
            "channel": channel,
            "summary": summary_of(schema),
            "messages": said([f"command.{kind}"]),
        }
        answer = "ack" if kind in ACKS else "pong" if kind == "ping" else None
        answers = [answer, "error"] if answer else ["error"]
        operation["reply"] = {"channel": channel, "messages": said(answers)}
        operations[f"{wire}.{kind}"] = operation
    operations[f"{wire}.events"] = {
        "action": "send",
        "channel": channel,
        "summary": "What the server says of itself; `error` stands before every 4xxx close.",
        "messages": said([*(f"event.{kind}" for kind in EVENTS), "error"]),
    }
    return operations


# --- messages -----------------------------------------------------------------------------------


def _messages() -> Json:
    found: Json = {}
    for kind, schema in COMMANDS.items():
        shown = {"title": name_of(schema), "summary": summary_of(schema)}
        if kind in NOT_YET_COMMANDS:
            shown["description"] = "Answered with `unsupported_command` so far."
        example = examples.COMMANDS[kind]
        nameless = {name: value for name, value in example.items() if name != "type"}
        found[f"raw.command.{kind}"] = _message(kind, raw_command(kind, SHAPES), [example], shown)
        found[f"command.{kind}"] = _message(
            kind, {"$ref": SHAPES + name_of(schema)}, [nameless], shown
        )
    for kind, said in {**EVENTS, **REPLIES}.items():
        shown = {"title": name_of(said), "summary": summary_of(said)}
        if kind in NOT_YET_EVENTS:
            shown["description"] = "Not said so far."
        example = {**examples.EVENTS, **examples.REPLIES}[kind]
        key = kind if kind in REPLIES else f"event.{kind}"
        found[key] = _message(kind, {"$ref": SHAPES + name_of(said)}, [example], shown)
    found["ack"] = _message(
        "ack",
        {"anyOf": [{"$ref": SHAPES + name} for name in ack_names()]},
        examples.ACKS.values(),
        {"title": "Ack", "summary": "A command was carried out."},
    )
    return found


def _message(
    name: str, payload: Json, shown_by: Iterable[Mapping[str, Any]], shown: Mapping[str, str]
) -> Json:
    return {
        "name": name,
        **shown,
        "contentType": "application/json",
        "payload": payload,
        "examples": [{"payload": dict(example)} for example in shown_by],
    }
