"""A connection to an SQLite file, on a thread of its own so that no disk stops the event loop."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from chat_gateway.store.base import StoreUnavailable

BUSY_TIMEOUT_S: Final = 5.0
"""How long a write waits for another process's write before it fails."""

CHECKPOINT_PAGES: Final = 4000
"""The write-ahead log is copied into the file when it is this long (4 KiB each): pages that were
written many times meanwhile are copied once, and the copying stays a matter of milliseconds."""

CACHE_KIB: Final = 16 * 1024

P = ParamSpec("P")
T = TypeVar("T")


class SqliteThread:
    """Runs work on its one connection, one piece after the other."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._executor: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Start the thread and connect."""
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)
        try:
            self._connection = await self._call(connect, self._path)
        except BaseException:
            self._executor.shutdown()
            self._executor = None
            raise

    async def run(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call `work` with the connection, on the thread; what failed is `StoreUnavailable`."""
        connection = self._connection
        if connection is None:
            raise StoreUnavailable("the store is closed")
        return await self._call(work, connection, *args, **kwargs)

    async def close(self) -> None:
        """Finish what was asked for, disconnect, and end the thread."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._call(connection.close)
        if self._executor is not None:
            # Its last piece of work is done, so the thread has nothing left to wait for.
            self._executor.shutdown()
            self._executor = None

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._executor is None:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: _guard(work, *args, **kwargs))


def _guard(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `work`; what the disk, the file or another process did wrong is `StoreUnavailable`.

    Faults of our own (a broken constraint, a misused connection) stay as they are.
    """
    try:
        return work(*args, **kwargs)
    except (sqlite3.OperationalError, OSError) as error:
        raise StoreUnavailable(str(error)) from error
    except sqlite3.DatabaseError as error:
        if type(error) is sqlite3.DatabaseError:
            raise StoreUnavailable(str(error)) from error
        raise


def connect(path: Path) -> sqlite3.Connection:
    """Open the file (only its owner may read it) in the mode that survives a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        _set_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


def _set_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait (busy timeout) when two processes change the mode at the same moment.
    give_up_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and alone among writers from its first statement on."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """All reads inside see the file at one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")
