"""Members over REST: invites, roles, removal, and that a session never loses its last owner."""

import asyncio
from typing import Any

import aiohttp
import pytest

from chat_protocol.rest import InviteView, MembersView
from chat_protocol.schemas import MemberViewSchema
from tests.parts.clock import MovableClock
from tests.parts.people import Api, Person, new_person
from tests.parts.service import Connect, Serve
from tests.rest.asking import Response, ask, check_problem


async def roles(service: Api, session_id: str, by: Person) -> dict[str, str]:
    members = await service.call("GET", f"/api/sessions/{session_id}/members", by=by)
    MembersView().load(members)
    return {member["accountId"]: member["role"] for member in members["members"]}


async def member_events(service: Api, session_id: str, by: Person) -> list[tuple[str, str, str]]:
    return [
        (event["action"], event["accountId"], event["senderId"])
        for event in await service.log(by, session_id)
        if event["type"] == "member"
    ]


async def promote(service: Api, session_id: str, owner: Person, who: Person, role: str) -> Any:
    path = f"/api/sessions/{session_id}/members/{who.account_id}"
    return await service.call("PATCH", path, {"role": role}, by=owner)


async def remove(
    http: aiohttp.ClientSession, service: Api, session_id: str, by: Person, who: Person
) -> Response:
    path = f"/api/sessions/{session_id}/members/{who.account_id}"
    return await ask(http, service, "DELETE", path, by=by)


# --- in -----------------------------------------------------------------------------------------


async def test_an_invite_makes_whoever_accepts_it_a_member_once(
    service: Api, http: aiohttp.ClientSession, connect: Connect
) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina)
    client = await connect(service, "raw", mina, session_id)
    made = await ask(http, service, "POST", f"/api/sessions/{session_id}/invites", by=mina)
    assert made.status == 201
    InviteView().load(made.body)
    code = made.body["code"]
    assert made.body["url"] == f"http://localhost:8080/?invite={code}"

    # The same people press twice, and at the same time.
    accepted = await asyncio.gather(
        *(service.call("POST", f"/api/invites/{code}/accept", by=joon) for _ in range(6)),
        service.call("POST", f"/api/invites/{code}/accept", by=mina),
    )
    assert {session["id"] for session in accepted} == {session_id}
    assert accepted[0]["role"] == "member"
    assert accepted[-1]["role"] == "owner"
    event = await client.next_event("member")
    assert (event["action"], event["accountId"], event["displayName"], event["role"]) == (
        "joined",
        joon.account_id,
        "Joon",
        "member",
    )
    assert await member_events(service, session_id, mina) == [
        ("joined", joon.account_id, joon.account_id)
    ]
    assert await roles(service, session_id, joon) == {
        mina.account_id: "owner",
        joon.account_id: "member",
    }


@pytest.mark.parametrize("code", ["no-such-code", "%24ne", "..%2F..%2Fetc", "%F0%9F%98%80"])
async def test_an_unknown_invite_is_not_found(
    service: Api, http: aiohttp.ClientSession, code: str
) -> None:
    response = await ask(http, service, "POST", f"/api/invites/{code}/accept", by=new_person())
    check_problem(response, "invite_not_found")


async def test_an_invite_expires_after_a_week(serve: Serve, http: aiohttp.ClientSession) -> None:
    clock = MovableClock()
    service = await serve(clock=clock)
    mina = new_person("Mina", lifetime_s=30 * 24 * 3600)
    joon = new_person("Joon", lifetime_s=30 * 24 * 3600)
    session_id = await service.session(mina)
    invite = await service.call("POST", f"/api/sessions/{session_id}/invites", by=mina)
    clock.advance(7 * 24 * 3600)
    response = await ask(http, service, "POST", f"/api/invites/{invite['code']}/accept", by=joon)
    check_problem(response, "invite_not_found")


@pytest.mark.parametrize("how", ["removed", "made a plain member"])
async def test_an_invite_ends_with_its_makers_right_to_invite(
    service: Api, http: aiohttp.ClientSession, how: str
) -> None:
    mina, admin = new_person("Mina"), new_person("Admin")
    session_id = await service.session(mina, admin)
    await promote(service, session_id, mina, admin, "admin")
    invite = await service.call("POST", f"/api/sessions/{session_id}/invites", by=admin)
    if how == "removed":
        assert (await remove(http, service, session_id, mina, admin)).status == 204
    else:
        await promote(service, session_id, mina, admin, "member")
    path = f"/api/invites/{invite['code']}/accept"
    for person in (admin, new_person()):
        check_problem(await ask(http, service, "POST", path, by=person), "invite_not_found")


