"""What hypothesis makes of the wire: JSON as text, values that obey a schema, events."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from chat_protocol import commands, events, limits
from chat_protocol.errors import REGISTRY

Json = dict[str, Any]

# Everything that UTF-8 can say; schemas refuse NUL beside that.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CLEAN_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
)
WHOLE = st.integers(0, limits.INTEGER_MAX)
TIMES = st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + ".250Z")
URLS = st.sampled_from(
    ["http://localhost:9000/a.png", "https://files.example.com/%ED%95%9C?x=1#y", "HTTP://a.io"]
)

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**54), 2**54)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
"""Any JSON value."""

# --- JSON as text, made to confuse whoever counts keys by looking at the text -------------------

KEY_LITERALS = st.sampled_from(
    [
        '"a"',
        '"b"',
        '"type"',
        '""',
        '":"',
        '"a:"',
        '"a\\""',
        '"\\u0061"',
        '"a\\u003a"',
        '"\\\\"',
        '"{\\"a\\":1"',
        '",a:"',
        '"é"',
        '"\\u00e9"',
        '"\\ud83d\\udc4d"',
        '"\\ud83d"',
        '"\\u0000"',
    ]
)
SCALAR_LITERALS = KEY_LITERALS | st.sampled_from(
    [
        "0",
        "-0",
        "1",
        "-1.5e3",
        "1e999",
        "-1e999",
        "1e-999",
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "null",
        "9007199254740991",
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551616",
        "1" + "0" * 400,
        "9" * 5000,
        "01",
        "1.",
        '"a:b"',
        "'a'",
        "[" * 14 + "]" * 14,
        "[" * 1020 + "]" * 1020,
    ]
)
SPACES = st.sampled_from(["", "", "", " ", "\n", "\t ", "\ufeff", "\x0b"])


def _object(pairs: Sequence[tuple[str, str, str]]) -> str:
    return "{" + ",".join(f"{space}{key}:{value}" for space, key, value in pairs) + "}"


def _array(items: Sequence[str]) -> str:
    return "[" + ",".join(items) + "]"


JSON_TEXTS: st.SearchStrategy[str] = st.recursive(
    SCALAR_LITERALS,
    lambda inner: (
        st.lists(st.tuples(SPACES, KEY_LITERALS, inner), max_size=4).map(_object)
        | st.lists(inner, max_size=4).map(_array)
    ),
    max_leaves=8,
)
"""JSON, nearly always: twin keys, colons and quotes in strings, escapes, numbers at the edge."""

SOUP: st.SearchStrategy[str] = st.text('{}[]":,\\ua0061 e9-.\n', max_size=40)


# --- values that obey a JSON Schema -------------------------------------------------------------


def obeying(schema: Json, defs: Mapping[str, Json]) -> st.SearchStrategy[Any]:
    """Values that a schema of `export.json_schema` allows."""
    if "$ref" in schema:
        return obeying(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if kind == ["string", "number"]:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=64) | st.integers(
            -limits.INTEGER_MAX, limits.INTEGER_MAX
        )
    if kind == "object":
        return _objects(schema, defs)
    if kind == "array":
        most = min(schema.get("maxItems", 3), 3)
        return st.lists(obeying(schema["items"], defs), max_size=most)
    if kind == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if kind == "boolean":
        return st.booleans()
    if schema.get("format") == "uri":
        return URLS
    return st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
        min_size=schema.get("minLength", 0),
        max_size=min(schema["maxLength"], 30),
    )


def _objects(schema: Json, defs: Mapping[str, Json]) -> st.SearchStrategy[Any]:
    made = {name: obeying(field, defs) for name, field in schema["properties"].items()}
    needed = {name: made.pop(name) for name in schema.get("required", [])}
    objects = st.fixed_dictionaries(needed, optional=made)
    if "not" not in schema:
        return objects
    together = set(schema["not"]["required"])
    return objects.filter(lambda value: not together <= set(value))


def as_text(value: object) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- what the server says -----------------------------------------------------------------------

_DURABLE: dict[str, st.SearchStrategy[Any]] = {
    "session_id": CLEAN_TEXT,
    "seq": st.just(events.UNNUMBERED),
    "id": CLEAN_TEXT,
    "sender_id": CLEAN_TEXT,
    "created_at": TIMES,
}
_MAYBE_TEXT = st.none() | CLEAN_TEXT
_ATTACHMENTS = st.builds(
    commands.Attachment,
    url=URLS,
    name=_MAYBE_TEXT,
    media_type=_MAYBE_TEXT,
    size_bytes=st.none() | WHOLE,
)
_ROLES = st.sampled_from(["owner", "admin", "member"])
_REFS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=64) | WHOLE

DURABLE: st.SearchStrategy[events.DurableEvent] = st.one_of(
    st.builds(
        events.Message,
        **_DURABLE,
        sender_name=TEXT,
        content=TEXT,
        client_message_id=CLEAN_TEXT,
        reply_to=_MAYBE_TEXT,
        mentions=st.lists(CLEAN_TEXT, max_size=3),
        attachments=st.lists(_ATTACHMENTS, max_size=2).map(tuple),
    ),
    st.builds(events.MessageUpdated, **_DURABLE, message_id=CLEAN_TEXT, content=TEXT),
    st.builds(events.MessageDeleted, **_DURABLE, message_id=CLEAN_TEXT),
    st.builds(
        events.Reaction,
        **_DURABLE,
        message_id=CLEAN_TEXT,
        emoji=TEXT,
        action=st.sampled_from(["added", "removed"]),
    ),
    st.builds(
        events.MemberChanged,
        **_DURABLE,
        account_id=CLEAN_TEXT,
        display_name=TEXT,
        role=_ROLES,
        action=st.sampled_from(["joined", "left", "removed", "role"]),
    ),
    st.builds(events.SessionUpdated, **_DURABLE, title=TEXT),
)

SAID: st.SearchStrategy[Any] = st.one_of(
    st.builds(events.Typing, session_id=TEXT, account_id=TEXT, is_typing=st.booleans()),
    st.builds(
        events.Presence,
        session_id=TEXT,
        account_id=TEXT,
        status=st.sampled_from(["online", "offline"]),
        last_seen_at=st.none() | TIMES,
    ),
    st.builds(
        events.Receipt, session_id=TEXT, account_id=TEXT, read_seq=WHOLE, delivered_seq=WHOLE
    ),
    st.builds(
        events.Ready,
        connection_id=TEXT,
        account_id=TEXT,
        server_time=TIMES,
        heartbeat_ms=WHOLE,
        limits=st.just(limits.TOLD_TO_CLIENTS),
    ),
    st.builds(
        events.Joined,
        session_id=TEXT,
        seq=WHOLE,
        recovered=st.booleans(),
        members=st.lists(
            st.builds(events.MemberView, account_id=TEXT, display_name=TEXT, role=_ROLES),
            max_size=2,
        ),
        online=st.lists(TEXT, max_size=2),
        receipts=st.lists(
            st.builds(events.ReceiptView, account_id=TEXT, read_seq=WHOLE, delivered_seq=WHOLE),
            max_size=2,
        ),
    ),
    st.builds(
        events.Error,
        ref=_REFS,
        code=st.sampled_from(sorted(REGISTRY)),
        message=TEXT,
        retryable=st.booleans(),
        retry_after_ms=st.none() | WHOLE,
        details=st.none()
        | st.dictionaries(TEXT, st.lists(TEXT, min_size=1, max_size=2), max_size=2),
    ),
    st.builds(events.Pong, ref=_REFS, server_time=TIMES),
)
