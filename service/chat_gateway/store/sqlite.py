"""The embedded store: one SQLite file in the data directory."""

from chat_gateway.store.sqlite_accounts import SqliteAccounts
from chat_gateway.store.sqlite_events import SqliteEvents
from chat_gateway.store.sqlite_sessions import SqliteSessions


class SqliteStore(SqliteEvents, SqliteAccounts, SqliteSessions):
    """`Store` over the SQLite file at a path, which is made where it is missing.

    Other processes may use the same file at the same time.
    """
