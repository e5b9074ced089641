"""Reading a log by pages, in both directions."""

import pytest

from chat_gateway.store.base import Store
from tests.store.making import make_joined, make_message, seqs


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
    assert seqs(await store.events_after(log_of_ten, 0, 4)) == [1, 2, 3, 4]
    assert seqs(await store.events_after(log_of_ten, 8, 4)) == [9, 10]
    assert await store.events_after(log_of_ten, 10, 4) == []
    assert await store.events_after("never seen", 0, 4) == []
    assert [r.type for r in await store.events_after(log_of_ten, 1, 2)] == ["message", "member"]


async def test_messages_after_a_number_are_the_next_ones(store: Store, log_of_ten: str) -> None:
    page = await store.messages(log_of_ten, before=None, after=2, limit=3)
    assert seqs(page) == [4, 5, 7]
    assert seqs(await store.messages(log_of_ten, before=None, after=8, limit=3)) == [10]
    assert await store.messages(log_of_ten, before=None, after=10, limit=3) == []


async def test_messages_before_a_number_are_the_nearest_ones(store: Store, log_of_ten: str) -> None:
    assert seqs(await store.messages(log_of_ten, before=8, after=None, limit=3)) == [4, 5, 7]
    assert seqs(await store.messages(log_of_ten, before=3, after=None, limit=3)) == [1, 2]
    assert await store.messages(log_of_ten, before=1, after=None, limit=3) == []


async def test_messages_without_a_bound_are_the_newest(store: Store, log_of_ten: str) -> None:
    assert seqs(await store.messages(log_of_ten, before=None, after=None, limit=3)) == [7, 8, 10]
    assert len(await store.messages(log_of_ten, before=None, after=None, limit=200)) == 7


async def test_a_page_longer_than_a_servers_usual_batch_comes_whole(store: Store) -> None:
    await store.append([make_message("s", f"{n}") for n in range(450)])

    assert seqs(await store.events_after("s", 10, 400)) == list(range(11, 411))
    page = await store.messages("s", before=440, after=None, limit=201)
    assert seqs(page) == list(range(239, 440))


async def test_the_largest_number_that_a_client_can_send_is_no_trouble(store: Store) -> None:
    await store.append([make_message("s")])
    largest = 2**53 - 1

    assert await store.events_after("s", largest, 10) == []
    assert seqs(await store.messages("s", before=largest, after=None, limit=10)) == [1]
