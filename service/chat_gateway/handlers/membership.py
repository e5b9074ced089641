"""Who is a member of what: a small cache of facts, since every message asks.

Every change of a membership goes through this node's handlers, which forget the fact here before
anybody is told of the change. A fact that was read while it changed is not kept.
"""

from typing import Final

from chat_gateway.domain.model import Member
from chat_gateway.handlers.turns import Turns
from chat_gateway.store.base import SessionStore
from chat_protocol.errors import ProtocolError

FACTS_MAX: Final = 50_000
"""Facts kept; the one that was read longest ago goes first."""


class Membership:
    """Reads memberships through a cache.

    Whoever changes a session or its members does so in the session's turn of `turns`.
    """

    def __init__(self, store: SessionStore) -> None:
        self.turns = Turns()
        self._store = store
        self._facts: dict[tuple[str, str], Member] = {}
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
        changes = self._changes
        fact = await self._store.member(session_id, account_id)
        if fact is None:
            exists = await self._store.session(session_id) is not None
            raise ProtocolError("not_a_member" if exists else "session_not_found")
        if changes == self._changes:
            if len(self._facts) >= FACTS_MAX:
                del self._facts[next(iter(self._facts))]
            self._facts[key] = fact
        return fact

    def forget(self, session_id: str, account_id: str) -> None:
        """A membership changed."""
        self._changes += 1
        self._facts.pop((session_id, account_id), None)

    def forget_session(self, session_id: str) -> None:
        """A session is gone."""
        self._changes += 1
        for key in [key for key in self._facts if key[0] == session_id]:
            del self._facts[key]
