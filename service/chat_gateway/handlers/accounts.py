"""Accounts: made, logged into, and who a token or ticket speaks for.

A login is one family of refresh tokens. Each refresh trades the newest for the next; when one that
was traded already comes back, somebody has a copy, and the whole login ends.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

import structlog

from chat_gateway.clock import Clock
from chat_gateway.config import Settings
from chat_gateway.domain.caller import Caller
from chat_gateway.domain.emails import normal_email
from chat_gateway.domain.ids import new_id
from chat_gateway.domain.model import Account, Login, Ticket
from chat_gateway.handlers.attempts import Attempts
from chat_gateway.handlers.logins import Logins
from chat_gateway.handlers.outsiders import Outsiders
from chat_gateway.hub.connections import Connections
from chat_gateway.identity.passwords import Passwords
from chat_gateway.identity.tokens import TokenCodec
from chat_gateway.store.base import Store
from chat_protocol import limits
from chat_protocol.errors import ProtocolError

log = structlog.get_logger()

_REFRESH_TOKEN: Final = re.compile(r"([\w-]{1,64})\.([\w-]{43})", re.ASCII)
_TICKET: Final = re.compile(r"[\w-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a sign-up, log-in or refresh gives. `expires_at_ms` is when `token` expires."""

    token: str
    refresh_token: str
    expires_at_ms: int
    account: Account


