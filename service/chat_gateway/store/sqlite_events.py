"""The logs in SQLite: a call of `append` is one transaction."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final

from chat_gateway.domain.model import Appended, Page, Record
from chat_gateway.store.filling import Filling
from chat_gateway.store.sqlite_database import SqliteDatabase
from chat_gateway.store.sqlite_thread import transaction
from chat_protocol.codec import MESSAGE_TYPE, encode_durable
from chat_protocol.events import DurableEvent

HEADS_MAX: Final = 100_000
"""Heads remembered; where there are more sessions than that, they are read anew."""

_INSERT: Final = """
    INSERT INTO message (session_id, seq, type, sender_id, key, created_at, wire)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (session_id, sender_id, key) DO NOTHING"""
_ORIGINAL: Final = """
    SELECT session_id, seq, type, wire FROM message
    WHERE session_id = ? AND sender_id = ? AND key = ?"""
_HEAD: Final = "SELECT max(seq) FROM message WHERE session_id = ?"
_EVENTS_AFTER: Final = """
    SELECT session_id, seq, type, wire FROM message
    WHERE session_id = ? AND seq > ? ORDER BY seq LIMIT ?"""
_MESSAGES_AFTER: Final = """
    SELECT session_id, seq, type, wire FROM message
    WHERE session_id = ? AND type = ? AND seq > ? ORDER BY seq LIMIT ?"""
_MESSAGES_BEFORE: Final = """
    SELECT session_id, seq, type, wire FROM message
    WHERE session_id = ? AND type = ? AND seq < ? ORDER BY seq DESC LIMIT ?"""
_SEQ_MAX: Final = 2**63 - 1


class _Repeat(Exception):
    """An event of the batch is in the log already, so that the numbers of the batch are wrong."""


class SqliteEvents(SqliteDatabase):
    """`EventStore` over one SQLite file."""

    _file_version: int | None = None

    async def append(self, events: Sequence[DurableEvent]) -> list[Appended]:
        """Store events durably, each at its session's next seq; see the port."""
        return await self._writer.run(self._append, events) if events else []

    async def head(self, session_id: str) -> int:
        """The highest seq of a session; 0 where nothing was appended."""
        return await self._reader.run(read_head, session_id)

    async def events_after(self, session_id: str, after: int, limit: int) -> Page:
        """A page of the records with seq > `after`, in order; see the port."""
        return await self._reader.run(_read_events, session_id, after, limit)

    async def messages(
        self, session_id: str, *, before: int | None, after: int | None, limit: int
    ) -> Page:
        """A page of the records of type `message`, oldest first; see the port."""
        return await self._reader.run(
            _read_messages, session_id, before=before, after=after, limit=limit
        )

    # --- on the writing thread ------------------------------------------------------------------

    def _append(
        self, connection: sqlite3.Connection, events: Sequence[DurableEvent]
    ) -> list[Appended]:
        try:
            try:
                with transaction(connection):
                    heads = self._read_heads(connection, events)
                    outcomes = _append_new(connection, events, heads)
            except _Repeat:
                with transaction(connection):
                    heads = self._read_heads(connection, events)
                    outcomes = _append_each(connection, events, heads)
        except BaseException:
            # A commit that failed may have reached the file all the same.
            self._heads.clear()
            raise
        if len(self._heads) > HEADS_MAX:
            self._heads.clear()
        self._heads.update(heads)
        return outcomes

    def _read_heads(
        self, connection: sqlite3.Connection, events: Sequence[DurableEvent]
    ) -> dict[str, int]:
        """The heads of the events' sessions, in a transaction that nobody can write beside.

        The version of the file tells whether another connection has changed it since they were
        remembered.
        """
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._file_version:
            self._file_version = version
            self._heads.clear()
        heads: dict[str, int] = {}
        for event in events:
            session_id = event.session_id
            if session_id not in heads:
                known = self._heads.get(session_id)
                heads[session_id] = read_head(connection, session_id) if known is None else known
        return heads


