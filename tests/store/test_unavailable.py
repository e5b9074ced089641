"""A store that is closed, absent, locked, hung or full says so, quickly, and recovers."""

import asyncio
import resource
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chat_gateway.store import sqlite_thread
from chat_gateway.store.base import Store, StoreUnavailable
from chat_gateway.store.mongo import MongoStore
from chat_gateway.store.sqlite import SqliteStore
from chat_protocol.errors import ProtocolError
from tests.parts.server import free_port
from tests.parts.stores import make_store
from tests.store.conftest import OpenStore
from tests.store.making import contents, make_member, make_message, make_session, seqs, whole_log
from tests.store.relay import Relay

CALLS: list[Callable[[Store], Awaitable[object]]] = [
    lambda store: store.append([make_message("s")]),
    lambda store: store.head("s"),
    lambda store: store.events_after("s", 0, 1),
    lambda store: store.messages("s", before=None, after=None, limit=1),
    lambda store: store.account("a"),
    lambda store: store.take_ticket("t"),
    lambda store: store.create_session(make_session(slot="x"), make_member("s")),
    lambda store: store.summaries("a"),
    lambda store: store.delete_expired(1),
    lambda store: store.ping(),
]


async def test_a_store_answers_while_it_is_open(store: Store) -> None:
    await store.ping()
    for call in CALLS:
        await call(store)


async def test_a_closed_store_refuses_everything(store_url: str) -> None:
    store = make_store(store_url)
    await store.open()
    await store.close()
    await store.close()

    for call in CALLS:
        with pytest.raises(StoreUnavailable):
            await call(store)


async def test_a_store_can_be_opened_again_and_has_everything(store_url: str) -> None:
    store = make_store(store_url)
    for n in range(1, 4):
        await store.open()
        [outcome] = await store.append([make_message("s", f"{n}")])
        assert outcome.record.seq == n
        await store.close()


async def test_many_processes_may_open_a_fresh_store_at_once(open_store: OpenStore) -> None:
    stores = await asyncio.gather(*(open_store() for _ in range(6)))
    await asyncio.gather(*(store.append([make_message("s")]) for store in stores))
    assert await stores[0].head("s") == 6


def test_a_client_is_told_that_the_store_is_unavailable_and_no_more() -> None:
    refusal = StoreUnavailable("/secret/path is full")
    assert isinstance(refusal, ProtocolError)
    assert refusal.spec.retryable
    assert "secret" not in str(refusal)


# --- MongoDB ------------------------------------------------------------------------------------


async def test_a_server_that_is_not_there_is_reported_within_two_seconds() -> None:
    store = MongoStore(f"mongodb://127.0.0.1:{free_port()}/x")
    begun_s = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await store.open()
    assert time.monotonic() - begun_s < 2.5


@pytest.mark.mongo
async def test_a_server_that_hangs_fails_the_ping_within_two_seconds(mongo_url: str) -> None:
    async with Relay(mongo_url) as relay:
        store = MongoStore(relay.url)
        await store.open()
        relay.hang()
        begun_s = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await store.ping()
        assert time.monotonic() - begun_s < 2.5
        relay.cut()
        await store.ping()
        await store.close()


@pytest.mark.mongo
async def test_an_append_whose_answer_was_lost_is_found_by_repeating_it(mongo_url: str) -> None:
    async with Relay(mongo_url) as relay:
        store = MongoStore(relay.url)
        await store.open()
        await store.append([make_message("s", "before")])
        batch = [make_message("s", f"{n}", key=f"k{n}") for n in range(3)]
        relay.lose_answers()
        with pytest.raises(StoreUnavailable):
            await store.append(batch)
        relay.cut()

        outcomes = await store.append([*batch, make_message("s", "after")])
        assert [(o.record.seq, o.duplicate) for o in outcomes] == [
            (2, True),
            (3, True),
            (4, True),
            (5, False),
        ]
        assert contents(await whole_log(store, "s")) == ["before", "0", "1", "2", "after"]
        await store.close()


# --- SQLite -------------------------------------------------------------------------------------


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A file with a log of one message."""
    path = tmp_path / "chat.db"
    store = SqliteStore(path)
    await store.open()
    await store.append([make_message("s", "before")])
    await store.close()
    return path


async def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreUnavailable):
        await SqliteStore(tmp_path / "file" / "chat.db").open()


async def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "chat.db").write_bytes(b"something else " * 1000)
    with pytest.raises(StoreUnavailable):
        await SqliteStore(tmp_path / "chat.db").open()


async def test_a_file_of_a_later_version_is_left_alone(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreUnavailable, match="store_unavailable") as refused:
        await SqliteStore(file).open()
    assert "99" in refused.value.reason


async def test_a_file_that_another_process_locks_is_reported_and_read_on(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_thread, "BUSY_TIMEOUT_S", 0.2)
    store = SqliteStore(file)
    await store.open()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable):
        await store.append([make_message("s", "lost")])
    with pytest.raises(StoreUnavailable):
        await store.ping()
    assert contents(await whole_log(store, "s")) == ["before"]

    other.execute("ROLLBACK")
    other.close()
    await store.ping()
    await store.append([make_message("s", "after")])
    assert contents(await whole_log(store, "s")) == ["before", "after"]
    await store.close()


async def test_a_ping_does_not_wait_longer_than_two_seconds_for_a_lock(file: Path) -> None:
    store = SqliteStore(file)
    await store.open()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun_s = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await store.ping()
    assert time.monotonic() - begun_s < 2
    other.execute("ROLLBACK")
    other.close()
    await store.close()


async def test_a_full_disk_loses_nothing_that_was_acknowledged(file: Path) -> None:
    store = SqliteStore(file)
    await store.open()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    acknowledged = ["before"]
    # No file of this process may grow over a mebibyte now, as on a disk that is full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with pytest.raises(StoreUnavailable):
            for n in range(10_000):
                text = f"{n} " + "x" * 3000
                await store.append([make_message("s", text)])
                acknowledged.append(text)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    await store.append([make_message("s", "after")])
    log = await whole_log(store, "s")
    assert contents(log) == [*acknowledged, "after"]
    assert seqs(log) == list(range(1, len(log) + 1))
    await store.close()


async def test_what_is_committed_is_synced_to_the_disk(file: Path) -> None:
    store = SqliteStore(file)
    await store.open()
    assert await store._writer.run(pragma, "journal_mode") == "wal"
    assert await store._writer.run(pragma, "synchronous") == 2
    await store.close()


def pragma(connection: sqlite3.Connection, name: str) -> object:
    """What a connection is set to."""
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_only_its_owner_may_read_the_file(file: Path) -> None:
    assert file.stat().st_mode & 0o077 == 0


async def test_closing_ends_the_threads_and_leaves_one_file(file: Path) -> None:
    store = SqliteStore(file)
    await store.open()
    await store.append([make_message("s")])
    assert [t for t in threading.enumerate() if t.name.startswith("sqlite-")]
    await store.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("sqlite-")]
    assert [path.name for path in file.parent.iterdir()] == ["chat.db"]
