"""Members, their roles, and how far they have read."""

import asyncio
from dataclasses import replace

import pytest

from chat_gateway.domain.model import Role
from chat_gateway.store.base import Store
from tests.store.conftest import OpenStore
from tests.store.making import T0_MS, add_session, make_member


async def test_a_member_is_added_once(store: Store) -> None:
    session = await add_session(store)
    bob = make_member(session.id, "bob")

    assert await store.add_member(bob)
    assert not await store.add_member(replace(bob, role=Role.OWNER, display_name="Other"))
    assert await store.member(session.id, "bob") == bob
    assert await store.member(session.id, "mallory") is None
    assert await store.member("none", "bob") is None


async def test_members_are_listed_longest_standing_first(store: Store) -> None:
    session = await add_session(store)
    for name, at_ms in (("zoe", T0_MS + 1), ("bob", T0_MS + 3), ("carol", T0_MS + 2)):
        await store.add_member(make_member(session.id, name, at_ms=at_ms))

    listed = [member.account_id for member in await store.members(session.id)]
    assert listed == ["alice", "zoe", "carol", "bob"]
    assert [m.account_id for m in await store.members(session.id, 2)] == ["alice", "zoe"]
    assert await store.members("none") == []


async def test_a_role_is_changed_and_owners_are_counted(store: Store) -> None:
    session = await add_session(store)
    await store.add_member(make_member(session.id, "bob"))
    assert await store.owners(session.id) == 1

    assert await store.set_role(session.id, "bob", Role.OWNER)
    assert await store.owners(session.id) == 2
    bob = await store.member(session.id, "bob")
    assert bob is not None
    assert bob.role is Role.OWNER
    assert not await store.set_role(session.id, "mallory", Role.OWNER)
    assert await store.owners("none") == 0


async def test_a_removed_member_is_gone(store: Store) -> None:
    session = await add_session(store)
    await store.add_member(make_member(session.id, "bob"))

    assert await store.remove_member(session.id, "bob")
    assert await store.member(session.id, "bob") is None
    assert await store.summaries("bob") == []
    assert not await store.remove_member(session.id, "bob")


async def test_how_far_one_has_read_never_goes_back(store: Store) -> None:
    session = await add_session(store)

    assert await store.mark_read(session.id, "alice", 5) == 5
    assert await store.mark_read(session.id, "alice", 3) == 5
    assert await store.mark_read(session.id, "alice", 8) == 8
    assert await store.mark_read(session.id, "mallory", 9) == 0
    alice = await store.member(session.id, "alice")
    assert alice is not None
    assert alice.read_seq == 8


@pytest.mark.usefixtures("atomic_updates")
async def test_reading_through_many_processes_at_once_keeps_the_furthest(
    open_store: OpenStore,
) -> None:
    stores = [await open_store() for _ in range(4)]
    session = await add_session(stores[0])
    await asyncio.gather(
        *(store.mark_read(session.id, "alice", 10 - n) for n, store in enumerate(stores))
    )

    assert await stores[0].mark_read(session.id, "alice", 0) == 10


async def test_an_account_id_with_a_space_is_not_taken_for_another(store: Store) -> None:
    await store.add_member(make_member("s", "b c"))

    assert await store.member("s", "b c") is not None
    assert await store.member("s b", "c") is None
    assert await store.mark_read("s b", "c", 1) == 0
    assert not await store.remove_member("s b", "c")
    assert not await store.set_role("s b", "c", Role.OWNER)
