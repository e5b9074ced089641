"""Keys that another issuer publishes, fetched from a real HTTP server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from jwt.algorithms import get_default_algorithms

from chat_gateway.identity import jwks
from chat_gateway.identity.jwks import KeySet
from chat_gateway.identity.tokens import TokenCodec
from tests.identity.conftest import MakeAccounts
from tests.identity.key_files import new_private_key
from tests.identity.refusals import refused
from tests.parts.clock import MovableClock
from tests.parts.settings import make_settings

ALGORITHM = "ES256"


def signed(private: Any, key_id: str | None, clock: MovableClock) -> str:
    """A token that names a key."""
    claims = {"sub": "mina", "exp": clock.now_ms() // 1000 + 36_000}
    return jwt.encode(claims, private, ALGORITHM, headers={"kid": key_id} if key_id else None)


class Issuer:
    """Publishes keys, and counts how often they are fetched."""

    def __init__(self) -> None:
        self.private: dict[str, Any] = {}
        self.jwks: dict[str, dict[str, Any]] = {}
        self.more: list[Any] = []
        self.body: bytes | None = None
        self.status = 200
        self.fetched = 0
        self.url = ""

    def new_key(self, key_id: str, algorithm: str = ALGORITHM, **changes: Any) -> None:
        """Publish a key; `changes` add to its JWK."""
        private = self.private[key_id] = new_private_key(algorithm)
        jwk = json.loads(get_default_algorithms()[algorithm].to_jwk(private.public_key()))
        self.jwks[key_id] = {**jwk, "kid": key_id, **changes}

    def token(self, key_id: str, clock: MovableClock, *, named: bool = True) -> str:
        """A token signed with a key."""
        return signed(self.private[key_id], key_id if named else None, clock)

    async def answer(self, _: web.Request) -> web.Response:
        """What a GET gets."""
        self.fetched += 1
        body = self.body
        if body is None:
            body = json.dumps({"keys": [*self.jwks.values(), *self.more]}).encode()
        return web.Response(status=self.status, body=body, content_type="application/json")


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/jwks.json", issuer.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    issuer.url = f"http://{host}:{port}/jwks.json"
    yield issuer
    await runner.cleanup()


@pytest.fixture
def codec(issuer: Issuer, clock: MovableClock) -> TokenCodec:
    settings = make_settings(Path("nowhere"), jwt_algorithm=ALGORITHM)
    return TokenCodec(KeySet(issuer.url, ALGORITHM, clock), clock, settings)


async def test_a_token_is_verified_by_the_key_it_names(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock
) -> None:
    issuer.new_key("one")
    issuer.new_key("two")

    for key_id in ("one", "two"):
        assert (await codec.read(issuer.token(key_id, clock))).account_id == "mina"
    assert issuer.fetched == 1


async def test_a_token_signed_with_another_key_than_it_names_is_refused(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock
) -> None:
    issuer.new_key("one")
    issuer.new_key("two")
    issuer.private["one"] = issuer.private["two"]

    with refused("invalid_token"):
        await codec.read(issuer.token("one", clock))


async def test_a_token_that_names_no_key_gets_the_only_one(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock
) -> None:
    issuer.new_key("one")
    await codec.read(issuer.token("one", clock, named=False))

    issuer.new_key("two")
    clock.advance(jwks.FRESH_S + 1)

    with refused("invalid_token"):
        await codec.read(issuer.token("one", clock, named=False))


async def test_a_hundred_tokens_at_once_fetch_the_keys_once(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock
) -> None:
    issuer.new_key("one")
    token = issuer.token("one", clock)

    await asyncio.gather(*(codec.read(token) for _ in range(100)))

    assert issuer.fetched == 1


async def test_a_new_key_is_found_when_a_token_names_it(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock
) -> None:
    issuer.new_key("one")
    await codec.read(issuer.token("one", clock))
    issuer.new_key("two")
    clock.advance(jwks.FETCH_EVERY_S + 0.1)

    await codec.read(issuer.token("two", clock))

    assert issuer.fetched == 2


async def test_tokens_that_name_unknown_keys_do_not_make_us_fetch_and_fetch(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock
) -> None:
    issuer.new_key("one")
    issuer.private["unknown"] = new_private_key(ALGORITHM)
    await codec.read(issuer.token("one", clock))

    for _ in range(50):
        with refused("invalid_token"):
            await codec.read(issuer.token("unknown", clock))
    assert issuer.fetched == 1

    clock.advance(jwks.FETCH_EVERY_S + 0.1)
    for _ in range(50):
        with refused("invalid_token"):
            await codec.read(issuer.token("unknown", clock))
    assert issuer.fetched == 2


async def test_a_withdrawn_key_is_not_believed_for_long(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock
) -> None:
    issuer.new_key("one")
    issuer.new_key("two")
    await codec.read(issuer.token("one", clock))
    del issuer.jwks["one"]

    clock.advance(jwks.FRESH_S + 1)

    with refused("invalid_token"):
        await codec.read(issuer.token("one", clock))


async def test_the_issuers_outage_is_not_ours_for_a_while(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock
) -> None:
    issuer.new_key("one")
    await codec.read(issuer.token("one", clock))
    issuer.status = 503

    clock.advance(jwks.FRESH_S + 1)
    await codec.read(issuer.token("one", clock))
    assert issuer.fetched == 2

    clock.advance(jwks.KEPT_S)
    with refused("keys_unavailable") as error:
        await codec.read(issuer.token("one", clock))
    assert error.value.spec.retryable
    assert error.value.retry_after_ms

    issuer.status = 200
    clock.advance(jwks.FETCH_EVERY_S)
    await codec.read(issuer.token("one", clock))


async def test_an_issuer_that_was_never_there_is_no_fault_of_the_token(
    clock: MovableClock, unused_tcp_port: int
) -> None:
    keys = KeySet(f"http://127.0.0.1:{unused_tcp_port}/jwks.json", ALGORITHM, clock)

    with refused("keys_unavailable"):
        await keys.verifying("one")


BODIES = {
    "no JSON": b"<html>",
    "no object": b"[]",
    "no set": b'{"keys": 5}',
    "not UTF-8": b"\xff\xfe",
    "nothing": b"",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BODIES)
async def test_an_answer_that_is_no_key_set_is_as_good_as_none(
    issuer: Issuer, clock: MovableClock, name: str
) -> None:
    issuer.body = BODIES[name]

    with refused("keys_unavailable"):
        await KeySet(issuer.url, ALGORITHM, clock).verifying("one")


Add = Callable[[Issuer], None]

MISFITS: dict[str, Add] = {
    "another kind of key": lambda issuer: issuer.new_key("one", "RS256"),
    "no object": lambda issuer: issuer.more.append("text"),
    "a key to encrypt with": lambda issuer: issuer.new_key("one", use="enc"),
    "a key for another algorithm": lambda issuer: issuer.new_key("one", alg="ES384"),
    "a secret": lambda issuer: issuer.new_key("one", kty="oct", k="c2VjcmV0"),
    "half a key": lambda issuer: issuer.new_key("one", x=None),
    "another curve": lambda issuer: issuer.new_key("one", crv="secp256k1"),
    "an id that is no text": lambda issuer: issuer.new_key("one", kid=["one"]),
}


@pytest.mark.parametrize("name", MISFITS)
async def test_keys_that_do_not_fit_are_passed_over(
    issuer: Issuer, codec: TokenCodec, clock: MovableClock, name: str
) -> None:
    MISFITS[name](issuer)
    issuer.new_key("good")

    await codec.read(issuer.token("good", clock))
    with refused("invalid_token"):
        await codec.read(signed(new_private_key(ALGORITHM), "one", clock))


async def test_the_settings_choose_the_url_and_accounts_are_elsewhere(
    issuer: Issuer, make_accounts: MakeAccounts, clock: MovableClock
) -> None:
    issuer.new_key("one")
    accounts = make_accounts(jwt_secret=None, jwt_algorithm=ALGORITHM, jwt_jwks_url=issuer.url)

    caller = await accounts.authenticate(issuer.token("one", clock))

    assert caller.account_id == "mina"
    with refused("accounts_elsewhere"):
        await accounts.log_in("mina@example.com", "long enough", address="127.0.0.1")
