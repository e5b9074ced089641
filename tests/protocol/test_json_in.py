"""`codec.loads` against a slow reader that is plainly right."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_protocol import codec, limits
from chat_protocol.errors import ProtocolError
from tests.protocol.strategies import JSON_TEXTS, SOUP


class Refused(Exception):
    pass


def _refuse(_: object) -> Any:
    raise Refused


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise Refused
    return dict(pairs)


def _look(value: Any, depth: int) -> None:
    """Refuse depth, numbers and half characters, wherever they stand."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused from None
    elif isinstance(value, dict | list):
        if depth == limits.JSON_MAX_DEPTH:
            raise Refused
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            _look(inner, depth + 1)
    elif (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and not -limits.INTEGER_MAX <= value <= limits.INTEGER_MAX
    ):
        raise Refused


def slowly(text: str | bytes) -> Any:
    """The value of a JSON text that means one thing only, or `Refused`."""
    try:
        written = text.decode() if isinstance(text, bytes) else text
        value = json.loads(written, object_pairs_hook=_pairs, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Refused from None
    _look(value, 0)
    return value


def assert_same(text: str | bytes) -> None:
    try:
        wanted = slowly(text)
    except Refused:
        with pytest.raises(ProtocolError) as refused:
            codec.loads(text)
        assert refused.value.code == "bad_request"
        # What is refused can be told.
        codec.encode(codec.error_of(refused.value))
    else:
        found = codec.loads(text)
        assert found == wanted
        assert json.dumps(found) == json.dumps(wanted)


@settings(max_examples=600)
@given(JSON_TEXTS | SOUP)
def test_text_is_read_as_the_slow_reader_reads_it(text: str) -> None:
    assert_same(text)
    if "\ud83d" not in text:
        assert_same(text.encode())


@given(JSON_TEXTS, st.integers(0, 400), st.sampled_from(['"', ":", "\\", "}", ",", "{", " ", ""]))
def test_damaged_text_is_read_as_the_slow_reader_reads_it(
    text: str, place: int, damage: str
) -> None:
    place = min(place, len(text))
    assert_same(text[:place] + damage + text[place + 1 :])


@given(st.binary(max_size=60))
def test_bytes_are_read_as_the_slow_reader_reads_them(blob: bytes) -> None:
    assert_same(blob)


@given(st.text(st.characters(), max_size=30))
def test_strings_of_any_code_points_are_read_as_the_slow_reader_reads_them(inside: str) -> None:
    assert_same('{"a:":' + json.dumps(inside) + "}")
    assert_same('{"a":"' + inside + '","b":":"}')


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":2}',
        '{"a":{"b":1,"b":2}}',
        '[{"a":1},{"a":1,"a":2}]',
        '{"a":":","a":1}',
        '{"a":"\\":","a":1}',
        '{":":1,":":2}',
        '{"":1,"":2}',
        '{"a":{},"a":{}}',
        '{"a":{"x":1},"a":2}',
        '{"é":1,"\\u00e9":2}',
        # An escaped colon makes up for the one that the lost twin had.
        '{"x":"\\u003a","a":1,"a":2}',
        '{"x\\u003a":1,"a":1,"a":2}',
    ],
)
def test_a_key_given_twice_is_refused_however_it_is_written(text: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(ProtocolError, match="twice"):
            codec.loads(form)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"b":{"a":1}}',
        '{"a":":","b":"a:b:c"}',
        '{"a:b":1,"a":2}',
        '[{"a":1},{"a":1}]',
        '{"a":"\\"a\\":1"}',
        '{"\\\\":1,"\\\\\\\\":2}',
        '{"a":[],"A":[]}',
    ],
)
def test_keys_that_only_look_alike_are_taken(text: str) -> None:
    assert codec.loads(text) == codec.loads(text.encode()) == json.loads(text)


def test_a_twin_that_hides_what_no_reader_takes_is_refused_like_any_other() -> None:
    for hidden in ("[" * 1020 + "]" * 1020, "[" * 100_000, "9" * 5000, "1e999"):
        with pytest.raises(ProtocolError) as refused:
            codec.loads(f'{{"a":{hidden},"a":1}}')
        assert refused.value.code == "bad_request"


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_is_taken_to_the_limit_and_refused_past_it(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    for depth, fits in [(limits.JSON_MAX_DEPTH, True), (limits.JSON_MAX_DEPTH + 1, False)]:
        core = "[]" if opening == "[" else "{}"
        text = opening * (depth - 1) + core + closing * (depth - 1)
        if fits:
            codec.loads(text)
        else:
            with pytest.raises(ProtocolError, match="Nested deeper"):
                codec.loads(text)
    for depth in (1_000, 30_000):
        with pytest.raises(ProtocolError):
            codec.loads(opening * depth)


@pytest.mark.parametrize("number", ["9007199254740991", "-9007199254740991", "1.5", "-0.0", "1e15"])
def test_numbers_to_the_bound_are_taken(number: str) -> None:
    assert codec.loads(f'{{"n":{number}}}') == {"n": json.loads(number)}


@pytest.mark.parametrize(
    "number",
    [
        *("9007199254740992", "-9007199254740992", "1e16", "1e999", "-1e999"),
        *("NaN", "Infinity", "18446744073709551616", "9" * 400, "9" * 5000),
        *("01", "+1", "0x1", "1_0", "١"),
    ],
)
def test_numbers_past_the_bound_and_what_is_no_number_are_refused(number: str) -> None:
    for text in (f'{{"n":{number}}}', f"[{number}]", number):
        with pytest.raises(ProtocolError) as refused:
            codec.loads(text)
        assert refused.value.code == "bad_request"
