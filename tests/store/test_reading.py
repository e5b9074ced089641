"""Reading a log by pages, in both directions."""

import pytest

from chat_gateway.store.base import Store
from chat_protocol.codec import encode_durable
from chat_protocol.events import Message
from chat_protocol.limits import PAGE_MAX_BYTES
from tests.store.making import make_joined, make_message, shown


@pytest.fixture
async def log_of_ten(store: Store) -> str:
    """A session whose events 3, 6 and 9 are not messages, beside another one."""
    await store.append([make_message("other", "noise")])
    await store.append(
        [make_joined("s") if n % 3 == 0 else make_message("s", f"{n}") for n in range(1, 11)]
    )
    await store.append([make_message("other", "noise")])
    return "s"


async def test_the_head_is_the_highest_number(store: Store, log_of_ten: str) -> None:
    assert await store.head(log_of_ten) == 10
    assert await store.head("never seen") == 0


async def test_events_come_in_pages_after_a_number(store: Store, log_of_ten: str) -> None:
    assert shown(await store.events_after(log_of_ten, 0, 4)) == ([1, 2, 3, 4], True)
    assert shown(await store.events_after(log_of_ten, 6, 4)) == ([7, 8, 9, 10], False)
    assert shown(await store.events_after(log_of_ten, 8, 4)) == ([9, 10], False)
    assert shown(await store.events_after(log_of_ten, 10, 4)) == ([], False)
    assert shown(await store.events_after("never seen", 0, 4)) == ([], False)
    page = await store.events_after(log_of_ten, 1, 2)
    assert [record.type for record in page.records] == ["message", "member"]


async def test_messages_after_a_number_are_the_next_ones(store: Store, log_of_ten: str) -> None:
    async def after(seq: int) -> tuple[list[int], bool]:
        return shown(await store.messages(log_of_ten, before=None, after=seq, limit=3))

    assert await after(2) == ([4, 5, 7], True)
    assert await after(5) == ([7, 8, 10], False)
    assert await after(8) == ([10], False)
    assert await after(10) == ([], False)


async def test_messages_before_a_number_are_the_nearest_ones(store: Store, log_of_ten: str) -> None:
    async def before(seq: int) -> tuple[list[int], bool]:
        return shown(await store.messages(log_of_ten, before=seq, after=None, limit=3))

    assert await before(8) == ([4, 5, 7], True)
    assert await before(5) == ([1, 2, 4], False)
    assert await before(3) == ([1, 2], False)
    assert await before(1) == ([], False)


async def test_messages_without_a_bound_are_the_newest(store: Store, log_of_ten: str) -> None:
    async def newest(limit: int) -> tuple[list[int], bool]:
        return shown(await store.messages(log_of_ten, before=None, after=None, limit=limit))

    assert await newest(3) == ([7, 8, 10], True)
    assert await newest(7) == ([1, 2, 4, 5, 7, 8, 10], False)
    assert await newest(200) == ([1, 2, 4, 5, 7, 8, 10], False)


async def test_events_that_are_not_messages_are_no_more_messages(store: Store) -> None:
    await store.append([make_joined("s"), make_message("s"), make_joined("s")])

    assert shown(await store.messages("s", before=None, after=0, limit=1)) == ([2], False)
    assert shown(await store.messages("s", before=None, after=None, limit=1)) == ([2], False)
    assert shown(await store.events_after("s", 0, 2)) == ([1, 2], True)


async def test_a_page_longer_than_a_servers_usual_batch_comes_whole(store: Store) -> None:
    await store.append([make_message("s", f"{n}") for n in range(450)])

    assert shown(await store.events_after("s", 10, 400)) == (list(range(11, 411)), True)
    assert shown(await store.events_after("s", 50, 400)) == (list(range(51, 451)), False)
    page = await store.messages("s", before=440, after=None, limit=201)
    assert shown(page) == (list(range(239, 440)), True)


async def test_the_largest_number_that_a_client_can_send_is_no_trouble(store: Store) -> None:
    await store.append([make_message("s")])
    largest = 2**53 - 1

    assert shown(await store.events_after("s", largest, 10)) == ([], False)
    page = await store.messages("s", before=largest, after=None, limit=10)
    assert shown(page) == ([1], False)


