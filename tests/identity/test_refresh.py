"""Refresh tokens: each is traded once, and a copy gives itself away."""

import asyncio

import pytest

from chat_gateway.handlers.accounts import Accounts, Tokens
from chat_protocol.errors import ProtocolError
from tests.identity.conftest import ConnectLive, MakeAccounts
from tests.identity.refusals import refused
from tests.parts.clock import MovableClock


@pytest.fixture
async def tokens(accounts: Accounts) -> Tokens:
    return await accounts.sign_up(
        "mina@example.com", "correct horse battery", "Mina", address="127.0.0.1"
    )


async def test_a_refresh_gives_a_new_pair_of_the_same_login(
    accounts: Accounts, tokens: Tokens, clock: MovableClock
) -> None:
    clock.advance(4000)
    with refused("token_expired"):
        await accounts.authenticate(tokens.token)

    fresh = await accounts.refresh(tokens.refresh_token)

    assert fresh.account == tokens.account
    assert fresh.refresh_token != tokens.refresh_token
    caller = await accounts.authenticate(fresh.token)
    assert caller.login_id == tokens.refresh_token.partition(".")[0]


async def test_a_chain_of_refreshes_goes_on_and_ends_nothing(
    accounts: Accounts, tokens: Tokens, connect_live: ConnectLive
) -> None:
    peer = await connect_live(tokens.token)
    for _ in range(5):
        tokens = await accounts.refresh(tokens.refresh_token)

    assert peer.ended_with is None
    await accounts.authenticate(tokens.token)


async def test_a_refresh_token_used_twice_ends_the_login_and_its_connections(
    accounts: Accounts, tokens: Tokens, connect_live: ConnectLive
) -> None:
    peer = await connect_live(tokens.token)
    thief = await accounts.refresh(tokens.refresh_token)

    with refused("invalid_refresh_token"):
        await accounts.refresh(tokens.refresh_token)

    assert peer.ended_with == "token_revoked"
    with refused("invalid_refresh_token"):
        await accounts.refresh(thief.refresh_token)
    for token in (tokens.token, thief.token):
        with refused("token_revoked"):
            await accounts.authenticate(token)


async def test_of_many_that_trade_one_token_at_once_at_most_one_gets_a_pair_and_no_login_is_left(
    accounts: Accounts, make_accounts: MakeAccounts, tokens: Tokens
) -> None:
    """Two nodes on one store, and five clients on each."""
    nodes = (accounts, make_accounts())

    results = await asyncio.gather(
        *(nodes[n % 2].refresh(tokens.refresh_token) for n in range(10)), return_exceptions=True
    )

    pairs = [result for result in results if isinstance(result, Tokens)]
    assert len(pairs) <= 1
    refusals = [result for result in results if isinstance(result, ProtocolError)]
    assert len(pairs) + len(refusals) == 10
    assert {refusal.code for refusal in refusals} == {"invalid_refresh_token"}
    for pair in pairs:
        with refused("invalid_refresh_token"):
            await accounts.refresh(pair.refresh_token)
    with refused("token_revoked"):
        await make_accounts().authenticate(tokens.token)


async def test_the_other_logins_of_the_account_go_on(accounts: Accounts, tokens: Tokens) -> None:
    other = await accounts.log_in("mina@example.com", "correct horse battery", address="127.0.0.1")
    await accounts.refresh(tokens.refresh_token)
    with refused("invalid_refresh_token"):
        await accounts.refresh(tokens.refresh_token)

    await accounts.authenticate(other.token)
    await accounts.refresh(other.refresh_token)


async def test_a_login_that_is_not_used_expires_and_each_refresh_gives_it_its_full_time(
    accounts: Accounts, tokens: Tokens, clock: MovableClock
) -> None:
    clock.advance(29 * 24 * 3600)
    fresh = await accounts.refresh(tokens.refresh_token)
    clock.advance(29 * 24 * 3600)
    fresh = await accounts.refresh(fresh.refresh_token)

    clock.advance(31 * 24 * 3600)

    with refused("invalid_refresh_token"):
        await accounts.refresh(fresh.refresh_token)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token + "x",
        lambda token: token.replace(".", ""),
        lambda token: "nobody." + token.partition(".")[2],
        lambda token: "\ud800" + token,
        lambda token: token + "\n",
        lambda token: "x" * 9000,
    ],
)
async def test_what_is_no_refresh_token_is_refused_and_ends_nothing(
    accounts: Accounts, tokens: Tokens, change: object
) -> None:
    assert callable(change)
    with refused("invalid_refresh_token"):
        await accounts.refresh(change(tokens.refresh_token))

    await accounts.refresh(tokens.refresh_token)
