"""Tokens: claims to a JWT and back, under the service's own clock.

`exp` is held to the millisecond, since a live connection ends at it. `nbf` is given ten seconds,
since the issuer's clock may run ahead of ours and a token that was just made should work.
"""

import hashlib
import math
import re
import secrets
from dataclasses import dataclass
from typing import Any, Final

import jwt
from marshmallow import ValidationError

from chat_gateway.clock import Clock
from chat_gateway.config import Settings
from chat_gateway.identity.keys import Keys, VerifyingKey
from chat_protocol import limits
from chat_protocol.errors import ProtocolError
from chat_protocol.fields import Text

NBF_LEEWAY_S: Final = 10
EXP_MAX_S: Final = 253_402_300_799
"""9999-12-31T23:59:59Z: the last moment that RFC 3339 can write."""

VERIFIED_MAX: Final = 20_000
"""Tokens that need no second look at their signature: all come back at once after a restart of the
network. Known by their hash, so that no token is kept."""

_SHAPE: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_NAME: Final = Text(min_chars=1, max_chars=limits.DISPLAY_NAME_MAX_CHARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeToken:
    """A signed token and when it expires (milliseconds since 1970)."""

    token: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token that was verified says. `login_id` is None where another issuer made it."""

    account_id: str
    name: str | None
    login_id: str | None
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature was checked, by the key that it was checked with."""

    key_id: str | None
    key: VerifyingKey
    claims: Claims


class TokenCodec:
    """Makes and reads tokens with the keys, algorithm and audience of the settings."""

    def __init__(self, keys: Keys, clock: Clock, settings: Settings) -> None:
        self._keys = keys
        self._clock = clock
        self._algorithm = settings.jwt_algorithm
        self._audience = settings.jwt_audience
        self._verified: dict[bytes, _Verified] = {}

    @property
    def makes_tokens(self) -> bool:
        """Whether tokens are made here; else another issuer makes them and this only verifies."""
        return self._keys.signing is not None

    def make(self, *, account_id: str, name: str, login_id: str, lifetime_s: float) -> MadeToken:
        """Sign a token that lives `lifetime_s`, up to the next whole second.

        Raises `accounts_elsewhere` where tokens are not made here.
        """
        key = self._keys.signing
        if key is None:
            raise ProtocolError("accounts_elsewhere")
        now_ms = self._clock.now_ms()
        expires_s = math.ceil(now_ms / 1000 + lifetime_s)
        claims: dict[str, Any] = {
            "sub": account_id,
            "sid": login_id,
            "name": name,
            "iat": now_ms // 1000,
            "exp": expires_s,
            "jti": secrets.token_hex(16),
        }
        if self._audience is not None:
            claims["aud"] = self._audience
        token = jwt.encode(claims, key, self._algorithm)
        return MadeToken(token=token, expires_at_ms=expires_s * 1000)

    async def read(self, token: str) -> Claims:
        """Verify a token. Raises `invalid_token`, `token_expired`, `keys_unavailable`."""
        if len(token) > limits.TOKEN_MAX_CHARS or not _SHAPE.fullmatch(token):
            raise ProtocolError("invalid_token", "This is no JWT.")
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is not None and await self._keys.verifying(known.key_id) is known.key:
            if known.claims.expires_at_ms <= self._clock.now_ms():
                raise ProtocolError("token_expired")
            return known.claims
        try:
            key_id = _key_id(token) if self._keys.are_named else None
            key = await self._keys.verifying(key_id)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                audience=self._audience,
                options={
                    "require": ["exp", "sub"],
                    # Points in time are checked below, by the clock that everything here uses.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidAudienceError:
            raise ProtocolError("invalid_token", "The token is for another audience.") from None
        except jwt.MissingRequiredClaimError as error:
            raise ProtocolError("invalid_token", f"The token has no `{error.claim}`.") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            # Beside its own errors, PyJWT (which ones: by version) lets through what base64, json
            # and UTF-8 raise.
            raise ProtocolError("invalid_token") from None
        checked = self._checked(claims)
        if len(self._verified) >= VERIFIED_MAX:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = _Verified(key_id=key_id, key=key, claims=checked)
        return checked

    def _checked(self, claims: dict[str, Any]) -> Claims:
        now_s = self._clock.now_ms() / 1000
        expires_s = _numeric_date(claims["exp"])
        if expires_s is None:
            raise ProtocolError("invalid_token", "The token's `exp` is no point in time.")
        if "nbf" in claims:
            not_before_s = _numeric_date(claims["nbf"])
            if not_before_s is None or not_before_s > now_s + NBF_LEEWAY_S:
                raise ProtocolError("invalid_token", "The token is not valid yet.")
        account_id = claims["sub"]
        if not _is_id(account_id):
            raise ProtocolError("invalid_token", "The token's `sub` is no account id.")
        expires_at_ms = int(expires_s * 1000)
        if expires_at_ms <= self._clock.now_ms():
            raise ProtocolError("token_expired")
        return Claims(
            account_id=account_id,
            name=_display_name(claims.get("name")),
            login_id=self._login_id(claims),
            expires_at_ms=expires_at_ms,
        )

    def _login_id(self, claims: dict[str, Any]) -> str | None:
        # Where tokens are made elsewhere there are no logins here, and `sid` is the issuer's own.
        login_id = claims.get("sid")
        if login_id is None or not self.makes_tokens:
            return None
        if not _is_id(login_id):
            raise ProtocolError("invalid_token", "The token's `sid` is no login.")
        return str(login_id)


def _key_id(token: str) -> str | None:
    key_id = jwt.get_unverified_header(token).get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise ProtocolError("invalid_token")
    return key_id


def _numeric_date(value: object) -> float | None:
    """Seconds since 1970 (RFC 7519), or None where it is no such number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= EXP_MAX_S else None


def _is_id(value: object) -> bool:
    """Short text that a log line and an address can show: no control characters, no surrogates."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= limits.ID_MAX_CHARS
        and value.isprintable()
        and value == value.strip()
    )


def _display_name(value: object) -> str | None:
    """The name that a token gives, cut to length; None where it gives none that can be shown."""
    if not isinstance(value, str):
        return None
    name = value.strip()[: limits.DISPLAY_NAME_MAX_CHARS]
    try:
        return _NAME.deserialize(name)
    except ValidationError:
        return None
