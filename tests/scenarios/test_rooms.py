"""One connection in several sessions, or in none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.parts.people import Api, new_person
from tests.parts.service import Connect, Serve, ways


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling", "node-io"))
async def test_a_connection_joins_several_sessions_and_says_which_it_means(
    service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    one, two = await service.session(mina), await service.session(mina, jun)
    client = await connect(service, way, mina)

    assert (await client.ack("join", sessionId=one))["seq"] == 0
    assert (await client.next_event("joined"))["sessionId"] == one
    await client.ack("message", content="only one is joined")
    assert (await client.next_event("message"))["sessionId"] == one

    assert (await client.ack("join", sessionId=two))["seq"] == 1
    refused = await client.refusal("message", content="which one?")
    assert refused["code"] == "session_required"
    assert list(refused["details"]) == ["sessionId"]
    await client.ack("message", content="this one", sessionId=two)
    await service.post(jun, two, "and his")
    heard = [await client.next_event("message") for _ in range(2)]
    assert [(event["sessionId"], event["seq"]) for event in heard] == [(two, 2), (two, 3)]

    assert (await client.ack("leave", sessionId=two))["seq"] == 3
    await service.post(jun, two, "nobody here hears it")
    await client.ack("message", content="one is left")
    assert (await client.next_event("message"))["content"] == "one is left"


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_session_that_may_not_be_joined_leaves_the_connection_open(
    service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    hers, his = await service.session(mina), await service.session(jun)
    client = await connect(service, way, mina, hers)

    assert (await client.refusal("join", sessionId=his))["code"] == "not_a_member"
    assert (await client.refusal("join", sessionId="nowhere"))["code"] == "session_not_found"

    await client.ack("message", content="still in mine")
    assert (await client.next_event("message"))["sessionId"] == hers


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_joining_twice_does_not_double_anything(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, way, mina, session_id)

    await client.ack("join", sessionId=session_id)
    await client.next_event("joined")
    await service.post(mina, session_id, "once")
    await service.post(mina, session_id, "and the next")

    await client.next_event("message", seq=2)
    assert client.seqs == [1, 2]


@pytest.mark.parametrize("way", ways("raw", "io"))
async def test_a_left_session_can_be_written_to_and_joined_again(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, way, mina, session_id)
    await client.ack("leave")

    assert (await client.refusal("leave"))["code"] == "session_required"
    ack = await client.ack("message", content="from outside", sessionId=session_id)
    await client.ack("join", sessionId=session_id, lastSeq=0)

    assert (await client.next_event("message"))["id"] == ack["id"]
    assert client.seqs == [1]


@pytest.mark.parametrize("way", ways("raw", "io"))
async def test_who_has_gone_is_not_online_any_more(
    service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await service.session(mina, jun)
    client = await connect(service, way, mina, session_id)
    other = await connect(service, "raw", jun, session_id)
    await client.ack("leave")
    await other.ack("join", sessionId=session_id)

    joined = other.events[-1]
    assert joined["type"] == "joined"
    assert joined["online"] == [jun.account_id]


@pytest.mark.parametrize("way", ways("raw", "io"))
async def test_read_is_kept_and_shown_to_those_who_join(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)
    posted = await any_service.post(mina, session_id, "read me")
    client = await connect(any_service, way, jun, session_id)

    assert (await client.ack("read", seq=posted["seq"]))["readSeq"] == posted["seq"]
    assert (await client.ack("read", seq=1))["readSeq"] == posted["seq"]
    assert (await client.ack("read", seq=10**9))["readSeq"] == posted["seq"]

    other = await connect(any_service, "raw", mina, session_id)
    receipts = {each["accountId"]: each["readSeq"] for each in other.events[-1]["receipts"]}
    assert receipts[jun.account_id] == posted["seq"]
    summary = await any_service.call("GET", f"/api/sessions/{session_id}", by=jun)
    assert summary["unread"] == 0


@pytest.mark.parametrize("way", ways("raw", "io"))
async def test_a_join_that_the_store_broke_off_leaves_the_connection_outside(
    serve: Serve, connect: Connect, tmp_path: Path, way: str
) -> None:
    service = await serve(store=f"sqlite:///{tmp_path / 'chat.db'}")
    mina = new_person()
    first, second = await service.session(mina, title="First"), await service.session(mina)
    await connect(service, "raw", mina, second)
    await service.post(mina, second, "before")
    client = await connect(service, way, mina, first)

    with closing(sqlite3.connect(tmp_path / "chat.db")) as other:
        other.execute("ALTER TABLE message RENAME TO elsewhere")
        refusal = await client.refusal("join", sessionId=second, lastSeq=0)
        other.execute("ALTER TABLE elsewhere RENAME TO message")

    assert refusal["code"] == "store_unavailable"
    # One session is joined, so it need not be named.
    ack = await client.ack("message", content="to the first")
    assert [said["id"] for said in await service.log(mina, first)] == [ack["id"]]
    await client.ack("join", sessionId=second, lastSeq=0)
    assert (await client.next_event("message", sessionId=second))["content"] == "before"