class Accounts:
    """Use cases of accounts.

    Where tokens are made elsewhere (a public key or a JWKS URL), what makes tokens here raises
    `accounts_elsewhere`.
    """

    def __init__(
        self,
        *,
        store: Store,
        passwords: Passwords,
        tokens: TokenCodec,
        connections: Connections,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._tokens = tokens
        self._connections = connections
        self._clock = clock
        self._settings = settings
        self._logins = Logins(store)
        self._outsiders = Outsiders(store, clock)
        self._attempts = Attempts(clock, limited=settings.rate_limits)

    # --- accounts -------------------------------------------------------------------------------

    async def sign_up(
        self, email: str, password: str, display_name: str, *, address: str
    ) -> Tokens:
        """Make an account and log in. Raises `email_taken`, `rate_limited`."""
        self._check_made_here()
        self._attempts.sign_up(address)
        email = normal_email(email)
        if await self._store.account_by_email(email) is not None:
            raise ProtocolError("email_taken")
        async with self._passwords.turn() as turn:
            password_hash = await turn.hash(password)
        now_ms = self._clock.now_ms()
        account = Account(
            id=new_id(now_ms),
            email=email,
            display_name=display_name,
            password_hash=password_hash,
            created_at_ms=now_ms,
        )
        if not await self._store.create_account(account):
            raise ProtocolError("email_taken")
        log.info("Account made", account=account.id)
        return await self._begin_login(account)

    async def log_in(self, email: str, password: str, *, address: str) -> Tokens:
        """Log in. Raises `invalid_credentials`, `rate_limited`.

        Neither the answer nor the time it takes tells whether there is such an account.
        """
        self._check_made_here()
        email = normal_email(email)
        account = await self._store.account_by_email(email)
        async with self._passwords.turn() as turn:
            # Counted when its turn has come, so that a hundred right ones at a time are none of
            # them taken for guesses, and the eleventh wrong one is refused without work.
            self._attempts.log_in(email, address)
            right = await turn.verify(account.password_hash if account else None, password)
        if account is None or not right:
            raise ProtocolError("invalid_credentials")
        self._attempts.logged_in(email, address)
        return await self._begin_login(account)

    async def account(self, caller: Caller) -> Account:
        """The caller's account."""
        account = await self._store.account(caller.account_id)
        if account is None:
            raise ProtocolError("token_revoked")
        return account

    # --- logins ---------------------------------------------------------------------------------

    async def refresh(self, refresh_token: str) -> Tokens:
        """Trade a refresh token for the next pair. Raises `invalid_refresh_token`.

        One that was traded already ends the login; of two that trade one at the same time, one
        comes too late and ends it as well.
        """
        self._check_made_here()
        parts = _REFRESH_TOKEN.fullmatch(refresh_token)
        login = await self._store.login(parts[1]) if parts else None
        if parts is None or login is None or login.expires_at_ms <= self._clock.now_ms():
            raise ProtocolError("invalid_refresh_token")
        old_hash = _hash(parts[2])
        secret = secrets.token_urlsafe(32)
        rotated = hmac.compare_digest(old_hash, login.refresh_hash) and (
            await self._store.rotate_login(
                login.id,
                old_hash=old_hash,
                new_hash=_hash(secret),
                expires_at_ms=self._refresh_expiry_ms(),
            )
        )
        if not rotated:
            log.warning("Refresh token used twice", account=login.account_id, login=login.id)
            await self._end_login(login.id)
            raise ProtocolError("invalid_refresh_token")
        account = await self._store.account(login.account_id)
        if account is None:
            raise ProtocolError("invalid_refresh_token")
        return self._tokens_of(account, login.id, secret)

    async def log_out(self, caller: Caller) -> None:
        """End the login that the caller's token came from, and close its live connections.

        Raises `accounts_elsewhere` where another issuer made the token.
        """
        if caller.login_id is None:
            raise ProtocolError(
                "accounts_elsewhere", "This token was made elsewhere: end it there."
            )
        await self._end_login(caller.login_id)

    async def _begin_login(self, account: Account) -> Tokens:
        secret = secrets.token_urlsafe(32)
        login = Login(
            id=new_id(self._clock.now_ms()),
            account_id=account.id,
            refresh_hash=_hash(secret),
            expires_at_ms=self._refresh_expiry_ms(),
        )
        await self._store.create_login(login)
        return self._tokens_of(account, login.id, secret)

    async def _end_login(self, login_id: str) -> None:
        await self._store.delete_login(login_id)
        self._logins.end(login_id)
        self._connections.end_login(login_id)

    def _tokens_of(self, account: Account, login_id: str, secret: str) -> Tokens:
        made = self._tokens.make(
            account_id=account.id,
            name=account.display_name,
            login_id=login_id,
            lifetime_s=self._settings.token_lifetime_s,
        )
        return Tokens(
            token=made.token,
            refresh_token=f"{login_id}.{secret}",
            expires_at_ms=made.expires_at_ms,
            account=account,
        )

    def _refresh_expiry_ms(self) -> int:
        return self._clock.now_ms() + self._settings.refresh_lifetime_s * 1000

    def _check_made_here(self) -> None:
        if not self._tokens.makes_tokens:
            raise ProtocolError("accounts_elsewhere")

    # --- who is asking --------------------------------------------------------------------------

    async def authenticate(self, token: str) -> Caller:
        """Who a token speaks for.

        Raises `invalid_token`, `token_expired`, `token_revoked`.
        """
        claims = await self._tokens.read(token)
        if claims.login_id is None:
            name = await self._outsiders.name_of(claims.account_id, claims.name)
        else:
            await self._logins.check(claims.login_id, claims.account_id)
            name = claims.name or claims.account_id
        return Caller(
            account_id=claims.account_id,
            display_name=name,
            login_id=claims.login_id,
            expires_at_ms=claims.expires_at_ms,
        )

    def check_still_logged_in(self, caller: Caller) -> None:
        """Raise `token_revoked` where the login ended since the caller was authenticated.

        For whoever waited in between, and so may have missed the closing of live connections.
        """
        if caller.login_id is not None:
            self._logins.check_not_ended(caller.login_id)

    async def make_ticket(self, caller: Caller) -> tuple[str, int]:
        """A secret that opens one connection for the caller, and when it expires (ms)."""
        secret = secrets.token_urlsafe(32)
        expires_at_ms = self._clock.now_ms() + limits.TICKET_LIFETIME_S * 1000
        await self._store.create_ticket(
            Ticket(
                hash=_hash(secret),
                account_id=caller.account_id,
                login_id=caller.login_id,
                token_expires_at_ms=caller.expires_at_ms,
                expires_at_ms=expires_at_ms,
            )
        )
        return secret, expires_at_ms

    async def redeem_ticket(self, ticket: str) -> Caller:
        """Who a ticket speaks for; the connection lives no longer than the token behind it.

        Raises `invalid_ticket`, `token_expired`, `token_revoked`.
        """
        if not _TICKET.fullmatch(ticket):
            raise ProtocolError("invalid_ticket")
        found = await self._store.take_ticket(_hash(ticket))
        now_ms = self._clock.now_ms()
        if found is None or found.expires_at_ms <= now_ms:
            raise ProtocolError("invalid_ticket")
        if found.token_expires_at_ms <= now_ms:
            raise ProtocolError("token_expired")
        account = await self._store.account(found.account_id)
        if account is None:
            raise ProtocolError("invalid_ticket")
        if found.login_id is not None:
            await self._logins.check(found.login_id, found.account_id)
        return Caller(
            account_id=account.id,
            display_name=account.display_name,
            login_id=found.login_id,
            expires_at_ms=found.token_expires_at_ms,
        )


def _hash(secret: str) -> str:
    """What the store keeps of a secret. It has 256 random bits, so one round is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
