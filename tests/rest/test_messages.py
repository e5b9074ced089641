"""Messages over REST: stored, broadcast, returned, each once, and read back page by page."""

import asyncio

import aiohttp
import pytest

from chat_gateway.clock import SystemClock
from chat_protocol.codec import encode_value
from chat_protocol.limits import MESSAGES_BURST, MESSAGES_PER_SECOND, PAGE_MAX_BYTES
from chat_protocol.rest import EventsView, MessagesView
from chat_protocol.schemas import StoredMessageSchema
from tests.parts.clock import MovableClock
from tests.parts.people import Api, new_person
from tests.parts.service import Connect, Serve
from tests.rest.asking import ask, check_problem


@pytest.mark.parametrize("way", ["raw", "io"])
async def test_a_posted_message_is_returned_broadcast_and_stored_as_one_and_the_same(
    service: Api, http: aiohttp.ClientSession, connect: Connect, way: str
) -> None:
    mina, joon = new_person("미나"), new_person("Joon")
    session_id = await service.session(mina, joon)
    client = await connect(service, way, joon, session_id)
    posted = await ask(
        http,
        service,
        "POST",
        f"/api/sessions/{session_id}/messages",
        by=mina,
        body={
            "content": '테스트 메시지 👋\n\t"quoted" <b>',
            "replyTo": "some-id",
            "mentions": [joon.account_id],
            "attachments": [
                {
                    "url": "https://files.example.com/a.png",
                    "name": "a.png",
                    "mediaType": "image/png",
                    "sizeBytes": 12,
                }
            ],
        },
    )
    assert posted.status == 201
    StoredMessageSchema().load(posted.body)
    assert posted.body["senderName"] == "미나"
    assert posted.body["clientMessageId"] == posted.body["id"]
    assert await client.next_event("message") == posted.body
    history = await service.call("GET", f"/api/sessions/{session_id}/messages", by=joon)
    assert history == {"messages": [posted.body], "hasMore": False}
    assert (await service.log(joon, session_id))[-1] == posted.body


async def test_a_message_is_one_message_however_often_it_is_posted(
    service: Api, http: aiohttp.ClientSession, connect: Connect
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, "raw", mina, session_id)
    path = f"/api/sessions/{session_id}/messages"
    body = {"content": "once", "clientMessageId": "key-1"}
    answers = await asyncio.gather(
        *(ask(http, service, "POST", path, by=mina, body=body) for _ in range(5)),
        *(
            ask(
                http,
                service,
                "POST",
                path,
                by=mina,
                body={"content": "once"},
                headers={"Idempotency-Key": "key-1"},
            )
            for _ in range(5)
        ),
    )
    assert sorted(answer.status for answer in answers) == [200] * 9 + [201]
    assert all(answer.body == answers[0].body for answer in answers)
    ack = await client.ack("message", content="once", clientMessageId="key-1")
    assert (ack["duplicate"], ack["id"]) == (True, answers[0].body["id"])
    assert [event["type"] for event in await service.log(mina, session_id)] == ["message"]


async def test_a_key_is_its_senders_and_its_sessions(service: Api) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    other = await service.session(mina)
    posted = [
        await service.post(mina, session_id, "one", clientMessageId="key"),
        await service.post(joon, session_id, "two", clientMessageId="key"),
        await service.post(mina, other, "three", clientMessageId="key"),
    ]
    assert len({message["id"] for message in posted}) == 3