async def test_a_member_is_added_by_email_once(
    service: Api, http: aiohttp.ClientSession, connect: Connect
) -> None:
    mina = new_person("Mina")
    joon = await service.sign_up("Joon")
    email = (await service.call("GET", "/api/me", by=joon))["email"]
    session_id = await service.session(mina)
    client = await connect(service, "raw", mina, session_id)
    path = f"/api/sessions/{session_id}/members"

    added = await ask(http, service, "POST", path, by=mina, body={"email": email.upper()})
    assert added.status == 201
    MemberViewSchema().load(added.body)
    assert added.body == {"accountId": joon.account_id, "displayName": "Joon", "role": "member"}
    event = await client.next_event("member")
    assert (event["action"], event["senderId"]) == ("joined", mina.account_id)

    again = await ask(http, service, "POST", path, by=mina, body={"email": email})
    check_problem(again, "already_a_member")
    nobody = await ask(http, service, "POST", path, by=mina, body={"email": "no@example.com"})
    check_problem(nobody, "account_not_found")
    operator = await ask(http, service, "POST", path, by=mina, body={"email": {"$ne": None}})
    assert list(check_problem(operator, "validation_failed")["details"]) == ["email"]
    assert len(await member_events(service, session_id, mina)) == 1


# --- roles --------------------------------------------------------------------------------------


async def test_an_owner_changes_roles_and_everyone_is_told(service: Api, connect: Connect) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    client = await connect(service, "raw", joon, session_id)
    member = await promote(service, session_id, mina, joon, "admin")
    assert member == {"accountId": joon.account_id, "displayName": "Joon", "role": "admin"}
    event = await client.next_event("member", action="role")
    assert (event["accountId"], event["role"]) == (joon.account_id, "admin")
    # At once, and not when some cache runs out.
    await service.call("PATCH", f"/api/sessions/{session_id}", {"title": "By Joon"}, by=joon)
    head = await service.head(mina, session_id)
    await promote(service, session_id, mina, joon, "admin")
    assert await service.head(mina, session_id) == head


