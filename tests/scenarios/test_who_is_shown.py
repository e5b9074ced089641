"""What `joined` says of the others is what is so now, though most of it is remembered."""

from typing import cast

import pytest

from chat_protocol import limits
from tests.parts.people import Api, Person, new_person
from tests.parts.service import WIRES, Connect


async def joined(
    api: Api, connect: Connect, way: str, person: Person, session_id: str
) -> dict[str, object]:
    client = await connect(api, way, person, session_id)
    said = client.events[-1]
    await client.close()
    return said


@pytest.mark.parametrize("way", WIRES)
async def test_every_change_of_a_membership_shows_in_the_next_joined(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina, jun, sora = new_person("Mina"), new_person("Jun"), new_person("Sora")
    session_id = await any_service.session(mina, jun)
    at = f"/api/sessions/{session_id}"

    async def shown() -> dict[str, str]:
        said = await joined(any_service, connect, way, mina, session_id)
        return {each["displayName"]: each["role"] for each in said["members"]}  # type: ignore[attr-defined]

    assert await shown() == {"Mina": "owner", "Jun": "member"}

    await any_service.call("PATCH", f"{at}/members/{jun.account_id}", {"role": "admin"}, by=mina)
    assert await shown() == {"Mina": "owner", "Jun": "admin"}

    invite = await any_service.call("POST", f"{at}/invites", by=mina)
    await any_service.call("POST", f"/api/invites/{invite['code']}/accept", by=sora)
    assert await shown() == {"Mina": "owner", "Jun": "admin", "Sora": "member"}

    await any_service.call("DELETE", f"{at}/members/{jun.account_id}", by=mina)
    assert await shown() == {"Mina": "owner", "Sora": "member"}


@pytest.mark.parametrize("way", WIRES)
async def test_how_far_somebody_has_read_shows_in_the_next_joined(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person("Mina")
    session_id = await any_service.session(mina)
    await any_service.post(mina, session_id, "one")

    async def read() -> list[object]:
        said = await joined(any_service, connect, way, mina, session_id)
        return [each["readSeq"] for each in said["receipts"]]  # type: ignore[attr-defined]

    assert await read() == [0]
    await any_service.call("PUT", f"/api/sessions/{session_id}/read", {"seq": 1}, by=mina)
    assert await read() == [1]


async def test_who_has_two_connections_is_online_once_and_until_the_last_is_gone(
    service: Api, connect: Connect
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await service.session(mina, jun)
    first = await connect(service, "raw", jun, session_id)
    second = await connect(service, "io", jun, session_id)

    watching = await connect(service, "raw", mina, session_id)
    said = watching.events[-1]
    assert said["online"] == [jun.account_id, mina.account_id]

    await first.close()
    await watching.ack("join", sessionId=session_id)
    assert (await watching.next_event("joined"))["online"] == [jun.account_id, mina.account_id]

    await second.close()
    await watching.ack("leave", sessionId=session_id)
    for _ in range(100):
        await watching.ack("join", sessionId=session_id)
        online = (await watching.next_event("joined"))["online"]
        if online == [mina.account_id]:
            break
    assert online == [mina.account_id]


async def test_a_crowd_is_not_listed_whole(service: Api, connect: Connect) -> None:
    crowd = [new_person() for _ in range(limits.MEMBERS_SHOWN_MAX + 5)]
    session_id = await service.session(*crowd)
    for person in crowd[:-1]:
        await connect(service, "raw", person, session_id)

    said = await joined(service, connect, "raw", crowd[-1], session_id)

    online = cast(list[str], said["online"])
    assert len(online) == len(set(online)) == limits.MEMBERS_SHOWN_MAX
    assert online[-1] == crowd[-1].account_id
    assert len(cast(list[object], said["members"])) == limits.MEMBERS_SHOWN_MAX
