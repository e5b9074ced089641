"""The tables of the embedded store.

`wire` holds an event's bytes as they are sent; the other columns are what queries ask for. Events
stand in the order of their arrival, with an index for each session's own order: clustered by
session, a batch over many sessions changes a page for each event and costs twice as much.
"""

import sqlite3
from typing import Final

from chat_gateway.store.base import StoreUnavailable
from chat_gateway.store.sqlite_thread import transaction

VERSION: Final = 1
"""Written into the file; a later version of the service may change the tables and raise it."""

_TABLES: Final = (
    """CREATE TABLE account (
        id TEXT PRIMARY KEY,
        email TEXT UNIQUE,
        display_name TEXT NOT NULL,
        password_hash TEXT,
        created_at_ms INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE login (
        id TEXT PRIMARY KEY,
        account_id TEXT NOT NULL,
        refresh_hash TEXT NOT NULL,
        expires_at_ms INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX login_by_expiry ON login (expires_at_ms)",
    """CREATE TABLE ticket (
        hash TEXT PRIMARY KEY,
        account_id TEXT NOT NULL,
        login_id TEXT,
        token_expires_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX ticket_by_expiry ON ticket (expires_at_ms)",
    """CREATE TABLE session (
        id TEXT PRIMARY KEY,
        slot TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE member (
        session_id TEXT NOT NULL,
        account_id TEXT NOT NULL,
        display_name TEXT NOT NULL,
        role TEXT NOT NULL,
        joined_at_ms INTEGER NOT NULL,
        read_seq INTEGER NOT NULL,
        PRIMARY KEY (session_id, account_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX member_by_account ON member (account_id)",
    "CREATE INDEX member_by_standing ON member (session_id, joined_at_ms, account_id)",
    """CREATE TABLE invite (
        code TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        created_by TEXT NOT NULL,
        expires_at_ms INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX invite_by_session ON invite (session_id)",
    "CREATE INDEX invite_by_expiry ON invite (expires_at_ms)",
    """CREATE TABLE message (
        session_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        type TEXT NOT NULL,
        sender_id TEXT NOT NULL,
        key TEXT NOT NULL,
        created_at TEXT NOT NULL,
        wire BLOB NOT NULL
    )""",
    "CREATE UNIQUE INDEX message_by_seq ON message (session_id, seq)",
    "CREATE UNIQUE INDEX message_by_key ON message (session_id, sender_id, key)",
)


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing.

    Raises `StoreUnavailable` where a newer version of the service made them.
    """
    with transaction(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreUnavailable(f"the file is of version {version}, this service of {VERSION}")
        if version < VERSION:
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