def _append_new(
    connection: sqlite3.Connection, events: Sequence[DurableEvent], heads: dict[str, int]
) -> list[Appended]:
    """Append events none of which should be there already; raises `_Repeat` where one is."""
    rows: list[tuple[Any, ...]] = []
    outcomes: list[Appended] = []
    for event in events:
        heads[event.session_id] += 1
        record = _number(event, heads[event.session_id])
        rows.append(_row(event, record))
        outcomes.append(Appended(record=record, duplicate=False))
    if connection.executemany(_INSERT, rows).rowcount != len(rows):
        raise _Repeat
    return outcomes


def _append_each(
    connection: sqlite3.Connection, events: Sequence[DurableEvent], heads: dict[str, int]
) -> list[Appended]:
    """Append events some of which are there already: ask for each."""
    outcomes: list[Appended] = []
    for event in events:
        key = (event.session_id, event.sender_id, event.idempotency_key)
        original = _read_record(connection, _ORIGINAL, key)
        if original is not None:
            outcomes.append(Appended(record=original, duplicate=True))
            continue
        heads[event.session_id] += 1
        record = _number(event, heads[event.session_id])
        connection.execute(_INSERT, _row(event, record))
        outcomes.append(Appended(record=record, duplicate=False))
    return outcomes


def _number(event: DurableEvent, seq: int) -> Record:
    return Record(
        session_id=event.session_id, seq=seq, type=event.type, wire=encode_durable(event, seq)
    )


def _row(event: DurableEvent, record: Record) -> tuple[Any, ...]:
    return (
        record.session_id,
        record.seq,
        record.type,
        event.sender_id,
        event.idempotency_key,
        event.created_at,
        record.wire,
    )


# --- on either thread ---------------------------------------------------------------------------


def read_head(connection: sqlite3.Connection, session_id: str) -> int:
    """The highest seq of a session; 0 where nothing was appended."""
    seq: int | None = connection.execute(_HEAD, (session_id,)).fetchone()[0]
    return seq or 0


def read_last_message(connection: sqlite3.Connection, session_id: str) -> Record | None:
    """The newest message of a session."""
    return _read_record(connection, _MESSAGES_BEFORE, (session_id, MESSAGE_TYPE, _SEQ_MAX, 1))


def _read_events(connection: sqlite3.Connection, session_id: str, after: int, limit: int) -> Page:
    return _read_filling(connection, _EVENTS_AFTER, (session_id, after), limit).page()


def _read_messages(
    connection: sqlite3.Connection,
    session_id: str,
    *,
    before: int | None,
    after: int | None,
    limit: int,
) -> Page:
    if after is not None:
        of = (session_id, MESSAGE_TYPE, after)
        return _read_filling(connection, _MESSAGES_AFTER, of, limit).page()
    of = (session_id, MESSAGE_TYPE, _SEQ_MAX if before is None else before)
    return _read_filling(connection, _MESSAGES_BEFORE, of, limit).page(newest_first=True)


def _read_filling(
    connection: sqlite3.Connection, query: str, values: tuple[str | int, ...], limit: int
) -> Filling:
    """A page, read row by row: rows that do not fit are never fetched.

    One row more than `limit` tells whether more follows.
    """
    filling = Filling(limit)
    # A cursor that is left half read would hold on to its moment of the file.
    with closing(connection.execute(query, (*values, limit + 1))) as rows:
        for record in _records(rows):
            if not filling.take(record):
                break
    return filling


def _read_record(
    connection: sqlite3.Connection, query: str, values: tuple[str | int, ...]
) -> Record | None:
    """The one record that a query finds."""
    return next(_records(connection.execute(query, values)), None)


def _records(rows: sqlite3.Cursor) -> Iterator[Record]:
    return (
        Record(session_id=session_id, seq=seq, type=kind, wire=wire)
        for session_id, seq, kind, wire in rows
    )
