"""Signing up, logging in and out, and who a token or ticket speaks for."""

import asyncio

import pytest

from chat_gateway.domain.caller import Caller
from chat_gateway.handlers import attempts
from chat_gateway.handlers.accounts import Accounts, Tokens
from chat_gateway.hub.connections import Connections
from chat_gateway.store.sqlite import SqliteStore
from chat_protocol import limits
from chat_protocol.errors import ProtocolError
from tests.identity.conftest import ConnectLive, MakeAccounts
from tests.identity.refusals import refused
from tests.parts.clock import MovableClock
from tests.parts.people import sign_token

HERE = "127.0.0.1"
PASSWORD = "correct horse battery"


async def sign_up(accounts: Accounts, email: str = "mina@example.com") -> Tokens:
    return await accounts.sign_up(email, PASSWORD, "Mina", address=HERE)


# --- accounts -----------------------------------------------------------------------------------


async def test_who_signs_up_can_log_in_and_is_who_the_token_says(
    accounts: Accounts, clock: MovableClock
) -> None:
    signed = await sign_up(accounts)
    logged = await accounts.log_in("mina@example.com", PASSWORD, address=HERE)

    assert logged.account == signed.account
    for tokens in (signed, logged):
        caller = await accounts.authenticate(tokens.token)
        assert caller.account_id == signed.account.id
        assert caller.display_name == "Mina"
        assert caller.expires_at_ms == tokens.expires_at_ms
        assert await accounts.account(caller) == signed.account
    assert signed.token != logged.token


async def test_neither_password_nor_refresh_token_stands_in_the_store(
    accounts: Accounts, store: SqliteStore
) -> None:
    tokens = await sign_up(accounts)
    login_id, _, secret = tokens.refresh_token.partition(".")

    account = await store.account(tokens.account.id)
    login = await store.login(login_id)

    assert account is not None
    assert account.password_hash is not None
    assert account.password_hash.startswith("$argon2id$")
    assert login is not None
    assert secret not in login.refresh_hash


async def test_an_email_is_one_account_however_it_is_written(accounts: Accounts) -> None:
    signed = await sign_up(accounts, "Mina@Example.com")
    assert signed.account.email == "mina@example.com"

    with refused("email_taken"):
        await sign_up(accounts, "mina@example.COM")
    logged = await accounts.log_in(" MINA@example.com ", PASSWORD, address=HERE)

    assert logged.account.id == signed.account.id