async def test_a_key_used_for_another_body_is_refused(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    path = f"/api/sessions/{session_id}/messages"
    await service.post(mina, session_id, "one", clientMessageId="key")
    for body in (
        {"content": "two", "clientMessageId": "key"},
        {"content": "one", "clientMessageId": "key", "mentions": ["joon"]},
    ):
        response = await ask(http, service, "POST", path, by=mina, body=body)
        check_problem(response, "idempotency_conflict")
    assert await service.head(mina, session_id) == 1


async def test_the_body_and_the_header_may_name_the_same_key_only(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    path = f"/api/sessions/{session_id}/messages"
    body = {"content": "one", "clientMessageId": "key"}
    same = await ask(
        http, service, "POST", path, by=mina, body=body, headers={"Idempotency-Key": "key"}
    )
    assert (same.status, same.body["clientMessageId"]) == (201, "key")
    different = await ask(
        http, service, "POST", path, by=mina, body=body, headers={"Idempotency-Key": "other"}
    )
    assert list(check_problem(different, "validation_failed")["details"]) == ["clientMessageId"]
    for key in ("", "k" * 65):
        response = await ask(
            http,
            service,
            "POST",
            path,
            by=mina,
            body={"content": "one"},
            headers={"Idempotency-Key": key},
        )
        assert list(check_problem(response, "validation_failed")["details"]) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", ""),
        ("content", "x" * 4001),
        ("content", None),
        ("content", 1),
        ("content", {"$ne": None}),
        ("content", ["hello"]),
        ("content", "nul \x00"),
        ("clientMessageId", {"$ne": None}),
        ("clientMessageId", ""),
        ("clientMessageId", "k" * 65),
        ("replyTo", {"$gt": ""}),
        ("mentions", "joon"),
        ("mentions", ["m"] * 51),
        ("mentions.0", [{"$ne": None}]),
        ("attachments", [{"url": "https://a.example/"}] * 11),
        ("attachments.0.url", [{"url": "javascript:alert(1)"}]),
        ("attachments.0.url", [{}]),
        ("attachments.0.secret", [{"url": "https://a.example/", "secret": 1}]),
        ("attachments.0.sizeBytes", [{"url": "https://a.example/", "sizeBytes": 1.5}]),
        ("seq", 1),
        ("senderId", "joon"),
        ("$where", "1"),
    ],
)
async def test_a_message_that_is_not_allowed_is_not_stored_and_names_its_field(
    service: Api, http: aiohttp.ClientSession, field: str, value: object
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    path = f"/api/sessions/{session_id}/messages"
    body = {"content": "hello", field.split(".", maxsplit=1)[0]: value}
    response = await ask(http, service, "POST", path, by=mina, body=body)
    assert list(check_problem(response, "validation_failed")["details"]) == [field]
    assert await service.head(mina, session_id) == 0


async def test_pages_go_both_ways_without_a_hole_or_a_repeat(service: Api) -> None:
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)  # Joon's joining is seq 1, no message
    sent = [await service.post(mina, session_id, f"message {n}") for n in range(7)]
    path = f"/api/sessions/{session_id}/messages"

    newest = await service.call("GET", f"{path}?limit=3", by=mina)
    MessagesView().load(newest)
    assert newest == {"messages": sent[-3:], "hasMore": True}
    older = await service.call("GET", f"{path}?limit=3&before={sent[-3]['seq']}", by=mina)
    assert older == {"messages": sent[1:4], "hasMore": True}
    oldest = await service.call("GET", f"{path}?limit=3&before={sent[1]['seq']}", by=mina)
    assert oldest == {"messages": sent[:1], "hasMore": False}
    after = await service.call("GET", f"{path}?limit=3&after=0", by=mina)
    assert after == {"messages": sent[:3], "hasMore": True}
    rest = await service.call("GET", f"{path}?limit=4&after={sent[2]['seq']}", by=mina)
    assert rest == {"messages": sent[3:], "hasMore": False}

    events = await service.call("GET", f"/api/sessions/{session_id}/events?limit=2", by=mina)
    EventsView().load(events)
    assert [event["type"] for event in events["events"]] == ["member", "message"]
    assert events["hasMore"] is True
    tail = await service.call("GET", f"/api/sessions/{session_id}/events?after=7", by=mina)
    assert tail == {"events": sent[-1:], "hasMore": False}
    beyond = await service.call("GET", f"/api/sessions/{session_id}/events?after=99", by=mina)
    assert beyond == {"events": [], "hasMore": False}


