"""Sessions, their members and invites in SQLite."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from chat_gateway.domain.model import ChatSession, Invite, Member, Role, SessionSummary
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.store.sqlite_accounts import change
from chat_gateway.store.sqlite_database import SqliteDatabase
from chat_gateway.store.sqlite_events import read_head, read_last_message
from chat_gateway.store.sqlite_thread import snapshot, transaction
from chat_protocol import limits
from chat_protocol.codec import MESSAGE_TYPE

_SESSION: Final = "SELECT id, slot, title, created_at_ms FROM session"
_MEMBER: Final = """
    SELECT session_id, account_id, display_name, role, joined_at_ms, read_seq FROM member"""
_ONE_MEMBER: Final = f"{_MEMBER} WHERE session_id = ? AND account_id = ?"
_MEMBERS: Final = f"{_MEMBER} WHERE session_id = ? ORDER BY joined_at_ms, account_id LIMIT ?"
_ADD_MEMBER: Final = """
    INSERT INTO member (session_id, account_id, display_name, role, joined_at_ms, read_seq)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_OWNERS: Final = "SELECT count(*) FROM member WHERE session_id = ? AND role = ?"
_MARK_READ: Final = """
    UPDATE member SET read_seq = max(read_seq, ?) WHERE session_id = ? AND account_id = ?
    RETURNING read_seq"""
_INVITE: Final = "SELECT code, session_id, created_by, expires_at_ms FROM invite WHERE code = ?"
_UNREAD: Final = """
    SELECT count(*) FROM (
        SELECT 1 FROM message
        WHERE session_id = ? AND seq > ? AND type = ? AND sender_id <> ? LIMIT ?)"""
_SAID_AT: Final = "SELECT created_at FROM message WHERE session_id = ? AND seq = ?"
_DELETE_CONTENTS: Final = (
    "DELETE FROM message WHERE session_id = ?",
    "DELETE FROM invite WHERE session_id = ?",
    "DELETE FROM member WHERE session_id = ?",
)
_NO_LIMIT: Final = -1

_SUMMARIES_AT_ONCE: Final = 50


class SqliteSessions(SqliteDatabase):
    """`SessionStore` over one SQLite file."""

    async def create_session(self, session: ChatSession, owner: Member) -> ChatSession:
        """Store a session with its first member; where its slot is taken, return the one there."""
        return await self._writer.run(_create_session, session, owner)

    async def session(self, session_id: str) -> ChatSession | None:
        """The session of this id."""
        return await self._reader.run(_read_session, f"{_SESSION} WHERE id = ?", session_id)

    async def rename_session(self, session_id: str, title: str) -> bool:
        """Set the title; False where there is no such session."""
        return await self._writer.run(
            change, "UPDATE session SET title = ? WHERE id = ?", (title, session_id)
        )

    async def delete_session(self, session_id: str) -> bool:
        """Delete a session with its members, invites and log; False where there was none."""
        return await self._writer.run(self._delete_session, session_id)

    async def summaries(self, account_id: str) -> list[SessionSummary]:
        """All sessions that an account is a member of, the newest event (or session) first."""
        own = await self._reader.run(
            _read_members, f"{_MEMBER} WHERE account_id = ?", (account_id,)
        )
        dated: list[tuple[str, SessionSummary]] = []
        # In pieces: whoever has thousands of sessions does not keep the others from reading.
        for begin in range(0, len(own), _SUMMARIES_AT_ONCE):
            piece = own[begin : begin + _SUMMARIES_AT_ONCE]
            dated += await self._reader.run(_read_summaries, piece)
        dated.sort(key=lambda one: (one[0], one[1].session.id), reverse=True)
        return [summary for _, summary in dated]

    async def summary(self, session_id: str, account_id: str) -> SessionSummary | None:
        """One session as a member sees it; None where they are not a member."""
        return await self._reader.run(_read_summary, session_id, account_id)

    async def add_member(self, member: Member) -> bool:
        """Add a member; False where they are one already (nothing is changed then)."""
        return await self._writer.run(change, _ADD_MEMBER, _member_row(member))

    async def member(self, session_id: str, account_id: str) -> Member | None:
        """An account's membership."""
        members = await self._reader.run(_read_members, _ONE_MEMBER, (session_id, account_id))
        return members[0] if members else None

    async def members(self, session_id: str, limit: int | None = None) -> list[Member]:
        """The members of a session, longest-standing first."""
        most = _NO_LIMIT if limit is None else limit
        return await self._reader.run(_read_members, _MEMBERS, (session_id, most))

    async def set_role(self, session_id: str, account_id: str, role: Role) -> bool:
        """Change a role; False where they are not a member."""
        return await self._writer.run(
            change,
            "UPDATE member SET role = ? WHERE session_id = ? AND account_id = ?",
            (role.value, session_id, account_id),
        )

    async def remove_member(self, session_id: str, account_id: str) -> bool:
        """Remove a member; False where they were none."""
        return await self._writer.run(
            change,
            "DELETE FROM member WHERE session_id = ? AND account_id = ?",
            (session_id, account_id),
        )

    async def owners(self, session_id: str) -> int:
        """How many owners a session has."""
        return await self._reader.run(_read_number, _OWNERS, (session_id, Role.OWNER.value))

    async def mark_read(self, session_id: str, account_id: str, seq: int) -> int:
        """Raise a member's `read_seq` to `seq`, never lower it; returns what stands then."""
        return await self._writer.run(_mark_read, session_id, account_id, seq)

    async def create_invite(self, invite: Invite) -> None:
        """Store an invite."""
        await self._writer.run(
            change,
            "INSERT INTO invite (code, session_id, created_by, expires_at_ms)"
            " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (invite.code, invite.session_id, invite.created_by, invite.expires_at_ms),
        )

    async def invite(self, code: str) -> Invite | None:
        """The invite of this code, also when it has expired."""
        return await self._reader.run(_read_invite, code)

    def _delete_session(self, connection: sqlite3.Connection, session_id: str) -> bool:
        with transaction(connection):
            for statement in _DELETE_CONTENTS:
                connection.execute(statement, (session_id,))
            deleted = connection.execute("DELETE FROM session WHERE id = ?", (session_id,))
            self._heads.pop(session_id, None)
            return deleted.rowcount > 0


