"""What ends a login, a membership or a session ends the live connections that stood on it."""

import asyncio

import pytest

from tests.parts.clock import MovableClock
from tests.parts.people import Api, new_person
from tests.parts.service import Connect, Serve, ways

WITHIN_S = 1.0


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling", "node-raw", "node-io"))
async def test_logging_out_closes_what_the_login_opened(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = await any_service.sign_up("Mina")
    session_id = await any_service.session(mina)
    client = await connect(any_service, way, mina, session_id)
    waiting = await connect(any_service, way, mina)

    await any_service.call("POST", "/api/auth/logout", by=mina)

    async with asyncio.timeout(WITHIN_S):
        await client.ended_with("token_revoked")
        await waiting.ended_with("token_revoked")


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_an_expired_token_closes(serve: Serve, connect: Connect, way: str) -> None:
    clock = MovableClock()
    service = await serve(clock=clock)
    soon, later = new_person(lifetime_s=60), new_person(lifetime_s=600)
    client = await connect(service, way, soon)
    other = await connect(service, way, later)

    clock.advance(61)

    error = await client.ended_with("token_expired", timeout_s=WITHIN_S)
    assert error["retryable"] is True
    assert (await other.send("ping"))["type"] == "pong"


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling", "node-raw", "node-io"))
async def test_a_removed_member_is_closed(any_service: Api, connect: Connect, way: str) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)
    his = await connect(any_service, way, jun, session_id)
    hers = await connect(any_service, way, mina, session_id)

    await any_service.call(
        "DELETE", f"/api/sessions/{session_id}/members/{jun.account_id}", by=mina
    )

    await his.ended_with("not_a_member", timeout_s=WITHIN_S)
    removed = await hers.next_event("member")
    assert (removed["action"], removed["accountId"]) == ("removed", jun.account_id)
    posted = await any_service.post(mina, session_id, "after he was removed")
    assert (await hers.next_event("message"))["id"] == posted["id"]
    assert posted["seq"] not in his.seqs


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_removed_member_who_is_elsewhere_too_is_told_and_stays(
    service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    shared, his = await service.session(mina, jun), await service.session(jun)
    client = await connect(service, way, jun, his)
    await client.ack("join", sessionId=shared)

    await service.call("DELETE", f"/api/sessions/{shared}/members/{jun.account_id}", by=mina)

    error = await client.next_event("error", timeout_s=WITHIN_S)
    assert (error["code"], error["details"]) == ("not_a_member", {"sessionId": [shared]})
    await service.post(mina, shared, "not for him")
    assert (await client.refusal("message", content="x", sessionId=shared))[
        "code"
    ] == "not_a_member"
    await client.ack("message", content="in his own", sessionId=his)
    message = await client.next_event("message")
    assert message["content"] == "in his own"


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling", "node-raw"))
async def test_a_deleted_session_closes_everyone_in_it(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)
    clients = [await connect(any_service, way, each, session_id) for each in (mina, jun)]

    await any_service.call("DELETE", f"/api/sessions/{session_id}", by=mina)

    for client in clients:
        await client.ended_with("session_not_found", timeout_s=WITHIN_S)


async def test_what_was_sent_by_one_who_is_then_removed_is_whole(
    service: Api, connect: Connect
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await service.session(mina, jun)
    his = await connect(service, "raw", jun, session_id)
    hers = await connect(service, "io", mina, session_id)
    asked = [await his.ask("message", content=f"number {number}") for number in range(50)]

    await service.call("DELETE", f"/api/sessions/{session_id}/members/{jun.account_id}", by=mina)

    answers = await asyncio.gather(*asked, return_exceptions=True)
    acked = {answer["id"] for answer in answers if isinstance(answer, dict) and "id" in answer}
    log = await service.log(mina, session_id)
    stored = {event["id"] for event in log if event["type"] == "message"}
    assert acked <= stored
    await hers.next_event(seq=log[-1]["seq"])
    assert hers.seqs == list(range(2, log[-1]["seq"] + 1))