# --- the bound in bytes -------------------------------------------------------------------------


def make_of_size(seq: int, wire_bytes: int) -> Message:
    """A message that has so many bytes on the wire when it is given this number."""
    empty = len(encode_durable(make_message("s", ""), seq))
    return make_message("s", "x" * (wire_bytes - empty))


@pytest.fixture
async def huge_log(store: Store) -> dict[int, int]:
    """A log of small and of huge messages; seq to bytes of each."""
    half, whole = PAGE_MAX_BYTES // 2, PAGE_MAX_BYTES
    sizes = [500, half, half, 500, whole + 1, whole, 500, 500, half + 1, half, 2 * whole, 500]
    outcomes = await store.append([make_of_size(n, size) for n, size in enumerate(sizes, 1)])
    stored = {outcome.record.seq: len(outcome.record.wire) for outcome in outcomes}
    assert list(stored.values()) == sizes
    return stored


async def test_a_page_ends_where_the_next_event_would_make_it_too_large(
    store: Store, huge_log: dict[int, int]
) -> None:
    async def after(seq: int, limit: int = 100) -> tuple[list[int], bool]:
        events = shown(await store.events_after("s", seq, limit))
        assert shown(await store.messages("s", before=None, after=seq, limit=limit)) == events
        return events

    assert await after(0) == ([1, 2], True)
    assert await after(1) == ([2, 3], True), "both just fill it"
    assert await after(2) == ([3, 4], True)
    assert await after(4) == ([5], True), "too large for any page, and alone in one"
    assert await after(5) == ([6], True)
    assert await after(6) == ([7, 8, 9], True)
    assert await after(6, limit=2) == ([7, 8], True)
    assert await after(10) == ([11], True)
    assert await after(11) == ([12], False)


async def test_a_page_that_is_read_backwards_keeps_the_newest(
    store: Store, huge_log: dict[int, int]
) -> None:
    async def before(seq: int | None, limit: int = 100) -> tuple[list[int], bool]:
        return shown(await store.messages("s", before=seq, after=None, limit=limit))

    assert await before(None) == ([12], True)
    assert await before(12) == ([11], True)
    assert await before(11) == ([10], True)
    assert await before(10) == ([7, 8, 9], True)
    assert await before(10, limit=2) == ([8, 9], True)
    assert await before(7) == ([6], True)
    assert await before(6) == ([5], True)
    assert await before(4) == ([2, 3], True), "both just fill it"
    assert await before(3) == ([1, 2], False)
    assert await before(2) == ([1], False)


@pytest.mark.parametrize("last_bytes", [1000, 1001])
async def test_the_last_page_may_be_full_to_the_byte(store: Store, last_bytes: int) -> None:
    await store.append([make_of_size(1, PAGE_MAX_BYTES - 1000), make_of_size(2, last_bytes)])
    fits = last_bytes == 1000

    assert shown(await store.events_after("s", 0, 2)) == (([1, 2], False) if fits else ([1], True))
    page = await store.messages("s", before=None, after=None, limit=2)
    assert shown(page) == (([1, 2], False) if fits else ([2], True))


@pytest.mark.parametrize("limit", [1, 2, 200])
async def test_pages_over_huge_messages_lose_none_in_either_direction(
    store: Store, huge_log: dict[int, int], limit: int
) -> None:
    forwards: list[int] = []
    more = True
    while more:
        page = await store.events_after("s", forwards[-1] if forwards else 0, limit)
        found, more = shown(page)
        assert len(found) == 1 or sum(huge_log[seq] for seq in found) <= PAGE_MAX_BYTES
        forwards += found
    assert forwards == list(huge_log)

    backwards: list[int] = []
    more = True
    while more:
        before = backwards[0] if backwards else None
        page = await store.messages("s", before=before, after=None, limit=limit)
        found, more = shown(page)
        assert len(found) == 1 or sum(huge_log[seq] for seq in found) <= PAGE_MAX_BYTES
        backwards = found + backwards
    assert backwards == list(huge_log)