# --- writing ------------------------------------------------------------------------------------


def _create_session(
    connection: sqlite3.Connection, session: ChatSession, owner: Member
) -> ChatSession:
    with transaction(connection):
        there = _read_session(connection, f"{_SESSION} WHERE slot = ?", session.slot)
        if there is not None:
            return there
        connection.execute(
            "INSERT INTO session (id, slot, title, created_at_ms) VALUES (?, ?, ?, ?)",
            (session.id, session.slot, session.title, session.created_at_ms),
        )
        connection.execute(_ADD_MEMBER, _member_row(owner))
        return session


def _member_row(member: Member) -> tuple[str | int, ...]:
    return (
        member.session_id,
        member.account_id,
        member.display_name,
        member.role.value,
        member.joined_at_ms,
        member.read_seq,
    )


def _mark_read(connection: sqlite3.Connection, session_id: str, account_id: str, seq: int) -> int:
    with transaction(connection):
        return _read_number(connection, _MARK_READ, (seq, session_id, account_id))


# --- reading ------------------------------------------------------------------------------------


def _read_session(connection: sqlite3.Connection, query: str, value: str) -> ChatSession | None:
    row: tuple[Any, ...] | None = connection.execute(query, (value,)).fetchone()
    if row is None:
        return None
    session_id, slot, title, created_at_ms = row
    return ChatSession(id=session_id, slot=slot, title=title, created_at_ms=created_at_ms)


def _read_members(
    connection: sqlite3.Connection, query: str, values: tuple[str | int, ...]
) -> list[Member]:
    return [
        Member(
            session_id=session_id,
            account_id=account_id,
            display_name=display_name,
            role=Role(role),
            joined_at_ms=joined_at_ms,
            read_seq=read_seq,
        )
        for session_id, account_id, display_name, role, joined_at_ms, read_seq in (
            connection.execute(query, values)
        )
    ]


def _read_number(connection: sqlite3.Connection, query: str, values: tuple[str | int, ...]) -> int:
    """The number that a query gives; 0 where it gives no row."""
    row: tuple[int] | None = connection.execute(query, values).fetchone()
    return 0 if row is None else row[0]


def _read_invite(connection: sqlite3.Connection, code: str) -> Invite | None:
    row: tuple[Any, ...] | None = connection.execute(_INVITE, (code,)).fetchone()
    if row is None:
        return None
    code, session_id, created_by, expires_at_ms = row
    return Invite(
        code=code, session_id=session_id, created_by=created_by, expires_at_ms=expires_at_ms
    )


def _read_summary(
    connection: sqlite3.Connection, session_id: str, account_id: str
) -> SessionSummary | None:
    with snapshot(connection):
        own = _read_members(connection, _ONE_MEMBER, (session_id, account_id))
        return _summarise(connection, own[0]) if own else None


def _read_summaries(
    connection: sqlite3.Connection, own: Sequence[Member]
) -> list[tuple[str, SessionSummary]]:
    """Each session as its member sees it, and when its newest event was said."""
    with snapshot(connection):
        found = [_summarise(connection, member) for member in own]
        return [(_moved_at(connection, one), one) for one in found if one is not None]


def _summarise(connection: sqlite3.Connection, own: Member) -> SessionSummary | None:
    session = _read_session(connection, f"{_SESSION} WHERE id = ?", own.session_id)
    if session is None:
        return None
    unread_of = (
        session.id,
        own.read_seq,
        MESSAGE_TYPE,
        own.account_id,
        limits.UNREAD_COUNTED_MAX,
    )
    shown = _read_members(connection, _MEMBERS, (session.id, limits.MEMBERS_SHOWN_MAX))
    return SessionSummary(
        session=session,
        role=own.role,
        head=read_head(connection, session.id),
        read_seq=own.read_seq,
        unread=_read_number(connection, _UNREAD, unread_of),
        last_message=read_last_message(connection, session.id),
        members=tuple(shown),
    )


def _moved_at(connection: sqlite3.Connection, summary: SessionSummary) -> str:
    """When the newest event of a session was said; when it was made where there is none."""
    row: tuple[str] | None = connection.execute(
        _SAID_AT, (summary.session.id, summary.head)
    ).fetchone()
    return rfc3339(summary.session.created_at_ms) if row is None else row[0]
