"""Accounts, logins, sessions and members, written through the store's own port before a run.

Everyone has an account and a login of their own and a token that the service's secret signed, as
after a log-in; only the password hashes, a core-minute for a thousand people, are left out.
"""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bench.plan import CONTENT, MARK, Crowd
from bench.servers.messages import event
from chat_gateway.app import make_store
from chat_gateway.clock import SystemClock
from chat_gateway.config import DAY_S, read_settings
from chat_gateway.domain.ids import new_id
from chat_gateway.domain.model import Account, ChatSession, Login, Member, Role
from chat_gateway.identity.sources import load_keys
from chat_gateway.identity.tokens import TokenCodec
from chat_gateway.store.base import Store
from chat_protocol.events import Message

AT_A_TIME: Final = 64
TOKEN_LIFETIME_S: Final = DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One connection to come: a member of a session, with a token."""

    room: int
    session_id: str
    token: str


def seed(data_dir: Path, store_url: str, crowd: Crowd, history: int) -> Sequence[Seat]:
    """Write everyone, and `history` messages into each room's log; returns the seats, by room."""
    return asyncio.run(_seed(data_dir, store_url, crowd, history))


def seed_sqlite(data_dir: Path, crowd: Crowd, history: int) -> tuple[str, Sequence[Seat]]:
    """`seed` for the embedded store; also its URL. The same crowd is written once and copied."""
    written, seats = _written(crowd, history)
    shutil.copytree(written, data_dir, dirs_exist_ok=True)
    return _sqlite_url(data_dir), seats


def _sqlite_url(data_dir: Path) -> str:
    return f"sqlite:///{data_dir / 'chat.db'}"


@cache
def _written(crowd: Crowd, history: int) -> tuple[Path, Sequence[Seat]]:
    data_dir = Path(tempfile.mkdtemp(prefix="chat-bench-seed-"))
    atexit.register(shutil.rmtree, data_dir)
    return data_dir, seed(data_dir, _sqlite_url(data_dir), crowd, history)


async def _seed(data_dir: Path, store_url: str, crowd: Crowd, history: int) -> Sequence[Seat]:
    settings = read_settings(data_dir=data_dir, store=store_url)
    clock = SystemClock()
    codec = TokenCodec(load_keys(settings, clock), clock, settings)
    store = make_store(settings)
    await store.open()
    try:
        turn = asyncio.Semaphore(AT_A_TIME)

        async def add(room: int, session_id: str, is_owner: bool) -> Seat:
            async with turn:
                return await _add(store, codec, room, session_id, is_owner)

        sessions = [new_id(clock.now_ms()) for _ in range(crowd.rooms)]
        owners = await asyncio.gather(*(add(room, s, True) for room, s in enumerate(sessions)))
        others = await asyncio.gather(
            *(
                add(room, session_id, False)
                for room, session_id in enumerate(sessions)
                for _ in range(crowd.members - 1)
            )
        )
        for room, session_id in enumerate(sessions):
            for batch in _history(room, session_id, history):
                await store.append(batch)
    finally:
        await store.close()
    return sorted([*owners, *others], key=lambda seat: seat.room)


async def _add(store: Store, codec: TokenCodec, room: int, session_id: str, owns: bool) -> Seat:
    now_ms = SystemClock().now_ms()
    account = Account(
        id=new_id(now_ms),
        email=None,
        display_name="Mina Kim",
        password_hash=None,
        created_at_ms=now_ms,
    )
    login = Login(
        id=new_id(now_ms),
        account_id=account.id,
        refresh_hash=account.id,  # nobody refreshes here
        expires_at_ms=now_ms + TOKEN_LIFETIME_S * 1000,
    )
    member = Member(
        session_id=session_id,
        account_id=account.id,
        display_name=account.display_name,
        role=Role.OWNER if owns else Role.MEMBER,
        joined_at_ms=now_ms,
    )
    await store.create_account(account)
    await store.create_login(login)
    if owns:
        session = ChatSession(
            id=session_id, slot=session_id, title="Benchmark", created_at_ms=now_ms
        )
        await store.create_session(session, member)
    else:
        await store.add_member(member)
    made = codec.make(
        account_id=account.id,
        name=account.display_name,
        login_id=login.id,
        lifetime_s=TOKEN_LIFETIME_S,
    )
    return Seat(room=room, session_id=session_id, token=made.token)


def _history(room: int, session_id: str, count: int) -> Iterator[list[Message]]:
    """The first sender's messages, marked as the load generator marks its own."""
    for start in range(0, count, 500):
        yield [
            event(
                session_id=session_id,
                sender_id="history",
                number=number,
                content=CONTENT.replace(MARK, f"~R{room:04x}{0:04x}{number:08x}{0:016x}"),
            )
            for number in range(start, min(start + 500, count))
        ]
