"""The port to a store: what every store guarantees, and nothing of how.

One contract suite (`tests/store/`) runs on every implementation. All methods may raise
`StoreUnavailable`; what they then did is unknown, and every write here may safely be repeated.
"""

from collections.abc import Sequence
from typing import Protocol

from chat_gateway.domain.model import (
    Account,
    Appended,
    ChatSession,
    Invite,
    Login,
    Member,
    Page,
    Role,
    SessionSummary,
    Ticket,
)
from chat_protocol.errors import ProtocolError
from chat_protocol.events import DurableEvent


class StoreUnavailable(ProtocolError):
    """The store does not answer, or answered that it cannot write now.

    Clients are told `store_unavailable` and nothing more; `reason` is for the log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("store_unavailable")
        self.reason = reason


class EventStore(Protocol):
    """The logs: append-only, numbered 1, 2, 3, … in each session without holes."""

    async def append(self, events: Sequence[DurableEvent]) -> list[Appended]:
        """Store events durably, each at its session's next seq; one outcome for each, in order.

        When this returns, the events survive the death of the process and of the machine. Events
        of one session get ascending numbers in the order given. (session, sender,
        `idempotency_key`) is unique: an event whose key is there already (also earlier in the same
        call) is not stored, and its outcome carries the original with `duplicate`. Writers in
        other processes may append to the same session: a number is never given twice, and a
        reader never sees n+1 before n.
        """
        ...

    async def head(self, session_id: str) -> int:
        """The highest seq of a session; 0 where nothing was appended."""
        ...

    async def events_after(self, session_id: str, after: int, limit: int) -> Page:
        """A page of the records with seq > `after`, in order.

        Every page has `limit` records at most, and `limits.PAGE_MAX_BYTES` of `wire` at most
        unless it is one record; where anything follows, it has one at least. What a store reads
        at a time is bounded as well, however large the records are.
        """
        ...

    async def messages(
        self, session_id: str, *, before: int | None, after: int | None, limit: int
    ) -> Page:
        """A page of the records of type `message`, bounded as `events_after` bounds it.

        With `after`, those right after it; else the newest before `before` (or of all), and
        `more` says whether there are older ones.
        """
        ...


class AccountStore(Protocol):
    """Accounts, their logins and tickets."""

    async def create_account(self, account: Account) -> bool:
        """Store an account; False where its id or email is taken. Emails are given lower-case."""
        ...

    async def account(self, account_id: str) -> Account | None:
        """The account of this id."""
        ...

    async def account_by_email(self, email: str) -> Account | None:
        """The account of this email, given lower-case."""
        ...

    async def create_login(self, login: Login) -> None:
        """Store a login."""
        ...

    async def login(self, login_id: str) -> Login | None:
        """The login of this id, also when it has expired."""
        ...

    async def rotate_login(
        self, login_id: str, *, old_hash: str, new_hash: str, expires_at_ms: int
    ) -> bool:
        """Put `new_hash` where `old_hash` stands, atomically; False where it does not."""
        ...

    async def delete_login(self, login_id: str) -> bool:
        """Forget a login; False where there was none."""
        ...

    async def create_ticket(self, ticket: Ticket) -> None:
        """Store a ticket."""
        ...

    async def take_ticket(self, ticket_hash: str) -> Ticket | None:
        """Take a ticket out, so that of all callers one gets it."""
        ...

    async def delete_expired(self, now_ms: int) -> None:
        """Forget logins, tickets and invites that expired before `now_ms`."""
        ...


class SessionStore(Protocol):
    """Sessions, their members and invites."""

    async def create_session(self, session: ChatSession, owner: Member) -> ChatSession:
        """Store a session with its first member; where its slot is taken, return the one there.

        Atomic to readers: nobody finds a session without its owner for longer than a crash takes
        to be repaired by repeating the call.
        """
        ...

    async def session(self, session_id: str) -> ChatSession | None:
        """The session of this id."""
        ...

    async def rename_session(self, session_id: str, title: str) -> bool:
        """Set the title; False where there is no such session."""
        ...

    async def delete_session(self, session_id: str) -> bool:
        """Delete a session with its members, invites and log; False where there was none."""
        ...

    async def summaries(self, account_id: str) -> list[SessionSummary]:
        """All sessions that an account is a member of, the newest event (or session) first."""
        ...

    async def summary(self, session_id: str, account_id: str) -> SessionSummary | None:
        """One session as a member sees it; None where they are not a member."""
        ...

    async def add_member(self, member: Member) -> bool:
        """Add a member; False where they are one already (nothing is changed then)."""
        ...

    async def member(self, session_id: str, account_id: str) -> Member | None:
        """An account's membership."""
        ...

    async def members(self, session_id: str, limit: int | None = None) -> list[Member]:
        """The members of a session, longest-standing first."""
        ...

    async def set_role(self, session_id: str, account_id: str, role: Role) -> bool:
        """Change a role; False where they are not a member."""
        ...

    async def remove_member(self, session_id: str, account_id: str) -> bool:
        """Remove a member; False where they were none."""
        ...

    async def owners(self, session_id: str) -> int:
        """How many owners a session has."""
        ...

    async def mark_read(self, session_id: str, account_id: str, seq: int) -> int:
        """Raise a member's `read_seq` to `seq`, never lower it; returns what stands then.

        0 where they are not a member.
        """
        ...

    async def create_invite(self, invite: Invite) -> None:
        """Store an invite."""
        ...

    async def invite(self, code: str) -> Invite | None:
        """The invite of this code, also when it has expired."""
        ...


class Store(EventStore, AccountStore, SessionStore, Protocol):
    """Everything that is kept, and the life of the connection to it."""

    async def open(self) -> None:
        """Connect, and make tables or collections and their indexes where they are missing."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go."""
        ...

    async def ping(self) -> None:
        """Return when the store answers; raises `StoreUnavailable` within 2 seconds if not."""
        ...