async def test_of_many_sign_ups_with_one_email_one_succeeds(accounts: Accounts) -> None:
    results = await asyncio.gather(*(sign_up(accounts) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(result, Tokens) for result in results) == 1
    assert {r.code for r in results if isinstance(r, ProtocolError)} == {"email_taken"}


async def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(
    accounts: Accounts,
) -> None:
    await sign_up(accounts)

    with refused("invalid_credentials") as wrong:
        await accounts.log_in("mina@example.com", "wrong", address=HERE)
    with refused("invalid_credentials") as unknown:
        await accounts.log_in("nobody@example.com", PASSWORD, address=HERE)

    assert str(wrong.value) == str(unknown.value)


async def test_who_has_no_password_here_cannot_log_in(
    accounts: Accounts, store: SqliteStore
) -> None:
    await accounts.authenticate(sign_token("outsider", "Otto"))

    with refused("invalid_credentials"):
        await accounts.log_in("outsider", "", address=HERE)


# --- throttling ---------------------------------------------------------------------------------


async def guess_until_limited(accounts: Accounts, email: str, address: str = HERE) -> int:
    """How many wrong passwords are looked at before one is refused unseen."""
    for tried in range(1000):
        try:
            await accounts.log_in(email, "wrong", address=address)
        except ProtocolError as refusal:
            if refusal.code == "rate_limited":
                assert refusal.retry_after_ms
                return tried
    raise AssertionError("never limited")


async def test_guessing_at_one_account_is_stopped_after_ten(
    accounts: Accounts, clock: MovableClock
) -> None:
    await sign_up(accounts)

    assert await guess_until_limited(accounts, "mina@example.com") == attempts.GUESSES_BURST
    with refused("rate_limited"):
        await accounts.log_in("Mina@example.com", PASSWORD, address="198.51.100.7")

    clock.advance(30)
    await accounts.log_in("mina@example.com", PASSWORD, address=HERE)


async def test_guesses_that_come_at_once_are_no_more_than_ten(accounts: Accounts) -> None:
    await sign_up(accounts)

    results = await asyncio.gather(
        *(accounts.log_in("mina@example.com", "wrong", address=HERE) for _ in range(40)),
        return_exceptions=True,
    )

    codes = [result.code for result in results if isinstance(result, ProtocolError)]
    assert codes.count("invalid_credentials") == attempts.GUESSES_BURST
    assert codes.count("rate_limited") == 40 - attempts.GUESSES_BURST


async def test_an_email_that_nobody_has_is_limited_alike(accounts: Accounts) -> None:
    assert await guess_until_limited(accounts, "nobody@example.com") == attempts.GUESSES_BURST


async def test_guessing_at_one_account_does_not_lock_another(accounts: Accounts) -> None:
    await sign_up(accounts, "jun@example.com")
    await guess_until_limited(accounts, "mina@example.com")

    await accounts.log_in("jun@example.com", PASSWORD, address=HERE)


async def test_right_passwords_are_not_guesses(accounts: Accounts) -> None:
    await sign_up(accounts)

    await asyncio.gather(
        *(accounts.log_in("mina@example.com", PASSWORD, address=HERE) for _ in range(30))
    )


async def test_a_hundred_accounts_may_be_made_in_a_row_and_then_there_is_an_end(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, clock: MovableClock
) -> None:
    assert attempts.ADDRESS_BURST >= 100
    # Most of the burst is used up by sign-ups that cost no password hash: the email is taken.
    await sign_up(accounts)
    for _ in range(attempts.ADDRESS_BURST - 1):
        with pytest.raises(ProtocolError):
            await sign_up(accounts)

    while True:  # what was gained while the test ran
        try:
            await sign_up(accounts)
        except ProtocolError as refusal:
            if refusal.code == "rate_limited":
                break
    await accounts.sign_up("a@example.com", PASSWORD, "A", address="198.51.100.7")
    clock.advance(1)
    await sign_up(accounts, "b@example.com")


async def test_an_address_is_limited_over_all_accounts(accounts: Accounts) -> None:
    limited = attempts.Attempts(MovableClock(), limited=True)
    for number in range(attempts.ADDRESS_BURST):
        limited.log_in(f"{number}@example.com", HERE)

    with refused("rate_limited"):
        for number in range(50):
            limited.log_in(f"more-{number}@example.com", HERE)
    limited.log_in("one@example.com", "198.51.100.7")


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8", False),
        ("", "unix", False),
    ],
)
def test_an_address_is_what_one_person_holds(one: str, two: str, same: bool) -> None:
    assert (attempts.network_of(one) == attempts.network_of(two)) is same


async def test_without_rate_limits_nothing_is_limited(make_accounts: MakeAccounts) -> None:
    accounts = make_accounts(rate_limits=False)
    await sign_up(accounts)
    for _ in range(3 * attempts.GUESSES_BURST):
        with refused("invalid_credentials"):
            await accounts.log_in("mina@example.com", "wrong", address=HERE)


# --- logging out --------------------------------------------------------------------------------


async def test_who_logs_out_is_out_everywhere_that_the_login_was(
    accounts: Accounts, connect_live: ConnectLive
) -> None:
    tokens = await sign_up(accounts)
    other = await accounts.log_in("mina@example.com", PASSWORD, address=HERE)
    peer, other_peer = await connect_live(tokens.token), await connect_live(other.token)
    caller = await accounts.authenticate(tokens.token)

    await accounts.log_out(caller)

    assert peer.ended_with == "token_revoked"
    with refused("token_revoked"):
        await accounts.authenticate(tokens.token)
    with refused("invalid_refresh_token"):
        await accounts.refresh(tokens.refresh_token)
    assert other_peer.ended_with is None
    await accounts.authenticate(other.token)
    await accounts.log_out(caller)


async def test_a_login_that_ended_before_a_restart_is_still_ended(
    accounts: Accounts, make_accounts: MakeAccounts
) -> None:
    tokens = await sign_up(accounts)
    await accounts.log_out(await accounts.authenticate(tokens.token))

    with refused("token_revoked"):
        await make_accounts().authenticate(tokens.token)


async def test_who_comes_in_while_logging_out_does_not_stay(
    accounts: Accounts, make_accounts: MakeAccounts, connections: Connections
) -> None:
    """Of a thousand orders in which the two may go, none leaves a live caller behind."""
    for number in range(20):
        tokens = await sign_up(accounts, f"mina{number}@example.com")
        fresh = make_accounts()  # knows no login yet, so it has to ask the store
        caller = await make_accounts().authenticate(tokens.token)
        coming = asyncio.create_task(fresh.authenticate(tokens.token))
        for _ in range(number):
            await asyncio.sleep(0)
        await fresh.log_out(caller)

        if coming.done() and coming.exception() is None:
            with refused("token_revoked"):
                fresh.check_still_logged_in(coming.result())
        else:
            with refused("token_revoked"):
                await coming


