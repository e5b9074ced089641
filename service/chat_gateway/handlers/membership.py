"""Who is a member of what: a small cache of facts, since every message and every join asks.

Every change of a membership goes through this node's handlers, which forget the fact here before
anybody is told of the change. A fact that was read while it changed is not kept. When thousands
come back at once, the first of each session reads for all of them.
"""

from dataclasses import dataclass
from typing import Any, Final

from chat_gateway.domain.model import Member
from chat_gateway.handlers.turns import Turns
from chat_gateway.store.base import SessionStore
from chat_protocol import limits
from chat_protocol.codec import encode_value, raw, to_wire
from chat_protocol.errors import ProtocolError
from chat_protocol.events import MemberView, ReceiptView

FACTS_MAX: Final = 50_000
"""Facts kept; the one that was read longest ago goes first."""


ROSTERS_MAX_BYTES: Final = 16 << 20
"""Of encoded rosters; the one that was read longest ago goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The longest-standing members of a session, as `joined` shows them.

    `members` and `receipts` are JSON arrays, ready to stand in an object. `is_whole` says that
    nobody is left out.
    """

    members: Any
    receipts: Any
    is_whole: bool
    size_bytes: int


class Membership:
    """Reads memberships through a cache.

    Whoever changes a session or its members does so in the session's turn of `turns`.
    """

    def __init__(self, store: SessionStore) -> None:
        self.turns = Turns()
        self._store = store
        self._facts: dict[tuple[str, str], Member] = {}
        self._rosters: dict[str, Roster] = {}
        self._rosters_bytes = 0
        self._changes = 0

    def is_known(self, session_id: str, account_id: str) -> bool:
        """Whether the cache knows of a membership; where it does not, `of` finds out."""
        return (session_id, account_id) in self._facts

    async def of(self, session_id: str, account_id: str) -> Member:
        """An account's membership.

        Raises `not_a_member`, or `session_not_found` where there is no such session.
        """
        key = (session_id, account_id)
        fact = self._facts.get(key)
        if fact is not None:
            return fact
        roster, members = await self._read_roster(session_id)
        for member in members:
            if member.account_id == account_id:
                return member
        fact = None
        if not roster.is_whole:
            changes = self._changes
            fact = await self._store.member(session_id, account_id)
            if fact is not None and changes == self._changes:
                self._keep(fact)
        if fact is None:
            exists = await self._store.session(session_id) is not None
            raise ProtocolError("not_a_member" if exists else "session_not_found")
        return fact

    async def roster(self, session_id: str) -> Roster:
        """Who is shown to somebody who joins."""
        roster = self._rosters.get(session_id)
        return roster if roster is not None else (await self._read_roster(session_id))[0]

    async def _read_roster(self, session_id: str) -> tuple[Roster, list[Member]]:
        changes = self._changes
        members = await self._store.members(session_id, limits.MEMBERS_SHOWN_MAX)
        roster = _roster(members)
        if changes == self._changes:
            for member in members:
                self._keep(member)
            self._forget_roster(session_id)
            self._rosters[session_id] = roster
            self._rosters_bytes += roster.size_bytes
            while self._rosters_bytes > ROSTERS_MAX_BYTES:
                self._forget_roster(next(iter(self._rosters)))
        return roster, members

    def _keep(self, fact: Member) -> None:
        if len(self._facts) >= FACTS_MAX:
            del self._facts[next(iter(self._facts))]
        self._facts[fact.session_id, fact.account_id] = fact

    def _forget_roster(self, session_id: str) -> None:
        roster = self._rosters.pop(session_id, None)
        if roster is not None:
            self._rosters_bytes -= roster.size_bytes

    def forget(self, session_id: str, account_id: str) -> None:
        """A membership changed."""
        self._changes += 1
        self._facts.pop((session_id, account_id), None)
        self._forget_roster(session_id)

    def forget_reading(self, session_id: str) -> None:
        """Somebody has read further."""
        self._changes += 1
        self._forget_roster(session_id)

    def forget_session(self, session_id: str) -> None:
        """A session is gone."""
        self._changes += 1
        for key in [key for key in self._facts if key[0] == session_id]:
            del self._facts[key]
        self._forget_roster(session_id)


def _roster(members: list[Member]) -> Roster:
    views = [
        MemberView(
            account_id=member.account_id, display_name=member.display_name, role=member.role.value
        )
        for member in members
    ]
    receipts = [
        ReceiptView(
            account_id=member.account_id,
            read_seq=member.read_seq,
            delivered_seq=member.read_seq,
        )
        for member in members
    ]
    shown = encode_value([to_wire(view) for view in views])
    read = encode_value([to_wire(receipt) for receipt in receipts])
    return Roster(
        members=raw(shown),
        receipts=raw(read),
        is_whole=len(members) < limits.MEMBERS_SHOWN_MAX,
        size_bytes=len(shown) + len(read),
    )