async def test_roles_have_three_names_and_members_only(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina = new_person("Mina")
    session_id = await service.session(mina)
    path = f"/api/sessions/{session_id}/members"
    for role in ("king", "OWNER", "", None, 1, {"$ne": "owner"}):
        response = await ask(
            http, service, "PATCH", f"{path}/{mina.account_id}", by=mina, body={"role": role}
        )
        assert list(check_problem(response, "validation_failed")["details"]) == ["role"]
    response = await ask(http, service, "PATCH", f"{path}/nobody", by=mina, body={"role": "admin"})
    check_problem(response, "member_not_found")
    response = await ask(http, service, "DELETE", f"{path}/nobody", by=mina)
    check_problem(response, "member_not_found")


@pytest.mark.parametrize(
    ("role", "method", "path", "body"),
    [
        ("member", "PATCH", "", {"title": "Mine"}),
        ("member", "POST", "/invites", None),
        ("member", "POST", "/members", {"email": "joon@example.com"}),
        ("member", "DELETE", "/members/{other}", None),
        ("admin", "DELETE", "", None),
        ("admin", "PATCH", "/members/{other}", {"role": "admin"}),
        ("admin", "PATCH", "/members/{self}", {"role": "owner"}),
        ("admin", "DELETE", "/members/{owner}", None),
        ("admin", "DELETE", "/members/{admin}", None),
    ],
)
async def test_a_role_may_not_do_what_is_above_it(
    service: Api,
    http: aiohttp.ClientSession,
    role: str,
    method: str,
    path: str,
    body: object,
) -> None:
    mina, who = new_person("Mina"), new_person("Who")
    other, admin = new_person("Other"), new_person("Admin")
    session_id = await service.session(mina, who, other, admin)
    await promote(service, session_id, mina, admin, "admin")
    if role != "member":
        await promote(service, session_id, mina, who, role)
    before = await service.call("GET", f"/api/sessions/{session_id}", by=mina)
    path = path.format(
        self=who.account_id,
        other=other.account_id,
        owner=mina.account_id,
        admin=admin.account_id,
    )
    response = await ask(
        http, service, method, f"/api/sessions/{session_id}{path}", by=who, body=body
    )
    check_problem(response, "forbidden")
    assert await service.call("GET", f"/api/sessions/{session_id}", by=mina) == before


async def test_an_admin_does_what_admins_may(service: Api, http: aiohttp.ClientSession) -> None:
    mina, admin, member = new_person("Mina"), new_person("Admin"), new_person("Member")
    session_id = await service.session(mina, admin, member)
    await promote(service, session_id, mina, admin, "admin")
    await service.call("PATCH", f"/api/sessions/{session_id}", {"title": "By admin"}, by=admin)
    await service.call("POST", f"/api/sessions/{session_id}/invites", by=admin)
    assert (await remove(http, service, session_id, admin, member)).status == 204


# --- out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["raw", "io"])
async def test_a_removed_member_is_out_at_once_on_its_live_connections_too(
    service: Api, http: aiohttp.ClientSession, connect: Connect, way: str
) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    mine = await connect(service, way, mina, session_id)
    joons = await connect(service, way, joon, session_id)

    assert (await remove(http, service, session_id, mina, joon)).status == 204
    await joons.ended_with("not_a_member")
    event = await mine.next_event("member", action="removed")
    assert (event["accountId"], event["senderId"]) == (joon.account_id, mina.account_id)
    posted = await ask(
        http,
        service,
        "POST",
        f"/api/sessions/{session_id}/messages",
        by=joon,
        body={"content": "still here?"},
    )
    check_problem(posted, "not_a_member")
    assert await service.call("GET", "/api/sessions", by=joon) == {"sessions": []}
    await service.post(mina, session_id, "gone")
    assert (await mine.next_event("message"))["content"] == "gone"
    again = await remove(http, service, session_id, mina, joon)
    check_problem(again, "member_not_found")


async def test_a_member_may_leave_and_come_back(
    service: Api, http: aiohttp.ClientSession, connect: Connect
) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    client = await connect(service, "raw", joon, session_id)
    assert (await remove(http, service, session_id, joon, joon)).status == 204
    await client.ended_with("not_a_member")
    assert (await member_events(service, session_id, mina))[-1] == (
        "left",
        joon.account_id,
        joon.account_id,
    )
    invite = await service.call("POST", f"/api/sessions/{session_id}/invites", by=mina)
    await service.call("POST", f"/api/invites/{invite['code']}/accept", by=joon)
    await service.post(joon, session_id, "back")


async def test_the_last_owner_can_neither_leave_nor_step_down(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    path = f"/api/sessions/{session_id}/members/{mina.account_id}"
    check_problem(await remove(http, service, session_id, mina, mina), "last_owner")
    stepped = await ask(http, service, "PATCH", path, by=mina, body={"role": "member"})
    check_problem(stepped, "last_owner")
    await promote(service, session_id, mina, joon, "owner")
    assert (await remove(http, service, session_id, mina, mina)).status == 204
    assert await roles(service, session_id, joon) == {joon.account_id: "owner"}


async def test_of_owners_who_all_leave_at_once_one_stays(
    service: Api, http: aiohttp.ClientSession
) -> None:
    owners = [new_person(name) for name in ("A", "B", "C", "D")]
    session_id = await service.session(*owners)
    for owner in owners[1:]:
        await promote(service, session_id, owners[0], owner, "owner")
    left = await asyncio.gather(
        *(remove(http, service, session_id, owner, owner) for owner in owners)
    )
    assert sorted(response.status for response in left) == [204, 204, 204, 409]
    stays = next(owner for owner, response in zip(owners, left, strict=True) if response.body)
    assert await roles(service, session_id, stays) == {stays.account_id: "owner"}


async def test_an_account_stays_in_its_own_session(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = (await service.call("PUT", "/api/me/session", by=mina))["id"]
    invite = await service.call("POST", f"/api/sessions/{session_id}/invites", by=mina)
    await service.call("POST", f"/api/invites/{invite['code']}/accept", by=joon)
    await promote(service, session_id, mina, joon, "owner")
    for by in (mina, joon):
        check_problem(await remove(http, service, session_id, by, mina), "forbidden")
    assert (await service.call("PUT", "/api/me/session", by=mina))["role"] == "owner"
