"""Keys that another issuer publishes at a URL (a JWK Set), fetched off the event loop.

A token that names an unknown key makes the set be fetched again, since issuers change keys without
notice; but not more often than every ten seconds, since anyone can name unknown keys.
"""

import asyncio
from typing import Any, Final

import jwt
import structlog

from chat_gateway.clock import Clock
from chat_gateway.identity.keys import PublicKey, key_for
from chat_protocol.errors import ProtocolError

log = structlog.get_logger()

FRESH_S: Final = 300.0
"""So old, a set is fetched again before it is used: a key that was withdrawn is gone by then."""

KEPT_S: Final = 3600.0
"""So long a set is used when the issuer does not answer: its outage need not be ours."""

FETCH_EVERY_S: Final = 10.0
FETCH_TIMEOUT_S: Final = 5.0


class KeySet:
    """The keys at a URL that `algorithm` takes, by their `kid`."""

    signing: Final = None
    are_named: Final = True

    def __init__(self, url: str, algorithm: str, clock: Clock) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_TIMEOUT_S)
        self._url = url
        self._algorithm = algorithm
        self._clock = clock
        self._keys: dict[str | None, PublicKey] = {}
        self._fetched_s: float | None = None
        self._tried_s: float | None = None
        self._fetching = asyncio.Lock()

    async def verifying(self, key_id: str | None) -> PublicKey:
        """The key of this id; a token that names none gets the only key, where there is one.

        Raises `invalid_token`, or `keys_unavailable` where the issuer does not answer.
        """
        if self._find(key_id) is None or self._age_s() > FRESH_S:
            async with self._fetching:
                if self._find(key_id) is None or self._age_s() > FRESH_S:
                    await self._fetch()
        if self._age_s() > KEPT_S:
            raise ProtocolError("keys_unavailable", retry_after_ms=int(FETCH_EVERY_S * 1000))
        key = self._find(key_id)
        if key is None:
            raise ProtocolError("invalid_token", "The token names a key that its issuer lacks.")
        return key

    def _find(self, key_id: str | None) -> PublicKey | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def _age_s(self) -> float:
        if self._fetched_s is None:
            return float("inf")
        return self._clock.monotonic_s() - self._fetched_s

    async def _fetch(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._tried_s is not None and now_s - self._tried_s < FETCH_EVERY_S:
            return
        self._tried_s = now_s
        try:
            published = await asyncio.to_thread(self._client.fetch_data)
            self._keys = _usable(published, self._algorithm)
        except (jwt.PyJWTError, OSError, ValueError, RecursionError) as error:
            log.warning("Cannot fetch the keys of tokens", url=self._url, error=str(error))
            return
        self._fetched_s = self._clock.monotonic_s()
        if not self._keys:
            log.warning("No key fits", url=self._url, algorithm=self._algorithm)


def _usable(published: Any, algorithm: str) -> dict[str | None, PublicKey]:
    """The keys of a JWK Set that sign with `algorithm`. Raises ValueError where it is no set."""
    jwks = published.get("keys") if isinstance(published, dict) else None
    if not isinstance(jwks, list):
        raise ValueError("not a JWK Set")
    keys: dict[str | None, PublicKey] = {}
    for jwk in jwks:
        key = _usable_key(jwk, algorithm)
        if key is not None:
            keys[jwk.get("kid")] = key
    return keys


def _usable_key(jwk: Any, algorithm: str) -> PublicKey | None:
    if (
        not isinstance(jwk, dict)
        or not isinstance(jwk.get("kid"), str | None)
        or jwk.get("use", "sig") != "sig"
        or jwk.get("alg", algorithm) != algorithm
    ):
        return None
    try:
        # A set may hold keys of any kind; the one that does not parse is not ours.
        return key_for(algorithm, jwt.PyJWK.from_dict(jwk, algorithm).key)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
