"""The shortcut through a schema decides nothing that the schema would decide otherwise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from chat_protocol import limits
from chat_protocol.schemas import COMMANDS
from chat_protocol.shortcut import Shortcut

SCHEMA = COMMANDS["message"]
SHORTCUT = Shortcut(SCHEMA)

texts = st.one_of(
    st.text(max_size=70),
    st.sampled_from(["", "\x00", "a\x00b", "\ud800", "x" * 4000, "x" * 4001, "x" * 64, "x" * 65]),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=5),
)
values = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.lists(texts, max_size=2),
    st.dictionaries(texts, texts, max_size=2),
)
keys = st.sampled_from(
    ["content", "clientMessageId", "ref", "sessionId", "replyTo", "mentions", "attachments", "more"]
)


@given(value=st.dictionaries(keys, values, max_size=6))
def test_where_the_shortcut_has_a_result_it_is_the_schemas(value: dict[str, Any]) -> None:
    taken = SHORTCUT.load(value)
    if taken is not None:
        assert taken == SCHEMA.load(value)


@given(
    content=st.text(min_size=1, max_size=limits.CONTENT_MAX_CHARS).filter(lambda t: "\x00" not in t)
)
def test_an_everyday_message_takes_the_shortcut(content: str) -> None:
    assert SHORTCUT.load({"content": content, "clientMessageId": "c-1", "ref": 7}) is not None


@pytest.mark.parametrize("value", [{}, {"content": ""}, {"content": {"$ne": None}}, {"x": 1}])
def test_what_the_schema_refuses_never_takes_the_shortcut(value: dict[str, Any]) -> None:
    assert SHORTCUT.load(value) is None
    with pytest.raises(ValidationError):
        SCHEMA.load(value)
