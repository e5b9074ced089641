"""Things to store."""

from collections.abc import Iterable
from typing import Final

import orjson

from chat_gateway.domain.ids import new_id
from chat_gateway.domain.model import Account, ChatSession, Member, Page, Record, Role
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.store.base import Store
from chat_protocol.events import MemberChanged, Message

T0_MS: Final = 1_780_000_000_000


def make_message(
    session_id: str,
    content: str = "hello",
    *,
    sender: str = "alice",
    key: str | None = None,
    at_ms: int = T0_MS,
) -> Message:
    """A message; its key is made by the server where none is given."""
    message_id = new_id(at_ms)
    return Message(
        session_id=session_id,
        id=message_id,
        sender_id=sender,
        sender_name=sender.title(),
        content=content,
        client_message_id=key or message_id,
        created_at=rfc3339(at_ms),
    )


def make_joined(session_id: str, account: str = "alice") -> MemberChanged:
    """An event that is not a message."""
    return MemberChanged(
        session_id=session_id,
        id=new_id(T0_MS),
        sender_id=account,
        created_at=rfc3339(T0_MS),
        account_id=account,
        display_name=account.title(),
        role="member",
        action="joined",
    )


def make_account(name: str = "alice", *, email: str | None = None) -> Account:
    """An account."""
    return Account(
        id=new_id(T0_MS),
        email=email,
        display_name=name.title(),
        password_hash="$argon2id$…" if email else None,
        created_at_ms=T0_MS,
    )


def make_session(
    *, slot: str | None = None, title: str = "Chat", at_ms: int = T0_MS
) -> ChatSession:
    """A session, in a slot of its own where none is given."""
    session_id = new_id(at_ms)
    return ChatSession(id=session_id, slot=slot or session_id, title=title, created_at_ms=at_ms)


def make_member(
    session_id: str, account: str = "alice", role: Role = Role.MEMBER, *, at_ms: int = T0_MS
) -> Member:
    """A member."""
    return Member(
        session_id=session_id,
        account_id=account,
        display_name=account.title(),
        role=role,
        joined_at_ms=at_ms,
    )


async def add_session(store: Store, owner: str = "alice", *, at_ms: int = T0_MS) -> ChatSession:
    """Make a session and store it with its owner."""
    session = make_session(at_ms=at_ms)
    return await store.create_session(session, make_member(session.id, owner, Role.OWNER))


async def whole_log(store: Store, session_id: str) -> list[Record]:
    """All of a log, read by pages."""
    records: list[Record] = []
    while True:
        page = await store.events_after(session_id, len(records), 100)
        records += page.records
        if not page.more:
            return records


def contents(records: list[Record]) -> list[str]:
    """What messages say."""
    return [orjson.loads(record.wire)["content"] for record in records]


def seqs(records: Iterable[Record]) -> list[int]:
    """The numbers of records."""
    return [record.seq for record in records]


def shown(page: Page) -> tuple[list[int], bool]:
    """The numbers of a page's records, and whether more follows."""
    return seqs(page.records), page.more
