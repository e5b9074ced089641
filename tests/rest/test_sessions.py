"""Sessions over REST: made, listed, renamed, deleted, and nobody else's business."""

import asyncio

import aiohttp
import pytest

from chat_protocol.rest import SessionsView, SessionView
from tests.parts.people import Api, new_person
from tests.parts.service import Connect
from tests.rest.asking import ask, check_problem


async def test_a_new_session_is_empty_and_its_maker_owns_it(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina = new_person()
    made = await ask(http, service, "POST", "/api/sessions", by=mina, body={"title": "점심"})
    assert made.status == 201
    SessionView().load(made.body)
    created_at = made.body.pop("createdAt")
    session_id = made.body.pop("id")
    assert made.body == {
        "title": "점심",
        "role": "owner",
        "seq": 0,
        "unread": 0,
        "lastMessage": None,
        "members": [{"accountId": mina.account_id, "displayName": "Mina", "role": "owner"}],
    }
    got = await service.call("GET", f"/api/sessions/{session_id}", by=mina)
    assert (got["id"], got["createdAt"], got["title"]) == (session_id, created_at, "점심")


@pytest.mark.parametrize("data", [None, b"", b"{}"])
async def test_a_session_without_a_title_bears_its_makers_name(
    service: Api, http: aiohttp.ClientSession, data: bytes | None
) -> None:
    made = await ask(http, service, "POST", "/api/sessions", by=new_person("Joon"), data=data)
    assert (made.status, made.body["title"]) == (201, "Joon")


async def test_an_own_session_is_one_session_however_often_it_is_asked_for(service: Api) -> None:
    mina = new_person()
    asked = await asyncio.gather(
        *(service.call("PUT", "/api/me/session", by=mina) for _ in range(8))
    )
    assert len({session["id"] for session in asked}) == 1
    SessionView().load(asked[0])
    assert asked[0]["role"] == "owner"
    assert await service.call("PUT", "/api/me/session", by=mina) == asked[0]
    listed = await service.call("GET", "/api/sessions", by=mina)
    assert listed == {"sessions": [asked[0]]}
    other = await service.call("PUT", "/api/me/session", by=new_person())
    assert other["id"] != asked[0]["id"]


async def test_an_own_session_that_was_deleted_is_made_anew(service: Api) -> None:
    mina = new_person()
    first = await service.call("PUT", "/api/me/session", by=mina)
    await service.call("DELETE", f"/api/sessions/{first['id']}", by=mina)
    second = await service.call("PUT", "/api/me/session", by=mina)
    assert second["id"] != first["id"]


async def test_the_list_has_the_newest_event_first_with_what_is_unread(service: Api) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    quiet = await service.session(mina, joon, title="Quiet")
    busy = await service.session(mina, joon, title="Busy")
    await service.post(mina, quiet, "earlier")
    last = await service.post(mina, busy, "later")

    listed = await service.call("GET", "/api/sessions", by=joon)
    SessionsView().load(listed)
    assert [session["title"] for session in listed["sessions"]] == ["Busy", "Quiet"]
    top = listed["sessions"][0]
    assert (top["unread"], top["seq"], top["role"]) == (1, last["seq"], "member")
    assert top["lastMessage"] == last
    # One's own messages are never unread.
    own = await service.call("GET", f"/api/sessions/{busy}", by=mina)
    assert own["unread"] == 0

    await service.post(mina, quiet, "and now this one")
    listed = await service.call("GET", "/api/sessions", by=joon)
    assert [session["title"] for session in listed["sessions"]] == ["Quiet", "Busy"]


async def test_reading_lowers_what_is_unread_and_never_goes_back(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    first = await service.post(mina, session_id, "one")
    second = await service.post(mina, session_id, "two")
    path = f"/api/sessions/{session_id}/read"
    assert await service.call("PUT", path, {"seq": first["seq"]}, by=joon) == {
        "readSeq": first["seq"]
    }
    assert (await service.call("GET", f"/api/sessions/{session_id}", by=joon))["unread"] == 1
    # Beyond the head there is nothing to have read.
    read = await service.call("PUT", path, {"seq": 2**53 - 1}, by=joon)
    assert read == {"readSeq": second["seq"]}
    assert await service.call("PUT", path, {"seq": 0}, by=joon) == {"readSeq": second["seq"]}
    assert (await service.call("GET", f"/api/sessions/{session_id}", by=joon))["unread"] == 0
    for seq in (-1, 1.5, "1", True, None, {"$gt": 0}):
        response = await ask(http, service, "PUT", path, by=joon, body={"seq": seq})
        assert list(check_problem(response, "validation_failed")["details"]) == ["seq"]


async def test_a_rename_is_an_event_that_everyone_gets_and_the_same_title_is_none(
    service: Api, connect: Connect
) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    client = await connect(service, "raw", joon, session_id)
    renamed = await service.call(
        "PATCH", f"/api/sessions/{session_id}", {"title": "Dinner"}, by=mina
    )
    assert renamed["title"] == "Dinner"
    event = await client.next_event("session.updated")
    assert (event["title"], event["senderId"]) == ("Dinner", mina.account_id)
    again = await service.call("PATCH", f"/api/sessions/{session_id}", {"title": "Dinner"}, by=mina)
    assert again["seq"] == renamed["seq"] == event["seq"]


async def test_a_deleted_session_is_gone_for_everyone_at_once(
    service: Api, http: aiohttp.ClientSession, connect: Connect
) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    await service.post(mina, session_id, "soon gone")
    invite = await service.call("POST", f"/api/sessions/{session_id}/invites", by=mina)
    client = await connect(service, "raw", joon, session_id)

    deleted = await ask(http, service, "DELETE", f"/api/sessions/{session_id}", by=mina)
    assert (deleted.status, deleted.body) == (204, None)
    await client.ended_with("session_not_found")
    for person in (mina, joon):
        for path in ("/messages", "/events", "/members", ""):
            response = await ask(
                http, service, "GET", f"/api/sessions/{session_id}{path}", by=person
            )
            check_problem(response, "session_not_found")
        assert await service.call("GET", "/api/sessions", by=person) == {"sessions": []}
    accepted = await ask(
        http, service, "POST", f"/api/invites/{invite['code']}/accept", by=new_person()
    )
    check_problem(accepted, "invite_not_found")
    again = await ask(http, service, "DELETE", f"/api/sessions/{session_id}", by=mina)
    check_problem(again, "session_not_found")


SESSION_REQUESTS = [
    ("GET", "", None),
    ("PATCH", "", {"title": "Mine now"}),
    ("DELETE", "", None),
    ("POST", "/invites", None),
    ("GET", "/members", None),
    ("POST", "/members", {"email": "joon@example.com"}),
    ("PATCH", "/members/{owner}", {"role": "member"}),
    ("DELETE", "/members/{owner}", None),
    ("POST", "/messages", {"content": "hello"}),
    ("GET", "/messages", None),
    ("GET", "/events", None),
    ("PUT", "/read", {"seq": 1}),
]


@pytest.mark.parametrize(("method", "path", "body"), SESSION_REQUESTS)
async def test_other_peoples_sessions_are_closed_and_unknown_ones_unknown(
    service: Api, http: aiohttp.ClientSession, method: str, path: str, body: object
) -> None:
    mina, stranger = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina)
    await service.post(mina, session_id, "ours")
    before = await service.call("GET", f"/api/sessions/{session_id}", by=mina)
    path = path.format(owner=mina.account_id)

    response = await ask(
        http, service, method, f"/api/sessions/{session_id}{path}", by=stranger, body=body
    )
    check_problem(response, "not_a_member")
    response = await ask(
        http, service, method, f"/api/sessions/no-such-session{path}", by=stranger, body=body
    )
    check_problem(response, "session_not_found")
    response = await ask(http, service, method, f"/api/sessions/{session_id}{path}", body=body)
    check_problem(response, "unauthenticated")
    assert await service.call("GET", f"/api/sessions/{session_id}", by=mina) == before
