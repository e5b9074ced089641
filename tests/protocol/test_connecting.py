"""What a client says when it connects."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_protocol.connecting import Opening, opening_from_auth, opening_from_query
from chat_protocol.errors import ProtocolError
from tests.protocol.strategies import VALUES


def test_a_query_says_token_session_and_last_seq() -> None:
    query = {"sessionId": "s", "token": "t", "lastSeq": "7", "EIO": "4", "_": "cache"}
    assert opening_from_query(query) == Opening(token="t", session_id="s", last_seq=7)


def test_an_empty_value_in_a_query_says_nothing() -> None:
    assert opening_from_query({"sessionId": "", "token": "", "lastSeq": ""}) == Opening()


@pytest.mark.parametrize(
    "seq", ["-1", "1.0", "1e3", "١٢", "1_0", " 1", "0x1", "9" * 17, "9" * 5000]
)
def test_a_last_seq_that_is_no_plain_number_is_refused(seq: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        opening_from_query({"lastSeq": seq})
    assert refused.value.code == "validation_failed"
    assert "lastSeq" in (refused.value.details or {})


def test_what_auth_says_wins_and_the_query_fills_the_rest() -> None:
    opening = opening_from_auth(
        {"token": "a", "lastSeq": 3, "sessionId": None}, {"token": "q", "sessionId": "s"}
    )
    assert opening == Opening(token="a", session_id="s", last_seq=3)
    assert opening_from_auth(None, {"ticket": "k"}) == Opening(ticket="k")


@pytest.mark.parametrize(
    "auth",
    [
        *([], "token", 7, {"token": 7}, {"token": {"$ne": None}}, {"lastSeq": "3"}),
        *({"lastSeq": True}, {"unknown": 1}, {"sessionId": "x" * 65}),
        *({"token": "x\x00"}, {"sessionId": "\ud800"}),
    ],
)
def test_an_auth_that_is_not_what_it_should_be_is_refused(auth: Any) -> None:
    with pytest.raises(ProtocolError) as refused:
        opening_from_auth(auth, {})
    assert refused.value.code == "validation_failed"


KEYS = st.sampled_from(["token", "ticket", "sessionId", "lastSeq", "other"])


def refusal_of(read: Callable[..., Opening], *said: object) -> str | None:
    try:
        assert isinstance(read(*said), Opening)
    except ProtocolError as refusal:
        return refusal.code
    return None


@given(
    st.none() | VALUES | st.dictionaries(KEYS, VALUES),
    st.dictionaries(KEYS, st.text(st.characters(), max_size=20)),
)
def test_any_auth_and_query_are_an_opening_or_a_refusal(
    auth: object, query: dict[str, str]
) -> None:
    assert refusal_of(opening_from_auth, auth, query) in (None, "validation_failed")
    assert refusal_of(opening_from_query, query) in (None, "validation_failed")
