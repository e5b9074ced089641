"""A message sent on any wire reaches everyone on every wire."""

import asyncio

import pytest

from tests.parts.people import Api, new_person
from tests.parts.raw_clients import RawClient
from tests.parts.service import WAYS, Connect, ways

ACROSS = [
    ("raw", "io", "io-polling"),
    ("io", "raw", "raw"),
    ("io-polling", "raw", "io"),
    ("io-upgrade", "io-polling", "raw"),
    pytest.param(("node-raw", "node-io", "io"), marks=pytest.mark.node),
    pytest.param(("node-io", "raw", "node-io-polling"), marks=pytest.mark.node),
    pytest.param(("node-io-polling", "node-raw", "io-upgrade"), marks=pytest.mark.node),
    pytest.param(("node-io-upgrade", "io-polling", "node-io-upgrade"), marks=pytest.mark.node),
]


@pytest.mark.parametrize("trio", ACROSS, ids=lambda trio: ">".join(trio))
async def test_a_message_reaches_everyone_and_its_sender(
    any_service: Api, connect: Connect, trio: tuple[str, str, str]
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)
    sender, hers, his = [
        await connect(any_service, way, person, session_id)
        for way, person in zip(trio, (mina, mina, jun), strict=True)
    ]

    ack = await sender.ack("message", content="테스트 메시지", clientMessageId="bubble-1")

    assert ack["duplicate"] is False
    for client in (sender, hers, his):
        message = await client.next_event("message")
        assert message == {
            "type": "message",
            "sessionId": session_id,
            "seq": ack["seq"],
            "id": ack["id"],
            "senderId": mina.account_id,
            "senderName": "Mina",
            "createdAt": ack["createdAt"],
            "content": "테스트 메시지",
            "clientMessageId": "bubble-1",
            "mentions": [],
            "attachments": [],
        }
    await his.ack("message", content="답장")
    for client in (sender, hers, his):
        assert (await client.next_event("message"))["senderId"] == jun.account_id


@pytest.mark.node
async def test_a_message_posted_over_rest_reaches_every_kind_of_client(
    any_service: Api, connect: Connect
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)
    clients = [await connect(any_service, way, jun, session_id) for way in WAYS]

    posted = await any_service.post(mina, session_id, "from the back end")

    for client in clients:
        assert await client.next_event("message") == posted


@pytest.mark.parametrize(
    "content",
    [
        "가" * 4000,
        "👩‍👩‍👧‍👦 family",
        '"quotes" \\ and / and <script>alert(1)</script>',
        "line\nline\r\ttab\u2028\u2029",
        '{"type":"message"}',
        "x" * 125,
        "x" * 126,
    ],
    ids=["4000 characters", "emoji", "markup", "controls", "JSON", "short", "longer"],
)
async def test_text_arrives_as_it_was_sent(service: Api, connect: Connect, content: str) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    raw = await connect(service, "raw", mina, session_id)
    io = await connect(service, "io", mina, session_id)
    polling = await connect(service, "io-polling", mina, session_id)

    for client in (raw, io, polling):
        await client.ack("message", content=content)

    for client in (raw, io, polling):
        for _ in range(3):
            assert (await client.next_event("message"))["content"] == content
    assert [event["content"] for event in await service.log(mina, session_id)] == [content] * 3


async def test_a_raw_client_gets_an_ack_only_where_it_gave_a_ref(
    service: Api, connect: Connect
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    client = await connect(service, "raw", mina, session_id)
    assert isinstance(client, RawClient)

    await client.tell("message", content="no ack, please")
    await client.tell("history")
    assert (await client.next_event("message"))["content"] == "no ack, please"
    for ref in ("by name", 7, 1.5, ""):
        ack = await client.ack("message", content="an ack, please", ref=ref)
        assert ack["ref"] == ref

    assert client.unanswered == []


async def test_an_error_comes_also_where_no_ref_was_given(service: Api, connect: Connect) -> None:
    mina = new_person()
    for way in ("raw", "io", "io-polling"):
        client = await connect(service, way, mina)

        await client.tell("message", content="")

        error = await client.next_event("error")
        assert error["code"] == "validation_failed"
        assert "ref" not in error


@pytest.mark.parametrize("way", ways("io", "io-polling", "node-io"))
async def test_the_callback_of_socketio_gets_the_object_that_a_raw_client_gets(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    raw = await connect(service, "raw", mina, session_id)
    io = await connect(service, way, mina, session_id)

    for fields in (
        {"content": "same", "clientMessageId": "same", "ref": "r"},
        {"content": "", "ref": "r"},
        {"content": "other", "clientMessageId": "same", "ref": "r"},
    ):
        on_raw = await raw.send("message", **fields)
        on_io = await io.send("message", **fields)
        assert {**on_raw, "duplicate": None} == {**on_io, "duplicate": None}
    for command in ("history", "join", "leave"):
        on_raw = await raw.send(command, sessionId=session_id, ref=3)
        assert on_raw == await io.send(command, sessionId=session_id, ref=3)


async def test_nobody_hears_what_is_said_in_other_sessions(service: Api, connect: Connect) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    hers, his = await service.session(mina), await service.session(jun)
    on_raw = await connect(service, "raw", jun, his)
    on_io = await connect(service, "io", jun, his)

    await service.post(mina, hers, "a secret")
    await service.post(jun, his, "no secret")

    for client in (on_raw, on_io):
        assert (await client.next_event("message"))["content"] == "no secret"
        assert len(client.durable) == 1


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_stranger_writes_and_reads_nothing(
    service: Api, connect: Connect, way: str
) -> None:
    mina, eve = new_person("Mina"), new_person("Eve")
    session_id = await service.session(mina)
    client = await connect(service, way, eve)

    for command, fields in (
        ("message", {"content": "let me in"}),
        ("history", {}),
        ("join", {}),
        ("leave", {}),
        ("read", {"seq": 1}),
    ):
        refused = await client.refusal(command, sessionId=session_id, **fields)
        assert refused["code"] == "not_a_member", command

    assert await service.log(mina, session_id) == []
    assert (await client.send("ping"))["type"] == "pong"


async def test_many_clients_of_many_wires_hear_the_same_in_the_same_order(
    service: Api, connect: Connect
) -> None:
    people = [new_person(name) for name in ("Mina", "Jun", "Ara")]
    session_id = await service.session(*people)
    clients = [
        await connect(service, way, person, session_id)
        for person in people
        for way in ("raw", "io", "io-polling")
    ]
    before = await service.head(people[0], session_id)

    answers = await asyncio.gather(
        *(
            client.ack("message", content=f"{index}/{number}")
            for index, client in enumerate(clients)
            for number in range(10)
        )
    )

    head = before + 90
    assert sorted(ack["seq"] for ack in answers) == list(range(before + 1, head + 1))
    log = (await service.log(people[0], session_id))[before:]
    for client in clients:
        assert await client.messages_until(head) == log
