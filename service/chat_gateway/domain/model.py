"""The things that are stored: accounts, sessions, members, logins, and a log's records.

All points in time are whole milliseconds since 1970-01-01 UTC (`…_ms`).
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member may do in a session; see `domain.rules`."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person. `email` and `password_hash` are None where another issuer vouches for them."""

    id: str
    email: str | None
    display_name: str
    password_hash: str | None
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSession:
    """A chat session.

    `slot` is unique over all sessions: the session's own id, or `own:<account id>` for the one
    session that `PUT /api/me/session` makes for an account.
    """

    id: str
    slot: str
    title: str
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account in a session."""

    session_id: str
    account_id: str
    display_name: str
    role: Role
    joined_at_ms: int
    read_seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A durable event as it stands in a log.

    `wire` is its wire object as UTF-8 JSON, the very bytes that were and will be sent.
    """

    session_id: str
    seq: int
    type: str
    wire: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a log, oldest first, and whether more follows in the direction of reading."""

    records: list[Record]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What became of an event given to a log.

    Where its idempotency key was there already, `record` is the original and `duplicate` is true.
    """

    record: Record
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """A session as a member's list shows it.

    `members` holds at most `limits.MEMBERS_SHOWN_MAX`, longest-standing first; `unread` counts
    other people's messages after `read_seq`, up to `limits.UNREAD_COUNTED_MAX`.
    """

    session: ChatSession
    role: Role
    head: int
    read_seq: int
    unread: int
    last_message: Record | None
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A code that makes whoever accepts it a member, until it expires."""

    code: str
    session_id: str
    created_by: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One log-in of an account: the family of refresh tokens that grew from it.

    Only the newest refresh token counts; its hash is `refresh_hash`.
    """

    id: str
    account_id: str
    refresh_hash: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Opens one connection for an account, once. Stored under the hash of its secret."""

    hash: str
    account_id: str
    login_id: str | None
    token_expires_at_ms: int
    expires_at_ms: int
