"""Which logins still stand: a small cache of facts, since every connection asks.

A login ends only through this node's handlers (log-out, or a refresh token used twice), which say
so here in the same tick in which they close its live connections.
"""

from typing import Final

from chat_gateway.store.base import AccountStore
from chat_protocol.errors import ProtocolError

LOGINS_MAX: Final = 50_000
"""Logins kept; the one that was read longest ago goes first."""

ENDED_MAX: Final = 10_000
"""Ended logins remembered, for readers that asked the store before the end and hear after it."""


class Logins:
    """Reads logins through a cache."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store
        self._accounts: dict[str, str] = {}
        self._ended: dict[str, None] = {}

    async def check(self, login_id: str, account_id: str) -> None:
        """Return where the login stands and is this account's.

        Raises `token_revoked` where it is gone, `invalid_token` where it is another's.
        """
        owner = self._accounts.get(login_id)
        if owner is None:
            login = await self._store.login(login_id)
            self.check_not_ended(login_id)
            if login is None:
                raise ProtocolError("token_revoked")
            owner = login.account_id
            if len(self._accounts) >= LOGINS_MAX:
                del self._accounts[next(iter(self._accounts))]
            self._accounts[login_id] = owner
        if owner != account_id:
            raise ProtocolError("invalid_token")

    def check_not_ended(self, login_id: str) -> None:
        """Raise `token_revoked` where the login ended a moment ago."""
        if login_id in self._ended:
            raise ProtocolError("token_revoked")

    def end(self, login_id: str) -> None:
        """A login is gone from the store."""
        self._accounts.pop(login_id, None)
        if len(self._ended) >= ENDED_MAX:
            del self._ended[next(iter(self._ended))]
        self._ended[login_id] = None
