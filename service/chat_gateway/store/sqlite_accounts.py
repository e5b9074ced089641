"""Accounts, logins and tickets in SQLite."""

import sqlite3
from typing import Any, Final

from chat_gateway.domain.model import Account, Login, Ticket
from chat_gateway.store.sqlite_database import SqliteDatabase
from chat_gateway.store.sqlite_thread import transaction

_ACCOUNT: Final = "SELECT id, email, display_name, password_hash, created_at_ms FROM account"
_LOGIN: Final = "SELECT id, account_id, refresh_hash, expires_at_ms FROM login WHERE id = ?"
_TAKE_TICKET: Final = """
    DELETE FROM ticket WHERE hash = ?
    RETURNING hash, account_id, login_id, token_expires_at_ms, expires_at_ms"""
_DELETE_EXPIRED: Final = (
    "DELETE FROM login WHERE expires_at_ms < ?",
    "DELETE FROM ticket WHERE expires_at_ms < ?",
    "DELETE FROM invite WHERE expires_at_ms < ?",
)


class SqliteAccounts(SqliteDatabase):
    """`AccountStore` over one SQLite file."""

    async def create_account(self, account: Account) -> bool:
        """Store an account; False where its id or email is taken."""
        values = (
            account.id,
            account.email,
            account.display_name,
            account.password_hash,
            account.created_at_ms,
        )
        return await self._writer.run(
            change,
            "INSERT INTO account (id, email, display_name, password_hash, created_at_ms)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            values,
        )

    async def account(self, account_id: str) -> Account | None:
        """The account of this id."""
        return await self._reader.run(_read_account, f"{_ACCOUNT} WHERE id = ?", account_id)

    async def account_by_email(self, email: str) -> Account | None:
        """The account of this email, given lower-case."""
        return await self._reader.run(_read_account, f"{_ACCOUNT} WHERE email = ?", email)

    async def create_login(self, login: Login) -> None:
        """Store a login."""
        values = (login.id, login.account_id, login.refresh_hash, login.expires_at_ms)
        await self._writer.run(
            change,
            "INSERT INTO login (id, account_id, refresh_hash, expires_at_ms)"
            " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            values,
        )

    async def login(self, login_id: str) -> Login | None:
        """The login of this id, also when it has expired."""
        return await self._reader.run(_read_login, login_id)

    async def rotate_login(
        self, login_id: str, *, old_hash: str, new_hash: str, expires_at_ms: int
    ) -> bool:
        """Put `new_hash` where `old_hash` stands, atomically; False where it does not."""
        return await self._writer.run(
            change,
            "UPDATE login SET refresh_hash = ?, expires_at_ms = ?"
            " WHERE id = ? AND refresh_hash = ?",
            (new_hash, expires_at_ms, login_id, old_hash),
        )

    async def delete_login(self, login_id: str) -> bool:
        """Forget a login; False where there was none."""
        return await self._writer.run(change, "DELETE FROM login WHERE id = ?", (login_id,))

    async def create_ticket(self, ticket: Ticket) -> None:
        """Store a ticket."""
        values = (
            ticket.hash,
            ticket.account_id,
            ticket.login_id,
            ticket.token_expires_at_ms,
            ticket.expires_at_ms,
        )
        await self._writer.run(
            change,
            "INSERT INTO ticket (hash, account_id, login_id, token_expires_at_ms, expires_at_ms)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            values,
        )

    async def take_ticket(self, ticket_hash: str) -> Ticket | None:
        """Take a ticket out, so that of all callers one gets it."""
        return await self._writer.run(_take_ticket, ticket_hash)

    async def delete_expired(self, now_ms: int) -> None:
        """Forget logins, tickets and invites that expired before `now_ms`."""
        await self._writer.run(_delete_expired, now_ms)


def change(
    connection: sqlite3.Connection, statement: str, values: tuple[str | int | None, ...]
) -> bool:
    """Carry out one writing statement; whether it changed a row."""
    with transaction(connection):
        return connection.execute(statement, values).rowcount > 0


def _read_account(connection: sqlite3.Connection, query: str, value: str) -> Account | None:
    row: tuple[Any, ...] | None = connection.execute(query, (value,)).fetchone()
    if row is None:
        return None
    account_id, email, display_name, password_hash, created_at_ms = row
    return Account(
        id=account_id,
        email=email,
        display_name=display_name,
        password_hash=password_hash,
        created_at_ms=created_at_ms,
    )


def _read_login(connection: sqlite3.Connection, login_id: str) -> Login | None:
    row: tuple[Any, ...] | None = connection.execute(_LOGIN, (login_id,)).fetchone()
    if row is None:
        return None
    login_id, account_id, refresh_hash, expires_at_ms = row
    return Login(
        id=login_id,
        account_id=account_id,
        refresh_hash=refresh_hash,
        expires_at_ms=expires_at_ms,
    )


def _take_ticket(connection: sqlite3.Connection, ticket_hash: str) -> Ticket | None:
    with transaction(connection):
        row: tuple[Any, ...] | None = connection.execute(_TAKE_TICKET, (ticket_hash,)).fetchone()
    if row is None:
        return None
    ticket_hash, account_id, login_id, token_expires_at_ms, expires_at_ms = row
    return Ticket(
        hash=ticket_hash,
        account_id=account_id,
        login_id=login_id,
        token_expires_at_ms=token_expires_at_ms,
        expires_at_ms=expires_at_ms,
    )


def _delete_expired(connection: sqlite3.Connection, now_ms: int) -> None:
    with transaction(connection):
        for statement in _DELETE_EXPIRED:
            connection.execute(statement, (now_ms,))
