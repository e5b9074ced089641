"""All live connections of this node: how many there may be, and when one has to go.

Revocation and expiry act on live connections, so each is found here by its account, by its login,
and by the clock. One sweep looks at one number a connection (`Peer.due_s`): ten thousand
connections cost half a millisecond a look, and no timer each.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from chat_gateway.clock import Clock
from chat_gateway.hub.hub import Hub
from chat_gateway.hub.peer import Peer
from chat_protocol.codec import error_of
from chat_protocol.errors import ProtocolError

SWEEP_EVERY_S: Final = 0.5


class Connections:
    """The registry of live connections.

    `per_account` and `per_address` are the most that may be open at a time; None lifts the cap.
    """

    def __init__(
        self, hub: Hub, clock: Clock, *, per_account: int | None, per_address: int | None
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._per_account = per_account
        self._per_address = per_address
        self._peers: dict[Peer, None] = {}
        self._by_account: dict[str, dict[Peer, None]] = {}
        self._addresses: dict[str, int] = {}
        self._none_left: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._peers)

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._peers))

    def open(self, peer: Peer) -> None:
        """Count a connection that was just accepted.

        Raises `too_many_connections` where its address has as many as it may; it is not counted
        then.
        """
        count = self._addresses.get(peer.address, 0)
        if self._per_address is not None and count >= self._per_address:
            raise ProtocolError(
                "too_many_connections", "Too many connections are open from this address."
            )
        self._addresses[peer.address] = count + 1
        self._peers[peer] = None

    def admit(self, peer: Peer) -> None:
        """Count an opened connection for its account, now that it has a caller.

        Raises `too_many_connections` where the account has as many as it may.
        """
        if peer.caller is None:
            raise ValueError("a peer is admitted once it has a caller")
        if peer not in self._peers:
            # It went while its caller was looked up.
            return
        peers = self._by_account.setdefault(peer.caller.account_id, {})
        if self._per_account is not None and len(peers) >= self._per_account and peer not in peers:
            raise ProtocolError(
                "too_many_connections", "Too many connections are open for this account."
            )
        peers[peer] = None

    def close(self, peer: Peer) -> None:
        """Forget a connection; forgetting it twice does nothing."""
        if peer not in self._peers:
            return
        del self._peers[peer]
        if not self._peers and self._none_left is not None and not self._none_left.done():
            self._none_left.set_result(None)
        left = self._addresses[peer.address] - 1
        if left:
            self._addresses[peer.address] = left
        else:
            del self._addresses[peer.address]
        if peer.caller is not None:
            account_id = peer.caller.account_id
            peers = self._by_account.get(account_id, {})
            peers.pop(peer, None)
            if not peers:
                self._by_account.pop(account_id, None)

    def end_login(self, login_id: str) -> None:
        """Close what a login opened: it was ended, or its refresh token was stolen."""
        self._end(
            (p for p in self._peers if p.caller is not None and p.caller.login_id == login_id),
            ProtocolError("token_revoked"),
        )

    def end_membership(self, session_id: str, account_id: str) -> None:
        """Take an account's connections out of a session that it is no member of any more.

        One that has joined nothing else is closed (4503); one that has is told, and goes on.
        """
        for peer in list(self._by_account.get(account_id, ())):
            self._put_out(peer, session_id, ProtocolError("not_a_member"))

    def end_session(self, session_id: str) -> None:
        """Take everyone out of a session that is gone; closed (4504) or told as above."""
        for peer in list(self._peers):
            self._put_out(peer, session_id, ProtocolError("session_not_found"))

    def _put_out(self, peer: Peer, session_id: str, refusal: ProtocolError) -> None:
        if session_id not in peer.rooms:
            return
        if len(peer.rooms) == 1:
            peer.end(refusal)
            return
        self._hub.leave(peer, session_id)
        peer.say(
            error_of(
                ProtocolError(refusal.code, refusal.message, details={"sessionId": [session_id]})
            )
        )

    def _end(self, peers: Iterable[Peer], refusal: ProtocolError) -> None:
        for peer in list(peers):
            peer.end(refusal)

    async def gone(self, timeout_s: float) -> None:
        """Return when no connection is left, or after the time given."""
        if not self._peers:
            return
        self._none_left = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._none_left], timeout=timeout_s)

    async def sweep(self) -> None:
        """Do what is due on every connection, for as long as the task runs."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            self.beat()

    def beat(self) -> None:
        """Do what is due now."""
        now_s = self._clock.monotonic_s()
        for peer in [p for p in self._peers if p.due_s <= now_s]:
            peer.beat(now_s)
