"""Appending: numbers without holes, keys once."""

import asyncio

import orjson
import pytest

from chat_gateway.store.base import Store
from chat_protocol.codec import encode_durable
from tests.store.conftest import OpenStore
from tests.store.making import contents, make_joined, make_message, seqs, whole_log


async def test_events_are_numbered_from_one_in_the_order_given(store: Store) -> None:
    first = await store.append([make_message("s", f"a{n}") for n in range(3)])
    second = await store.append([make_message("s", f"b{n}") for n in range(2)])

    assert seqs([outcome.record for outcome in first + second]) == [1, 2, 3, 4, 5]
    assert not any(outcome.duplicate for outcome in first + second)
    assert contents(await whole_log(store, "s")) == ["a0", "a1", "a2", "b0", "b1"]


async def test_an_empty_batch_is_nothing(store: Store) -> None:
    assert await store.append([]) == []


async def test_the_bytes_that_were_acknowledged_are_the_bytes_that_are_read(store: Store) -> None:
    event = make_message("s", "bytes")
    [outcome] = await store.append([event])

    assert outcome.record.wire == encode_durable(event, 1)
    assert (await store.events_after("s", 0, 10)).records == [outcome.record]


async def test_each_session_of_a_batch_has_its_own_numbers(store: Store) -> None:
    await store.append([make_message("b", "b1")])
    outcomes = await store.append(
        [make_message("a", "a1"), make_message("b", "b2"), make_message("a", "a2")]
    )

    assert [(o.record.session_id, o.record.seq) for o in outcomes] == [
        ("a", 1),
        ("b", 2),
        ("a", 2),
    ]
    assert contents(await whole_log(store, "b")) == ["b1", "b2"]


async def test_a_repeated_key_gets_the_original_and_stores_nothing(store: Store) -> None:
    [original] = await store.append([make_message("s", "once", key="k")])
    [repeat] = await store.append([make_message("s", "twice", key="k")])

    assert repeat.duplicate
    assert repeat.record == original.record
    assert contents(await whole_log(store, "s")) == ["once"]


async def test_a_key_repeated_within_one_batch_is_stored_once(store: Store) -> None:
    outcomes = await store.append(
        [
            make_message("s", "first", key="k"),
            make_message("s", "between"),
            make_message("s", "again", key="k"),
        ]
    )

    assert [o.duplicate for o in outcomes] == [False, False, True]
    assert outcomes[2].record == outcomes[0].record
    assert contents(await whole_log(store, "s")) == ["first", "between"]


async def test_repeats_among_new_events_leave_no_hole(store: Store) -> None:
    await store.append([make_message("s", "1", key="k1"), make_message("s", "2", key="k2")])
    outcomes = await store.append(
        [
            make_message("s", "3"),
            make_message("s", "x", key="k2"),
            make_message("t", "t1"),
            make_message("s", "4", key="k4"),
            make_message("s", "x", key="k1"),
            make_message("s", "x", key="k4"),
            make_message("s", "5"),
        ]
    )

    assert [(o.record.seq, o.duplicate) for o in outcomes] == [
        (3, False),
        (2, True),
        (1, False),
        (4, False),
        (1, True),
        (4, True),
        (5, False),
    ]
    assert contents(await whole_log(store, "s")) == ["1", "2", "3", "4", "5"]
    assert contents(await whole_log(store, "t")) == ["t1"]


async def test_a_whole_batch_may_be_repeated(store: Store) -> None:
    batch = [make_message("s", f"{n}", key=f"k{n}") for n in range(5)] + [make_joined("s")]
    first = await store.append(batch)
    second = await store.append(batch)

    assert [o.record for o in second] == [o.record for o in first]
    assert all(o.duplicate for o in second)
    assert await store.head("s") == 6


async def test_a_key_is_its_senders_own_and_its_sessions_own(store: Store) -> None:
    outcomes = await store.append(
        [
            make_message("s", "alice", sender="alice", key="k"),
            make_message("s", "bob", sender="bob", key="k"),
            make_message("t", "alice", sender="alice", key="k"),
        ]
    )

    assert not any(o.duplicate for o in outcomes)
    assert await store.head("s") == 2


async def test_a_repeat_through_another_process_gets_the_original(open_store: OpenStore) -> None:
    one, other = await open_store(), await open_store()
    [original] = await one.append([make_message("s", "once", key="k")])
    [repeat] = await other.append([make_message("s", "once", key="k")])

    assert repeat.duplicate
    assert repeat.record == original.record


async def test_processes_that_take_turns_never_give_a_number_twice(open_store: OpenStore) -> None:
    one, other = await open_store(), await open_store()
    for n in range(4):
        await one.append([make_message("s", f"one {n}"), make_message("t", f"one {n}")])
        await other.append([make_message("s", f"other {n}"), make_message("t", f"other {n}")])

    for session_id in ("s", "t"):
        log = await whole_log(one, session_id)
        assert seqs(log) == list(range(1, 9))
        assert contents(log)[:4] == ["one 0", "other 0", "one 1", "other 1"]


@pytest.mark.parametrize("batch", [1, 7])
async def test_many_writers_at_once_make_one_log_without_holes(
    open_store: OpenStore, batch: int
) -> None:
    writers, rounds = 4, 6
    stores = [await open_store() for _ in range(writers)]
    reader = await open_store()
    written = asyncio.Event()

    async def write(number: int, store: Store) -> None:
        for turn in range(rounds):
            sent = [
                make_message("s", f"{number} {turn} {n}", sender=f"w{number}") for n in range(batch)
            ]
            outcomes = await store.append(sent)
            given = seqs([o.record for o in outcomes])
            assert given == sorted(given)
            assert not any(o.duplicate for o in outcomes)

    async def read() -> list[int]:
        seen: list[int] = []
        while True:
            finished = written.is_set()
            page = await reader.events_after("s", len(seen), 50)
            for record in page.records:
                # A number never comes before the one below it.
                assert record.seq == len(seen) + 1
                seen.append(record.seq)
            if finished and not page.records:
                return seen

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read())
        async with asyncio.TaskGroup() as writing:
            for number, store in enumerate(stores):
                writing.create_task(write(number, store))
        written.set()

    total = writers * rounds * batch
    assert reading.result() == list(range(1, total + 1))
    by_writer: dict[str, list[str]] = {}
    for record in await whole_log(reader, "s"):
        wire = orjson.loads(record.wire)
        assert wire["seq"] == record.seq
        by_writer.setdefault(wire["senderId"], []).append(wire["content"])
    for number in range(writers):
        assert by_writer[f"w{number}"] == [
            f"{number} {turn} {n}" for turn in range(rounds) for n in range(batch)
        ]


async def test_one_key_sent_through_many_processes_at_once_is_one_message(
    open_store: OpenStore,
) -> None:
    stores = [await open_store() for _ in range(4)]
    for turn in range(3):
        outcomes = await asyncio.gather(
            *(
                store.append(
                    [make_message("s", "noise"), make_message("s", "same", key=f"k{turn}")]
                )
                for store in stores
            )
        )
        assert sum(not same.duplicate for _, same in outcomes) == 1
        assert len({same.record.seq for _, same in outcomes}) == 1

    log = contents(await whole_log(stores[0], "s"))
    assert log.count("same") == 3
    assert log.count("noise") == 12


async def test_calls_at_once_on_one_store_do_not_disturb_each_other(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(store.append([make_message("s", f"{n}"), make_message(f"s{n}")]) for n in range(20))
    )

    assert sorted(first.record.seq for first, _ in outcomes) == list(range(1, 21))
    assert all(second.record.seq == 1 for _, second in outcomes)
