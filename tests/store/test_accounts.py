"""Accounts, logins and tickets."""

import asyncio
from dataclasses import replace

import pytest

from chat_gateway.domain.model import Invite, Login, Ticket
from chat_gateway.store.base import Store
from tests.store.conftest import OpenStore
from tests.store.making import T0_MS, make_account

LOGIN = Login(id="login", account_id="alice", refresh_hash="hash 1", expires_at_ms=T0_MS)
TICKET = Ticket(
    hash="ticket",
    account_id="alice",
    login_id=None,
    token_expires_at_ms=T0_MS + 1000,
    expires_at_ms=T0_MS,
)


async def test_an_account_is_found_by_its_id_and_by_its_email(store: Store) -> None:
    alice = make_account(email="alice@example.com")

    assert await store.create_account(alice)
    assert await store.account(alice.id) == alice
    assert await store.account_by_email("alice@example.com") == alice
    assert await store.account("nobody") is None
    assert await store.account_by_email("nobody@example.com") is None


async def test_an_email_or_an_id_that_is_taken_changes_nothing(store: Store) -> None:
    alice = make_account(email="alice@example.com")
    await store.create_account(alice)

    assert not await store.create_account(make_account("mallory", email="alice@example.com"))
    assert not await store.create_account(replace(alice, email="other@example.com"))
    assert await store.account_by_email("alice@example.com") == alice
    assert await store.account_by_email("other@example.com") is None


async def test_many_accounts_may_have_no_email(store: Store) -> None:
    accounts = [make_account(f"guest {n}") for n in range(3)]

    assert [await store.create_account(account) for account in accounts] == [True] * 3
    assert await store.account(accounts[2].id) == accounts[2]


async def test_of_many_who_take_an_email_at_once_one_gets_it(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(4)]
    accounts = [make_account(f"a{n}", email="same@example.com") for n in range(4)]
    taken = await asyncio.gather(
        *(store.create_account(a) for store, a in zip(stores, accounts, strict=True))
    )

    assert taken.count(True) == 1
    assert await stores[0].account_by_email("same@example.com") == accounts[taken.index(True)]


async def test_a_login_is_kept_until_it_is_deleted(store: Store) -> None:
    await store.create_login(LOGIN)

    assert await store.login("login") == LOGIN
    assert await store.delete_login("login")
    assert await store.login("login") is None
    assert not await store.delete_login("login")


async def test_a_login_turns_only_from_the_hash_that_stands(store: Store) -> None:
    await store.create_login(LOGIN)

    turned = await store.rotate_login(
        "login", old_hash="hash 1", new_hash="hash 2", expires_at_ms=T0_MS + 5
    )
    again = await store.rotate_login(
        "login", old_hash="hash 1", new_hash="hash 3", expires_at_ms=T0_MS + 9
    )
    unknown = await store.rotate_login("none", old_hash="hash 1", new_hash="x", expires_at_ms=1)

    assert (turned, again, unknown) == (True, False, False)
    assert await store.login("login") == replace(
        LOGIN, refresh_hash="hash 2", expires_at_ms=T0_MS + 5
    )


@pytest.mark.usefixtures("atomic_updates")
async def test_of_many_who_turn_a_login_at_once_one_succeeds(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(4)]
    await stores[0].create_login(LOGIN)
    turned = await asyncio.gather(
        *(
            store.rotate_login("login", old_hash="hash 1", new_hash=f"new {n}", expires_at_ms=T0_MS)
            for n, store in enumerate(stores)
        )
    )

    assert turned.count(True) == 1
    login = await stores[1].login("login")
    assert login is not None
    assert login.refresh_hash == f"new {turned.index(True)}"


async def test_a_ticket_is_taken_once(store: Store) -> None:
    await store.create_ticket(TICKET)

    assert await store.take_ticket("another") is None
    assert await store.take_ticket("ticket") == TICKET
    assert await store.take_ticket("ticket") is None


async def test_of_many_who_take_a_ticket_at_once_one_gets_it(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(4)]
    ticket = replace(TICKET, login_id="login")
    await stores[0].create_ticket(ticket)
    taken = await asyncio.gather(*(store.take_ticket("ticket") for store in stores * 3))

    assert [one for one in taken if one is not None] == [ticket]


async def test_what_has_expired_is_forgotten_and_nothing_else(store: Store) -> None:
    for n, expires_at_ms in enumerate((T0_MS - 1, T0_MS, T0_MS + 1)):
        await store.create_login(replace(LOGIN, id=f"login {n}", expires_at_ms=expires_at_ms))
        await store.create_ticket(replace(TICKET, hash=f"t{n}", expires_at_ms=expires_at_ms))
        await store.create_invite(
            Invite(code=f"i{n}", session_id="s", created_by="a", expires_at_ms=expires_at_ms)
        )

    await store.delete_expired(T0_MS)

    kept = range(3)
    assert [await store.login(f"login {n}") is not None for n in kept] == [False, True, True]
    assert [await store.invite(f"i{n}") is not None for n in kept] == [False, True, True]
    assert [await store.take_ticket(f"t{n}") is not None for n in kept] == [False, True, True]
