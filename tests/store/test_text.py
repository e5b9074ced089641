"""Text is kept as it is, whatever it says, and is never anything but a value."""

from dataclasses import replace

import orjson
import pytest

from chat_gateway.domain.model import Invite, Page, Role
from chat_gateway.store.base import Store
from chat_protocol.codec import encode_durable
from chat_protocol.commands import Attachment
from tests.store.making import (
    T0_MS,
    make_account,
    make_member,
    make_message,
    make_session,
    whole_log,
)

ODD = [
    "안녕하세요, 테스트 메시지",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 \u202eright to left\u202c",
    "$where",
    '{"$ne": null}',
    "a.b.$c",
    "'; DROP TABLE message; --",
    "% _ * ? \\ \" ' ` \n\r\t",
    "nul \x00 in the middle",
    "\u2028\u2029\ufeff\uffff",
    " spaces at both ends ",
    "constructor __proto__ _id",
]


@pytest.mark.parametrize("text", ODD)
async def test_odd_text_comes_back_as_it_was_given(store: Store, text: str) -> None:
    event = replace(
        make_message(text, text, sender=text, key=text), sender_name=text, mentions=[text]
    )
    event = replace(
        event, attachments=[Attachment(url=text, name=text, media_type=text, size_bytes=1)]
    )
    [outcome] = await store.append([event])
    assert outcome.record.wire == encode_durable(event, 1)
    page = Page(records=[outcome.record], more=False)
    assert await store.events_after(text, 0, 10) == page
    assert await store.messages(text, before=None, after=None, limit=10) == page
    [repeat] = await store.append([replace(event, content="other")])
    assert repeat.duplicate
    assert repeat.record == outcome.record

    session = make_session(slot=f"own:{text}", title=text)
    owner = replace(make_member(session.id, text, Role.OWNER), display_name=text)
    await store.create_session(session, owner)
    assert await store.create_session(make_session(slot=f"own:{text}"), owner) == session
    assert await store.member(session.id, text) == owner
    assert await store.rename_session(session.id, text * 2)
    [summary] = await store.summaries(text)
    assert summary.session.title == text * 2

    account = replace(make_account(), id=text, email=f"{text}@example.com", display_name=text)
    assert await store.create_account(account)
    assert await store.account(text) == account
    assert await store.account_by_email(f"{text}@example.com") == account
    invite = Invite(code=text, session_id=session.id, created_by=text, expires_at_ms=T0_MS)
    await store.create_invite(invite)
    assert await store.invite(text) == invite


async def test_the_longest_message_of_the_widest_characters_is_kept(store: Store) -> None:
    longest = "😀" * 4000
    await store.append([make_message("s", longest) for _ in range(40)])

    log = await whole_log(store, "s")
    assert len(log) == 40
    assert all(orjson.loads(record.wire)["content"] == longest for record in log)


async def test_keys_that_only_look_alike_are_different(store: Store) -> None:
    alike = ["key", "Key", "key ", " key", "ke\u0301y", "k\u00e9y", "key\x00", "0", "00", "null"]
    outcomes = await store.append([make_message("s", key, key=key) for key in alike])
    assert not any(outcome.duplicate for outcome in outcomes)
    assert await store.head("s") == len(alike)

    repeats = await store.append([make_message("s", key, key=key) for key in alike])
    assert [r.record for r in repeats] == [o.record for o in outcomes]


@pytest.mark.parametrize("text", ['{"$ne": null}', "$ne", "[$ne]", "' OR 1=1 --", "%", ".*", ""])
async def test_an_operator_finds_nothing(store: Store, text: str) -> None:
    account = make_account(email="alice@example.com")
    await store.create_account(account)
    await store.append([make_message("s")])
    await store.add_member(make_member("s"))

    assert await store.account(text) is None
    assert await store.account_by_email(text) is None
    assert await store.session(text) is None
    assert await store.member("s", text) is None
    assert await store.member(text, "alice") is None
    assert await store.take_ticket(text) is None
    assert await store.login(text) is None
    assert await store.head(text) == 0
    assert await store.summaries(text) == []
    assert not await store.delete_session(text)
    assert await store.head("s") == 1
