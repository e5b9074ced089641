"""The page of the socket protocol: commands, events, errors, close codes and limits.

Made from the schemas and registries, so it cannot say anything else than the server does. Problem
details of REST link to the rows of its table of errors (`#error-…`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from marshmallow import Schema

from chat_gateway.transports.docs.layout import Page
from chat_gateway.transports.docs.markup import (
    Html,
    code,
    heading,
    join,
    json_listing,
    link,
    listing,
    paragraph,
    prose,
    table,
)
from chat_protocol.export import examples, reference
from chat_protocol.export.json_schema import summary_of
from chat_protocol.export.reference import FieldRow
from chat_protocol.schemas import ACKS, COMMANDS, DURABLE_EVENTS, EPHEMERAL_EVENTS, REPLIES

_NOT_YET: Final = "not in this version"

_PROMISES: Final = (
    ("Durable", "An acknowledged message is stored. A crash the instant after loses nothing."),
    (
        "Exactly once",
        "A message with a `clientMessageId` is one message, however often it is sent.",
    ),
    ("Ordered", "Events of a session arrive in the order of `seq`, without a hole or a repeat."),
    ("Resumable", "Join with the last `seq` you have, and every later event follows."),
)

_CONNECTING: Final = (
    "With `sessionId` the connection joins that session at once; without, it joins nothing until "
    "it sends `join`. With `lastSeq` everything after it is replayed before live events come. The "
    "token may also be sent as `Authorization: Bearer`, as the subprotocol pair `chat.v1`, "
    "`bearer.<token>`, as a one-time `ticket` from `POST /api/tickets`, or in a first command "
    "`authenticate` within 10 seconds."
)
_GREETING: Final = (
    "The server answers with `ready`, and with `joined` for each session. Where it refuses, it "
    "sends an `error` and closes with the code in the table below; Socket.IO clients get "
    "`connect_error`."
)
_CLOSING: Final = (
    "An `error` always comes before a code of 4000 or more. The range says what to do: 4000–4499 "
    "reconnect, with `lastSeq`; 4500–4999 do not. On Socket.IO the `error` event comes alone, just "
    "before the disconnect."
)
_ERRORS: Final = (
    "`code` is for programs, `message` for people, `details` names the fields at fault. Where "
    "`retryable` is true, the same request may succeed later: after `retryAfterMs`, if given. "
    "REST answers with the same codes, as `application/problem+json`."
)


def page(asyncapi: Mapping[str, Any], openapi: Mapping[str, Any]) -> Page:
    """The page of a server that these two documents describe."""
    return Page(
        path="docs",
        title="Socket protocol",
        body=join(
            [
                *_introduction(asyncapi),
                *_commands(),
                *_events(),
                *_tables(),
                *_rest(openapi),
            ]
        ),
        contents=_contents(),
    )


def socket_address(asyncapi: Mapping[str, Any]) -> str:
    """Where the sockets of this server are: `ws://localhost:8080`."""
    server = asyncapi["servers"]["raw"]
    return f"{server['protocol']}://{server['host']}{server.get('pathname', '')}"


def _contents() -> list[tuple[str, str]]:
    return [
        ("connecting", "Connecting"),
        ("", "Commands"),
        *((f"command-{kind}", kind) for kind in COMMANDS),
        ("", "Events"),
        *((f"event-{kind}", kind) for kind in {**DURABLE_EVENTS, **EPHEMERAL_EVENTS}),
        ("", "Replies"),
        *((f"reply-{kind}", kind) for kind in ("ack", *REPLIES)),
        ("", "Tables"),
        ("errors", "Errors"),
        ("close-codes", "Close codes"),
        ("limits", "Limits"),
        ("rest", "REST"),
    ]


# --- prose --------------------------------------------------------------------------------------


def _introduction(asyncapi: Mapping[str, Any]) -> Iterator[Html]:
    address = socket_address(asyncapi)
    http = address.replace("ws", "http", 1)
    yield Html("<h1>Socket protocol</h1>")
    yield Html(f'<p class="lead">{prose(asyncapi["info"]["description"])}</p>')
    yield Html(
        '<ul class="promises">'
        + "".join(f"<li><b>{name}</b> {prose(text)}</li>" for name, text in _PROMISES)
        + "</ul>"
    )
    yield Html(
        f"<p>This is the reference. {link('The guide', 'docs/protocol')} tells how to connect, "
        f"resume and reconnect; {link('asyncapi.json', 'asyncapi.json')} is the same for machines "
        f"(AsyncAPI {asyncapi['asyncapi']}).</p>"
    )
    yield heading(2, "connecting", "Connecting")
    yield Html("<h3>Raw WebSocket</h3>")
    yield listing(f"{address}/ws/chat?sessionId=SESSION&token=TOKEN")
    yield json_listing({"type": "message", "content": "테스트 메시지"})
    yield Html("<h3>Socket.IO</h3>")
    yield listing(
        f'const socket = io("{http}", {{ auth: {{ token, sessionId, lastSeq }} }});\n'
        'socket.on("message", (event) => console.log(event.senderName, event.content));\n'
        'socket.emit("message", { content: "테스트 메시지" }, (answer) => console.log(answer));'
    )
    yield paragraph(_CONNECTING)
    yield paragraph(_GREETING)


# --- commands, events, replies ------------------------------------------------------------------


def _commands() -> Iterator[Html]:
    yield heading(2, "commands", "Commands")
    yield paragraph(
        "What a client sends. Every command may carry `ref`, which comes back in its answer; on "
        "the raw wire an `ack` is sent only where a `ref` was given."
    )
    for kind, schema in COMMANDS.items():
        note = _NOT_YET if kind in reference.NOT_YET_COMMANDS else ""
        yield from _entry(f"command-{kind}", kind, schema, examples.COMMANDS[kind], note)
        if kind in ACKS:
            yield Html("<h4>Its ack</h4>")
            rows = [row for row in reference.fields_of(ACKS[kind]) if row.name != "ref"]
            yield _fields(rows)
            yield json_listing(examples.ACKS[kind])


def _events() -> Iterator[Html]:
    yield heading(2, "events", "Events")
    yield paragraph(
        "What the server says of itself. Durable events stand in the session's log and have a "
        "`seq`; the others are said once. Pass over types and fields that you do not know."
    )
    for note, group in (("durable", DURABLE_EVENTS), ("ephemeral", EPHEMERAL_EVENTS)):
        for kind, schema in group.items():
            late = f", {_NOT_YET}" if kind in reference.NOT_YET_EVENTS else ""
            yield from _entry(f"event-{kind}", kind, schema, examples.EVENTS[kind], f"{note}{late}")
    yield heading(3, "shapes", "Shapes inside events")
    for name, inner in reference.INNER.items():
        yield Html(f"<h4>{name}</h4>")
        yield _fields(reference.fields_of(inner))
    yield heading(2, "replies", "Replies")
    yield heading(3, "reply-ack", "ack")
    yield paragraph(
        "A command was carried out. Beside `type` and `ref` it carries what the command's own "
        "entry lists. On Socket.IO it is the argument of the acknowledgement callback."
    )
    for kind, schema in REPLIES.items():
        yield from _entry(f"reply-{kind}", kind, schema, examples.REPLIES[kind], "")


def _entry(
    anchor: str, kind: str, schema: Schema, example: Mapping[str, Any], note: str
) -> Iterator[Html]:
    yield heading(3, anchor, kind, note)
    yield paragraph(summary_of(schema))
    rows = reference.fields_of(schema)
    if rows:
        yield _fields(rows)
    yield json_listing(example)


def _fields(rows: Sequence[FieldRow]) -> Html:
    return table(
        ("Field", "Type", "Always", "Meaning"),
        [
            (code(r.name), prose(r.kind), Html("yes" if r.required else ""), prose(r.meaning))
            for r in rows
        ],
    )


# --- tables -------------------------------------------------------------------------------------


def _tables() -> Iterator[Html]:
    errors = reference.errors()
    yield heading(2, "errors", "Errors")
    yield paragraph(_ERRORS)
    yield table(
        ("Code", "HTTP", "Close", "Retry", "Meaning"),
        [
            (
                Html(f'<a class="anchor" href="#error-{row.code}">{code(row.code)}</a>'),
                Html(str(row.http_status)),
                Html(str(row.close_code or "")),
                Html("yes" if row.retryable else "no"),
                prose(row.message),
            )
            for row in errors
        ],
        anchors=[f"error-{row.code}" for row in errors],
    )
    closes = reference.close_codes()
    yield heading(2, "close-codes", "Close codes")
    yield paragraph(_CLOSING)
    yield table(
        ("Close code", "Meaning", "Reconnect", "Error before it"),
        [
            (
                Html(str(row.close_code)),
                prose(row.meaning),
                prose(row.reconnect),
                Html(", ".join(code(name) for name in row.errors)),
            )
            for row in closes
        ],
        anchors=[f"close-{row.close_code}" for row in closes],
    )
    yield heading(2, "limits", "Limits")
    yield table(("What", "Bound"), [(prose(what), prose(how)) for what, how in reference.LIMITS])


def _rest(openapi: Mapping[str, Any]) -> Iterator[Html]:
    yield heading(2, "rest", "REST")
    yield Html(
        "<p>Accounts, sessions, members and history; a message posted here reaches every socket. "
        f"{link('Try it out', 'docs/rest')}, or read {link('openapi.json', 'openapi.json')} "
        f"(OpenAPI {openapi['openapi']}).</p>"
    )
    yield table(
        ("Method", "Path", "What it does"),
        [
            (code(method.upper()), code(path), prose(operation.get("summary", "")))
            for path, methods in openapi["paths"].items()
            for method, operation in methods.items()
            if method in _METHODS
        ],
    )


_METHODS: Final = frozenset({"get", "put", "post", "patch", "delete"})
