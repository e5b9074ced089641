"""One SQLite file, written by one thread and read by another."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Final

from chat_gateway.store.base import StoreUnavailable
from chat_gateway.store.sqlite_schema import prepare
from chat_gateway.store.sqlite_thread import SqliteThread, transaction

PING_TIMEOUT_S: Final = 1.5


class SqliteDatabase:
    """What the parts of the store share.

    `_heads` are the heads of logs as the writing thread last left them; only that thread touches
    them. They hold as long as no other connection has changed the file (see `SqliteEvents`).
    """

    def __init__(self, path: Path) -> None:
        self._writer = SqliteThread(path, "sqlite-writer")
        self._reader = SqliteThread(path, "sqlite-reader")
        self._heads: dict[str, int] = {}

    async def open(self) -> None:
        """Open the file, and make the tables where they are missing."""
        try:
            await self._writer.open()
            await self._writer.run(prepare)
            await self._reader.open()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish what was begun; when this returns, both threads have ended."""
        await self._reader.close()
        await self._writer.close()

    async def ping(self) -> None:
        """Return when something could be written; raises `StoreUnavailable` within 2 s if not."""
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self._writer.run(_begin_to_write)
        except TimeoutError:
            raise StoreUnavailable(f"no turn to write within {PING_TIMEOUT_S} s") from None


def _begin_to_write(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        connection.execute("SELECT 1 FROM account LIMIT 1").fetchone()
