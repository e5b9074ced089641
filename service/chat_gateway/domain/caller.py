"""Who a request or a connection speaks for, once that is proven."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated account.

    `login_id` is the login that the token came from (None where another issuer made it);
    `expires_at_ms` is when the proof runs out, in milliseconds since 1970.
    """

    account_id: str
    display_name: str
    login_id: str | None
    expires_at_ms: int
