"""The generated parts of the protocol's Markdown page: tables and examples, by the block's name.

A block's name is `limits`, `errors`, `close-codes`, `shape Attachment`, or a kind and a type such
as `command message`, `event joined`, `reply pong`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chat_protocol.export import examples, reference
from chat_protocol.export.json_schema import EVENTS
from chat_protocol.export.reference import FieldRow
from chat_protocol.schemas import ACKS, COMMANDS, REPLIES


def blocks() -> Mapping[str, str]:
    """Block name to its Markdown; the page must have each of them once."""
    return {
        "limits": _table(("What", "Bound"), reference.LIMITS),
        "errors": _errors(),
        "close-codes": _close_codes(),
        **{f"command {kind}": _command(kind) for kind in COMMANDS},
        **{
            f"event {kind}": _shown(reference.fields_of(schema), f"event {kind}", example)
            for kind, schema in EVENTS.items()
            for example in [examples.EVENTS[kind]]
        },
        **{
            f"reply {kind}": _shown(reference.fields_of(schema), f"reply {kind}", example)
            for kind, schema in REPLIES.items()
            for example in [examples.REPLIES[kind]]
        },
        **{
            f"shape {name}": _fields(reference.fields_of(schema))
            for name, schema in reference.INNER.items()
        },
    }


def _command(kind: str) -> str:
    parts = [
        _shown(
            reference.fields_of(COMMANDS[kind]),
            f"command {kind}",
            examples.COMMANDS[kind],
        )
    ]
    if kind in ACKS:
        parts.append("Its `ack`:")
        parts.append(
            _shown(
                [row for row in reference.fields_of(ACKS[kind]) if row.name != "ref"],
                f"ack {kind}",
                examples.ACKS[kind],
            )
        )
    return "\n\n".join(parts)


def _shown(rows: Sequence[FieldRow], marker: str, example: Mapping[str, Any]) -> str:
    fence = f"<!-- {marker} -->\n```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```"
    return f"{_fields(rows)}\n\n{fence}" if rows else fence


def _fields(rows: Sequence[FieldRow]) -> str:
    return _table(
        ("Field", "Type", "Always", "Meaning"),
        [(f"`{r.name}`", r.kind, "yes" if r.required else "", r.meaning) for r in rows],
    )


def _errors() -> str:
    return _table(
        ("Code", "HTTP", "Close", "Retry", "Meaning"),
        [
            (
                f'<a id="error-{row.code}"></a>`{row.code}`',
                row.http_status,
                row.close_code or "",
                "yes" if row.retryable else "no",
                row.message,
            )
            for row in reference.errors()
        ],
    )


def _close_codes() -> str:
    return _table(
        ("Close code", "Meaning", "Reconnect", "Error before it"),
        [
            (row.close_code, row.meaning, row.reconnect, ", ".join(f"`{e}`" for e in row.errors))
            for row in reference.close_codes()
        ],
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in row)} |" for row in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|")
