"""Accounts that another issuer vouches for: made here at first sight, so that they can be members.

The operator's own back end signs tokens with the shared secret or key, and knows its people; this
service only has to know that they exist.
"""

from typing import Final

from chat_gateway.clock import Clock
from chat_gateway.domain.model import Account
from chat_gateway.store.base import AccountStore

NAMES_MAX: Final = 50_000
"""Accounts known to exist; the one that was seen first goes first."""


class Outsiders:
    """Makes accounts at first sight, and remembers that it did."""

    def __init__(self, store: AccountStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._names: dict[str, str] = {}

    async def name_of(self, account_id: str, name: str | None) -> str:
        """The display name of an account that is there when this returns.

        It is what the token says, else what the account was made with, else the id.
        """
        stored = self._names.get(account_id)
        if stored is None:
            stored = await self._stored_name(account_id, name or account_id)
            if len(self._names) >= NAMES_MAX:
                del self._names[next(iter(self._names))]
            self._names[account_id] = stored
        return name or stored

    async def _stored_name(self, account_id: str, name: str) -> str:
        account = await self._store.account(account_id)
        if account is not None:
            return account.display_name
        # Where another connection of the same person is first, its account is as good.
        await self._store.create_account(
            Account(
                id=account_id,
                email=None,
                display_name=name,
                password_hash=None,
                created_at_ms=self._clock.now_ms(),
            )
        )
        return name
