"""(session, sender, clientMessageId) is one message, however often it comes, whichever way."""

import asyncio
from typing import Any

import pytest

from tests.parts.people import Api, Person, new_person
from tests.parts.service import Connect, ways


@pytest.mark.parametrize("first", ["raw", "io", "io-polling", "rest"])
async def test_a_repeat_by_any_way_gets_the_original(
    any_service: Api, connect: Connect, first: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    clients = {way: await connect(any_service, way, mina, session_id) for way in ("raw", "io")}
    clients["io-polling"] = await connect(any_service, "io-polling", mina, session_id)
    fields = {"content": "once", "clientMessageId": "key-1"}
    path = f"/api/sessions/{session_id}/messages"

    if first == "rest":
        status, original = await any_service.answer("POST", path, fields, by=mina)
        assert status == 201
    else:
        original = await clients[first].ack("message", **fields)
        assert original["duplicate"] is False

    for client in clients.values():
        repeat = await client.ack("message", **fields)
        assert repeat["duplicate"] is True
        assert (repeat["id"], repeat["seq"]) == (original["id"], original["seq"])
        assert repeat["createdAt"] == original["createdAt"]
    status, repeat = await any_service.answer("POST", path, fields, by=mina)
    assert (status, repeat["id"], repeat["seq"]) == (200, original["id"], original["seq"])
    status, repeat = await any_service.answer(
        "POST", path, {"content": "once"}, by=mina, headers={"Idempotency-Key": "key-1"}
    )
    assert (status, repeat["id"]) == (200, original["id"])

    after = await any_service.post(mina, session_id, "the next one")
    assert after["seq"] == original["seq"] + 1
    for client in clients.values():
        await client.next_event("message", content="the next one")
        assert client.seqs == [original["seq"], after["seq"]]


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_the_same_key_with_another_body_is_refused(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    client = await connect(any_service, way, mina, session_id)
    original = await client.ack("message", content="one", clientMessageId="key")

    refused = await client.refusal("message", content="two", clientMessageId="key")

    assert refused["code"] == "idempotency_conflict"
    assert refused["retryable"] is False
    status, problem = await any_service.answer(
        "POST",
        f"/api/sessions/{session_id}/messages",
        {"content": "two", "clientMessageId": "key"},
        by=mina,
    )
    assert (status, problem["code"]) == (409, "idempotency_conflict")
    log = await any_service.log(mina, session_id)
    assert [event["id"] for event in log] == [original["id"]]


async def test_a_key_belongs_to_one_sender_in_one_session(service: Api, connect: Connect) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    shared, hers = await service.session(mina, jun), await service.session(mina)
    acks = [
        await (await connect(service, "raw", mina, shared)).ack(
            "message", content="a", clientMessageId="key"
        ),
        await (await connect(service, "io", jun, shared)).ack(
            "message", content="b", clientMessageId="key"
        ),
        await (await connect(service, "io", mina, hers)).ack(
            "message", content="c", clientMessageId="key"
        ),
    ]

    assert [ack["duplicate"] for ack in acks] == [False] * 3
    assert len({ack["id"] for ack in acks}) == 3


async def test_of_many_repeats_at_the_same_time_one_is_stored(
    any_service: Api, connect: Connect
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    raw = await connect(any_service, "raw", mina, session_id)
    io = await connect(any_service, "io", mina, session_id)
    polling = await connect(any_service, "io-polling", mina, session_id)
    fields = {"content": "once", "clientMessageId": "key"}

    answers: list[Any] = await asyncio.gather(
        *(client.ack("message", **fields) for client in (raw, io, polling) for _ in range(5)),
        *(posted(any_service, mina, session_id, fields) for _ in range(5)),
    )

    assert {answer["seq"] for answer in answers} == {1}
    assert len({answer["id"] for answer in answers}) == 1
    assert [answer["duplicate"] for answer in answers].count(False) == 1
    assert len(await any_service.log(mina, session_id)) == 1


async def posted(
    service: Api, by: Person, session_id: str, fields: dict[str, str]
) -> dict[str, Any]:
    """What REST says of a message, with `duplicate` as its status tells."""
    status, body = await service.answer(
        "POST", f"/api/sessions/{session_id}/messages", fields, by=by
    )
    assert status in (200, 201)
    return {**body, "duplicate": status == 200}
