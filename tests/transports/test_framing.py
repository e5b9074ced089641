"""Frames as RFC 6455 has them, in whatever pieces they come."""

import itertools
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_gateway.transports.framing import (
    FRAGMENTS_MAX,
    FrameError,
    FrameReader,
    Opcode,
    close_code_of,
    control_frame,
)
from chat_protocol import limits

FIN = 0x80
MASKED = 0x80


def client_frame(
    opcode: int, payload: bytes, *, fin: bool = True, reserved: int = 0, masked: bool = True
) -> bytes:
    """A frame as a client would send it, written from the RFC and not from our reader."""
    first = (FIN if fin else 0) | reserved | opcode
    size = len(payload)
    flag = MASKED if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, flag | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def read(data: bytes) -> list[tuple[Opcode, bytes]]:
    return list(FrameReader().feed(data))


def refusal(*pieces: bytes) -> int:
    reader = FrameReader()
    with pytest.raises(FrameError) as caught:
        for piece in pieces:
            list(reader.feed(piece))
    return caught.value.code


@pytest.mark.parametrize("size", [0, 1, 4, 125, 126, 127, 65535, 65536])
def test_a_text_frame_of_any_size_up_to_the_limit_is_read(size: int) -> None:
    payload = b"x" * size
    assert read(client_frame(Opcode.TEXT, payload)) == [(Opcode.TEXT, payload)]


@given(
    messages=st.lists(st.text(max_size=200), max_size=5),
    cuts=st.lists(st.integers(0, 3000), max_size=20),
)
def test_how_the_bytes_are_cut_does_not_matter(messages: list[str], cuts: list[int]) -> None:
    stream = b"".join(client_frame(Opcode.TEXT, text.encode()) for text in messages)
    reader = FrameReader()
    seen: list[str] = []
    last = 0
    for cut in [*sorted(cuts), len(stream)]:
        seen += [payload.decode() for _, payload in reader.feed(stream[last : max(cut, last)])]
        last = max(cut, last)
    assert seen == messages


@given(text=st.text(max_size=100), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_fragments_make_one_message_with_control_frames_between_them(
    text: str, cuts: list[int]
) -> None:
    whole = text.encode()
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[a:b] for a, b in itertools.pairwise(edges)]
    stream = b""
    for number, piece in enumerate(pieces):
        opcode = Opcode.TEXT if number == 0 else Opcode.CONTINUATION
        stream += client_frame(opcode, piece, fin=number == len(pieces) - 1)
        if number < len(pieces) - 1:
            stream += client_frame(Opcode.PING, b"%d" % number)
    seen = read(stream)
    assert seen[-1] == (Opcode.TEXT, whole)
    assert [opcode for opcode, _ in seen[:-1]] == [Opcode.PING] * (len(pieces) - 1)


@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        read(data)
    except FrameError as error:
        assert error.code in {1002, 1003, 1007, 1009}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (client_frame(Opcode.TEXT, b"hi", masked=False), 1002),
        (client_frame(Opcode.TEXT, b"hi", reserved=0x40), 1002),
        (client_frame(0x3, b""), 1002),
        (client_frame(0xB, b""), 1002),
        (client_frame(Opcode.CONTINUATION, b"hi"), 1002),
        (client_frame(Opcode.PING, b"x" * 126), 1002),
        (client_frame(Opcode.PING, b"", fin=False), 1002),
        (client_frame(Opcode.BINARY, b"hi"), 1003),
        (client_frame(Opcode.TEXT, b"\xff\xfe"), 1007),
        (client_frame(Opcode.TEXT, b"\xed\xa0\x80"), 1007),
        (client_frame(Opcode.TEXT, b"x" * (limits.FRAME_MAX_BYTES + 1))[:14], 1009),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
def test_what_the_rfc_forbids_is_refused_with_its_code(data: bytes, code: int) -> None:
    assert refusal(data) == code


@given(text=st.text(max_size=400), rest=st.sampled_from([b"", b"x", client_frame(1, b"more")]))
def test_the_short_way_for_a_whole_message_says_what_the_long_one_does(
    text: str, rest: bytes
) -> None:
    data = client_frame(Opcode.TEXT, text.encode()) + rest
    taken = FrameReader().whole(data)
    assert (taken is not None) == (text.isascii() and not rest)
    if taken is not None:
        assert read(data) == [(Opcode.TEXT, taken)]


@given(data=st.binary(max_size=200))
def test_the_short_way_takes_nothing_that_the_long_one_refuses(data: bytes) -> None:
    taken = FrameReader().whole(data)
    if taken is not None:
        assert read(data) == [(Opcode.TEXT, taken)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535])
def test_the_short_way_takes_every_size_that_a_client_writes_in_two_bytes(size: int) -> None:
    assert FrameReader().whole(client_frame(Opcode.TEXT, b"x" * size)) == b"x" * size


def test_the_short_way_takes_nothing_while_a_message_is_under_way() -> None:
    reader = FrameReader()
    list(reader.feed(client_frame(Opcode.TEXT, b"a", fin=False)))
    assert reader.whole(client_frame(Opcode.TEXT, b"b")) is None


def test_a_message_inside_another_is_refused() -> None:
    begun = client_frame(Opcode.TEXT, b"a", fin=False)
    assert refusal(begun, client_frame(Opcode.TEXT, b"b")) == 1002


def test_fragments_together_are_bounded_as_one_frame_is() -> None:
    half = b"x" * (limits.FRAME_MAX_BYTES // 2 + 1)
    begun = client_frame(Opcode.TEXT, half, fin=False)
    assert refusal(begun, client_frame(Opcode.CONTINUATION, half)[:14]) == 1009


def test_endless_empty_fragments_keep_no_memory() -> None:
    reader = FrameReader()
    list(reader.feed(client_frame(Opcode.TEXT, b"a", fin=False)))
    nothing = client_frame(Opcode.CONTINUATION, b"", fin=False)
    for _ in range(1000):
        assert list(reader.feed(nothing)) == []
    assert list(reader.feed(client_frame(Opcode.CONTINUATION, b"b"))) == [(Opcode.TEXT, b"ab")]


def test_a_message_has_an_end_even_where_its_fragments_are_empty() -> None:
    begun = client_frame(Opcode.TEXT, b"a", fin=False)
    nothing = client_frame(Opcode.CONTINUATION, b"", fin=False)
    assert refusal(begun, nothing * FRAGMENTS_MAX) == 1009
    whole = begun + nothing * (FRAGMENTS_MAX - 2) + client_frame(Opcode.CONTINUATION, b"b")
    assert read(whole * 2) == [(Opcode.TEXT, b"ab")] * 2


def test_what_came_before_a_broken_frame_is_handed_out_first() -> None:
    good = client_frame(Opcode.TEXT, b"good")
    seen = []
    with pytest.raises(FrameError):
        for message in FrameReader().feed(good + client_frame(Opcode.BINARY, b"bad")):
            seen.append(message)
    assert seen == [(Opcode.TEXT, b"good")]


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1011, 3000, 4012, 4999])
def test_a_close_code_that_may_be_sent_is_read(code: int) -> None:
    assert close_code_of(code.to_bytes(2, "big") + b"bye") == code


@pytest.mark.parametrize(
    "payload", [b"\x03", b"\x03\xed", b"\x03\xee", b"\x00\x00", b"\x13\x88", b"\x03\xe8\xff"]
)
def test_a_close_frame_that_may_not_be_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        close_code_of(payload)


def test_a_control_frame_of_ours_is_unmasked_and_short() -> None:
    assert control_frame(Opcode.PONG, b"x" * 200) == b"\x8a\x7d" + b"x" * 125
