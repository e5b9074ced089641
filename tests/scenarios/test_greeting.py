"""What a client is told first."""

import pytest

from chat_protocol import limits
from tests.parts.people import Api, new_person
from tests.parts.service import Connect, ways


@pytest.mark.parametrize("way", ways())
async def test_a_client_is_greeted_and_told_what_the_session_looks_like(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)
    posted = await any_service.post(mina, session_id, "안녕")
    await connect(any_service, "raw", mina, session_id)

    client = await connect(any_service, way, jun, session_id)

    ready, joined = client.events[:2]
    assert ready["type"] == "ready"
    assert ready["accountId"] == jun.account_id
    assert ready["heartbeatMs"] == 25_000
    assert ready["limits"] == limits.TOLD_TO_CLIENTS
    assert joined == {
        "type": "joined",
        "sessionId": session_id,
        "seq": posted["seq"],
        "recovered": False,
        "members": [
            {"accountId": mina.account_id, "displayName": "Mina", "role": "owner"},
            {"accountId": jun.account_id, "displayName": "Jun", "role": "member"},
        ],
        "online": [mina.account_id, jun.account_id],
        "receipts": [
            {"accountId": mina.account_id, "readSeq": 0, "deliveredSeq": 0},
            {"accountId": jun.account_id, "readSeq": 0, "deliveredSeq": 0},
        ],
    }
    assert client.durable == []


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_without_a_session_a_client_is_greeted_and_joins_nothing(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person("Mina")
    client = await connect(service, way, mina)

    assert [event["type"] for event in client.events] == ["ready"]
    refused = await client.refusal("message", content="to whom?")
    assert refused["code"] == "session_required"


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_ping_is_answered_with_the_servers_time(
    service: Api, connect: Connect, way: str
) -> None:
    client = await connect(service, way, new_person())

    pong = await client.send("ping", ref="tick")

    assert pong["type"] == "pong"
    assert pong["ref"] == "tick"


@pytest.mark.parametrize("way", ways("io-upgrade", "node-io-upgrade"))
async def test_an_upgraded_client_goes_on_over_its_websocket(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person("Mina")
    session_id = await service.session(mina)
    client = await connect(service, way, mina, session_id)

    assert await client.upgraded() == "websocket"  # type: ignore[attr-defined]
    for number in range(20):
        await client.ack("message", content=f"number {number}")
        assert (await client.next_event("message"))["content"] == f"number {number}"