async def test_a_token_of_another_issuer_is_ended_there(accounts: Accounts) -> None:
    caller = await accounts.authenticate(sign_token("outsider", "Otto"))

    with refused("accounts_elsewhere"):
        await accounts.log_out(caller)


# --- who a token speaks for ---------------------------------------------------------------------


async def test_an_outsider_gets_an_account_at_first_sight(
    accounts: Accounts, store: SqliteStore
) -> None:
    callers = await asyncio.gather(
        *(accounts.authenticate(sign_token("outsider", "Otto")) for _ in range(10))
    )

    account = await store.account("outsider")
    assert account is not None
    assert (account.display_name, account.email, account.password_hash) == ("Otto", None, None)
    for caller in callers:
        assert (caller.account_id, caller.display_name) == ("outsider", "Otto")
        assert caller.login_id is None
        assert await accounts.account(caller) == account


async def test_an_outsider_without_a_name_is_called_by_the_id_or_as_before(
    accounts: Accounts, make_accounts: MakeAccounts
) -> None:
    caller = await accounts.authenticate(sign_token("u-17", ""))
    assert caller.display_name == "u-17"

    await accounts.authenticate(sign_token("outsider", "Otto"))
    for each in (accounts, make_accounts()):
        caller = await each.authenticate(sign_token("outsider", ""))
        assert caller.display_name == "Otto"


async def test_an_issuer_that_shares_the_secret_may_speak_for_an_account_made_here(
    accounts: Accounts,
) -> None:
    tokens = await sign_up(accounts)

    caller = await accounts.authenticate(sign_token(tokens.account.id, ""))

    assert caller.display_name == "Mina"
    assert await accounts.account(caller) == tokens.account


async def test_a_login_speaks_for_its_own_account_only(accounts: Accounts) -> None:
    login_id = (await sign_up(accounts)).refresh_token.partition(".")[0]

    with refused("invalid_token"):
        await accounts.authenticate(sign_token("outsider", "Otto", sid=login_id))


async def test_an_expired_token_is_refused_as_such(accounts: Accounts, clock: MovableClock) -> None:
    tokens = await sign_up(accounts)

    clock.advance(3602)

    with refused("token_expired"):
        await accounts.authenticate(tokens.token)


# --- tickets ------------------------------------------------------------------------------------


async def new_caller(accounts: Accounts) -> Caller:
    return await accounts.authenticate((await sign_up(accounts)).token)


async def test_a_ticket_speaks_for_its_caller_and_lives_no_longer(
    accounts: Accounts, clock: MovableClock
) -> None:
    caller = await new_caller(accounts)

    ticket, expires_at_ms = await accounts.make_ticket(caller)

    assert 0 < expires_at_ms - clock.now_ms() <= limits.TICKET_LIFETIME_S * 1000
    assert await accounts.redeem_ticket(ticket) == caller


async def test_of_many_that_use_a_ticket_at_once_one_gets_in(accounts: Accounts) -> None:
    ticket, _ = await accounts.make_ticket(await new_caller(accounts))

    results = await asyncio.gather(
        *(accounts.redeem_ticket(ticket) for _ in range(10)), return_exceptions=True
    )

    assert sum(isinstance(result, Caller) for result in results) == 1
    assert {r.code for r in results if isinstance(r, ProtocolError)} == {"invalid_ticket"}


async def test_a_ticket_is_too_old_after_thirty_seconds(
    accounts: Accounts, clock: MovableClock
) -> None:
    ticket, _ = await accounts.make_ticket(await new_caller(accounts))

    clock.advance(limits.TICKET_LIFETIME_S)

    with refused("invalid_ticket"):
        await accounts.redeem_ticket(ticket)


async def test_a_ticket_does_not_outlive_the_token_that_asked_for_it(
    accounts: Accounts, clock: MovableClock
) -> None:
    caller = await accounts.authenticate(sign_token("outsider", "Otto", lifetime_s=5))
    ticket, _ = await accounts.make_ticket(caller)

    clock.advance(6)

    with refused("token_expired"):
        await accounts.redeem_ticket(ticket)


async def test_a_ticket_ends_with_its_login(accounts: Accounts) -> None:
    caller = await new_caller(accounts)
    ticket, _ = await accounts.make_ticket(caller)
    await accounts.log_out(caller)

    with refused("token_revoked"):
        await accounts.redeem_ticket(ticket)


@pytest.mark.parametrize("ticket", ["", "x", "x" * 43, "x" * 9000, "\ud800" * 43, "티켓", "a\x00"])
async def test_what_is_no_ticket_is_refused(accounts: Accounts, ticket: str) -> None:
    with refused("invalid_ticket"):
        await accounts.redeem_ticket(ticket)
