"""Sessions: made once for a slot, listed, renamed, deleted."""

import asyncio
from dataclasses import replace

import pytest

from chat_gateway.domain.model import Invite, Page, Role
from chat_gateway.store.base import Store
from chat_protocol import limits
from tests.store.conftest import OpenStore
from tests.store.making import (
    T0_MS,
    add_session,
    contents,
    make_joined,
    make_member,
    make_message,
    make_session,
)


async def test_a_session_has_its_owner_from_the_start(store: Store) -> None:
    session = make_session()
    owner = make_member(session.id, "alice", Role.OWNER)

    assert await store.create_session(session, owner) == session
    assert await store.session(session.id) == session
    assert await store.members(session.id) == [owner]
    assert await store.session("none") is None


async def test_a_slot_that_is_taken_gives_the_session_there(store: Store) -> None:
    first = make_session(slot="own:alice", title="First")
    second = make_session(slot="own:alice", title="Second")
    await store.create_session(first, make_member(first.id, "alice", Role.OWNER))

    assert await store.create_session(second, make_member(second.id, "alice", Role.OWNER)) == first
    assert await store.session(second.id) is None
    assert await store.member(second.id, "alice") is None
    assert [one.session for one in await store.summaries("alice")] == [first]


async def test_making_the_same_session_again_changes_nothing(store: Store) -> None:
    session = make_session()
    owner = make_member(session.id, "alice", Role.OWNER)
    await store.create_session(session, owner)

    assert await store.create_session(session, owner) == session
    assert await store.members(session.id) == [owner]


async def test_of_many_who_take_a_slot_at_once_one_makes_the_session(
    open_store: OpenStore,
) -> None:
    stores = [await open_store() for _ in range(4)]

    async def make(store: Store) -> str:
        session = make_session(slot="own:alice")
        owner = make_member(session.id, "alice", Role.OWNER)
        made = await store.create_session(session, owner)
        # Whoever gets it finds its owner in it.
        assert await store.member(made.id, "alice") is not None
        return made.id

    made = await asyncio.gather(*map(make, stores * 2))

    assert len(set(made)) == 1
    assert len(await stores[0].summaries("alice")) == 1
    assert await stores[0].owners(made[0]) == 1


async def test_a_session_gets_another_title(store: Store) -> None:
    session = await add_session(store)

    assert await store.rename_session(session.id, "새 제목")
    assert await store.session(session.id) == replace(session, title="새 제목")
    assert not await store.rename_session("none", "x")


async def test_a_deleted_session_leaves_nothing_behind(store: Store) -> None:
    session, other = await add_session(store), await add_session(store)
    await store.add_member(make_member(session.id, "bob"))
    await store.create_invite(
        Invite(code="code", session_id=session.id, created_by="alice", expires_at_ms=T0_MS)
    )
    await store.append([make_message(session.id, f"{n}", key=f"{n}") for n in range(10)])
    await store.append([make_message(other.id, "stays")])

    assert await store.delete_session(session.id)

    assert await store.session(session.id) is None
    assert await store.members(session.id) == []
    assert await store.member(session.id, "alice") is None
    assert await store.summary(session.id, "bob") is None
    assert await store.invite("code") is None
    assert await store.head(session.id) == 0
    assert await store.events_after(session.id, 0, 10) == Page(records=[], more=False)
    assert not await store.delete_session(session.id)
    [kept] = await store.summaries("alice")
    assert kept.session == other
    assert kept.head == 1
    assert await store.append([make_message(session.id, key="0")]) != []
    assert await store.head(session.id) == 1


async def test_the_slot_of_a_deleted_session_is_free(store: Store) -> None:
    first, second = make_session(slot="own:alice"), make_session(slot="own:alice")
    await store.create_session(first, make_member(first.id, "alice", Role.OWNER))
    await store.delete_session(first.id)

    made = await store.create_session(second, make_member(second.id, "alice", Role.OWNER))
    assert made == second


async def test_a_long_log_is_deleted_to_its_end(store: Store) -> None:
    session = await add_session(store)
    for _ in range(9):
        await store.append([make_message(session.id, "x") for _ in range(500)])

    assert await store.delete_session(session.id)
    assert await store.events_after(session.id, 0, 1) == Page(records=[], more=False)


async def test_an_invite_is_found_by_its_code(store: Store) -> None:
    invite = Invite(code="code", session_id="s", created_by="alice", expires_at_ms=T0_MS)
    await store.create_invite(invite)

    assert await store.invite("code") == invite
    assert await store.invite("another") is None


# --- lists --------------------------------------------------------------------------------------


async def test_a_summary_counts_what_others_said_since_one_read(store: Store) -> None:
    session = await add_session(store)
    bob = make_member(session.id, "bob", at_ms=T0_MS + 1)
    await store.add_member(bob)
    await store.append(
        [
            make_message(session.id, "one", sender="alice"),
            make_message(session.id, "two", sender="bob"),
            make_message(session.id, "three", sender="alice"),
            make_joined(session.id, "carol"),
        ]
    )

    summary = await store.summary(session.id, "bob")

    assert summary is not None
    assert summary.session == session
    assert (summary.role, summary.head, summary.read_seq, summary.unread) == (Role.MEMBER, 4, 0, 2)
    assert summary.last_message is not None
    assert contents([summary.last_message]) == ["three"]
    assert [member.account_id for member in summary.members] == ["alice", "bob"]

    await store.mark_read(session.id, "bob", 1)
    read = await store.summary(session.id, "bob")
    assert read is not None
    assert (read.read_seq, read.unread) == (1, 1)
    assert await store.summary(session.id, "mallory") is None


async def test_a_session_without_events_has_an_empty_summary(store: Store) -> None:
    session = await add_session(store)

    summary = await store.summary(session.id, "alice")
    assert summary is not None
    assert (summary.head, summary.unread, summary.last_message) == (0, 0, None)
    assert summary.role == Role.OWNER


async def test_the_list_begins_with_the_session_that_moved_last(store: Store) -> None:
    old = await add_session(store, at_ms=T0_MS)
    quiet = await add_session(store, at_ms=T0_MS + 1000)
    new = await add_session(store, at_ms=T0_MS + 2000)
    await add_session(store, "bob", at_ms=T0_MS + 9000)
    await store.append([make_message(old.id, at_ms=T0_MS + 5000)])
    await store.append([make_message(new.id, at_ms=T0_MS + 3000)])

    listed = [summary.session.id for summary in await store.summaries("alice")]
    assert listed == [old.id, new.id, quiet.id]
    assert await store.summaries("nobody") == []


async def test_who_has_many_sessions_does_not_keep_others_waiting(store: Store) -> None:
    for _ in range(120):
        await add_session(store)

    listing = asyncio.ensure_future(store.summaries("alice"))
    await asyncio.sleep(0)
    await store.account("bob")

    assert not listing.done()
    assert len(await listing) == 120


async def test_counts_and_lists_of_a_summary_are_bounded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMBERS_SHOWN_MAX", 3)
    monkeypatch.setattr(limits, "UNREAD_COUNTED_MAX", 5)
    session = await add_session(store)
    for n in range(1, 6):
        await store.add_member(make_member(session.id, f"m{n}", at_ms=T0_MS + n))
    await store.append([make_message(session.id, f"{n}") for n in range(9)])

    summary = await store.summary(session.id, "m5")
    assert summary is not None
    assert summary.unread == 5
    assert [member.account_id for member in summary.members] == ["alice", "m1", "m2"]
