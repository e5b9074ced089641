"""Accounts on a real store, with a clock that tests move."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from chat_gateway.handlers.accounts import Accounts
from chat_gateway.hub.connections import Connections
from chat_gateway.hub.frames import Batch
from chat_gateway.hub.hub import Hub
from chat_gateway.hub.peer import NEVER_S, Peer
from chat_gateway.identity.passwords import Passwords
from chat_gateway.identity.sources import load_keys
from chat_gateway.identity.tokens import TokenCodec
from chat_gateway.metrics import Metrics
from chat_gateway.store.sqlite import SqliteStore
from chat_protocol.errors import ProtocolError
from chat_protocol.events import ServerSays
from tests.parts.clock import MovableClock
from tests.parts.settings import make_settings


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "chat.db")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def connections(store: SqliteStore, clock: MovableClock) -> Connections:
    return Connections(Hub(store, Metrics()), clock, per_account=None, per_address=None)


MakeAccounts = Callable[..., Accounts]


@pytest.fixture
def make_accounts(
    tmp_path: Path, store: SqliteStore, connections: Connections, clock: MovableClock
) -> MakeAccounts:
    """Makes the use cases on the one store, with changes of the settings."""

    def make(**changes: Any) -> Accounts:
        settings = make_settings(tmp_path, **changes)
        return Accounts(
            store=store,
            passwords=Passwords(),
            tokens=TokenCodec(load_keys(settings, clock), clock, settings),
            connections=connections,
            clock=clock,
            settings=settings,
        )

    return make


@pytest.fixture
def accounts(make_accounts: MakeAccounts) -> Accounts:
    return make_accounts()


class LivePeer(Peer):
    """A live connection without a socket: it keeps what it was ended with."""

    wire = "raw"

    def __init__(self) -> None:
        super().__init__("peer", address="127.0.0.1", opened_s=0.0)
        self.ended_with: str | None = None

    def deliver(self, batch: Batch, written_bytes: int = 0) -> None:
        pass

    def say(self, said: ServerSays) -> None:
        pass

    async def drain(self, timeout_s: float) -> bool:
        return True

    def end(self, refusal: ProtocolError) -> None:
        self.ended = True
        self.ended_with = self.ended_with or refusal.code

    def heartbeat(self, now_s: float) -> None:
        pass

    def next_heartbeat_s(self, now_s: float) -> float:
        return NEVER_S


class ConnectLive(Protocol):
    async def __call__(self, token: str) -> LivePeer: ...


@pytest.fixture
def connect_live(accounts: Accounts, connections: Connections, clock: MovableClock) -> ConnectLive:
    """Opens a live connection by a token."""

    async def connect(token: str) -> LivePeer:
        peer = LivePeer()
        connections.open(peer)
        caller = await accounts.authenticate(token)
        peer.authenticated(caller, now_s=clock.monotonic_s(), now_ms=clock.now_ms())
        connections.admit(peer)
        return peer

    return connect
