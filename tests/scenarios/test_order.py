"""Commands of one connection are carried out in the order sent; events come in the order of seq."""

import asyncio

import pytest

from tests.parts.people import Api, new_person
from tests.parts.service import Connect, Serve, ways

PIPELINED = 200


@pytest.mark.parametrize("way", ways())
async def test_pipelined_messages_keep_their_order_and_history_sees_them(
    serve: Serve, connect: Connect, way: str
) -> None:
    service = await serve(rate_limits=False)
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, way, mina, session_id)
    witness = await connect(service, "raw", mina, session_id)

    asked = [await client.ask("message", content=f"number {number}") for number in range(PIPELINED)]
    history = await client.ask("history", limit=PIPELINED)
    acks = await asyncio.wait_for(asyncio.gather(*asked), 20)

    assert [ack["type"] for ack in acks] == ["ack"] * PIPELINED
    assert [ack["seq"] for ack in acks] == list(range(1, PIPELINED + 1))
    listed = (await asyncio.wait_for(history, 10))["messages"]
    assert [message["content"] for message in listed] == [f"number {n}" for n in range(PIPELINED)]
    for each in (client, witness):
        assert await each.messages_until(PIPELINED) == listed


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_command_behind_another_sees_what_it_did(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, way, mina)

    join = await client.ask("join", sessionId=session_id)
    first = await client.ask("message", content="right behind the join")
    leave = await client.ask("leave")
    second = await client.ask("message", content="behind the leave")

    assert (await join)["type"] == "ack"
    assert (await first)["type"] == "ack"
    assert (await leave)["type"] == "ack"
    assert (await second)["code"] == "session_required"


async def test_two_who_write_at_the_same_time_are_heard_in_one_order(
    any_service: Api, connect: Connect
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)
    before = await any_service.head(mina, session_id)
    hers = await connect(any_service, "raw", mina, session_id)
    his = await connect(any_service, "io", jun, session_id)
    polling = await connect(any_service, "io-polling", jun, session_id)

    asked = [
        await client.ask("message", content=f"{client.wire} {number}")
        for number in range(40)
        for client in (hers, his)
    ]
    await asyncio.gather(*asked)

    heard = [await client.messages_until(before + 80) for client in (hers, his, polling)]
    assert [event["seq"] for event in heard[0]] == list(range(before + 1, before + 81))
    assert heard[0] == heard[1] == heard[2]
    for wire in ("raw", "socketio"):
        spoken = [e["content"] for e in heard[0] if e["content"].startswith(wire)]
        assert spoken == [f"{wire} {number}" for number in range(40)]