async def test_a_page_of_large_messages_is_cut_by_its_bytes_and_says_so(service: Api) -> None:
    mina = new_person("Mina")
    session_id = await service.session(mina)
    sent = [await service.post_large(mina, session_id, f"large {n}") for n in range(30)]
    path = f"/api/sessions/{session_id}"

    newest = await service.call("GET", f"{path}/messages?limit=200", by=mina)
    oldest = await service.call("GET", f"{path}/events?limit=200", by=mina)

    fit = PAGE_MAX_BYTES // len(encode_value(sent[-1]))
    assert 2 < fit < len(sent)
    assert newest == {"messages": sent[-fit:], "hasMore": True}
    assert oldest == {"events": sent[:fit], "hasMore": True}
    assert await service.log(mina, session_id) == sent


@pytest.mark.parametrize("page", ["messages", "events"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=%D9%A1%D9%A2", "after"),
        ("after=1_0", "after"),
        ("after=+1", "after"),
        ("after=%2B1", "after"),
        ("after=-1", "after"),
        ("after=1.0", "after"),
        ("after=1e3", "after"),
        ("after=0x10", "after"),
        ("after=", "after"),
        ("after=NaN", "after"),
        ("after=9007199254740992", "after"),
        ("after=" + "9" * 500, "after"),
        ("after=1&after=2", "after"),
        ("after[$gt]=1", "after[$gt]"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("unknown=1", "unknown"),
        ("Limit=1", "Limit"),
    ],
)
async def test_a_query_is_whole_numbers_in_ascii_digits_each_given_once(
    service: Api, http: aiohttp.ClientSession, page: str, query: str, field: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    path = f"/api/sessions/{session_id}/{page}?{query}"
    response = await ask(http, service, "GET", path, by=mina)
    assert list(check_problem(response, "validation_failed")["details"]) == [field]


async def test_a_page_of_messages_has_one_direction(
    service: Api, http: aiohttp.ClientSession
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    path = f"/api/sessions/{session_id}/messages"
    both = await ask(http, service, "GET", f"{path}?before=5&after=1", by=mina)
    assert list(check_problem(both, "validation_failed")["details"]) == ["after"]
    zero = await ask(http, service, "GET", f"{path}?before=0", by=mina)
    assert list(check_problem(zero, "validation_failed")["details"]) == ["before"]
    assert (
        await ask(http, service, "GET", f"{path}?after=9007199254740991", by=mina)
    ).status == 200


class StandingClock(MovableClock):
    """Moves only by `advance`, so that a bucket gains nothing meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._began_s = SystemClock().monotonic_s()

    def monotonic_s(self) -> float:
        return self._began_s + self._ahead_ms / 1000


async def test_an_account_over_its_rate_is_told_when_to_try_again_and_others_go_on(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    clock = StandingClock()
    service = await serve(clock=clock)
    mina, joon = new_person("Mina"), new_person("Joon")
    session_id = await service.session(mina, joon)
    for n in range(MESSAGES_BURST):
        await service.post(mina, session_id, f"flood {n}")
    head = await service.head(mina, session_id)
    path = f"/api/sessions/{session_id}/messages"
    over = await ask(http, service, "POST", path, by=mina, body={"content": "one too many"})
    retry_after_ms = check_problem(over, "rate_limited")["retryAfterMs"]
    assert 1000 / MESSAGES_PER_SECOND <= retry_after_ms <= 1000 / MESSAGES_PER_SECOND + 1
    assert await service.head(mina, session_id) == head
    await service.post(joon, session_id, "not me")
    clock.advance(retry_after_ms / 1000)
    await service.post(mina, session_id, "slower now")


async def test_rate_limits_can_be_lifted(serve: Serve) -> None:
    service = await serve(rate_limits=False)
    mina = new_person()
    session_id = await service.session(mina)
    await asyncio.gather(
        *(service.post(mina, session_id, f"load {n}") for n in range(2 * MESSAGES_BURST))
    )
    assert await service.head(mina, session_id) == 2 * MESSAGES_BURST
