"""Join with lastSeq=N: N+1, N+2, … arrive, then live events, without a gap or a repeat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chat_gateway.hub.hub import PAGE_EVENTS
from chat_protocol.codec import encode_value
from chat_protocol.limits import PAGE_MAX_BYTES
from tests.parts.clients import ChatClient
from tests.parts.people import Api, Person, new_person
from tests.parts.service import Connect, Serve, ways


@pytest.mark.parametrize("way", ways())
async def test_a_client_that_comes_back_gets_just_what_it_missed(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)
    first = await connect(any_service, way, jun, session_id)
    for number in range(3):
        await any_service.post(mina, session_id, f"heard {number}")
    last_seq = (await first.messages_until(4))[-1]["seq"]
    await first.drop()
    missed = [(await any_service.post(mina, session_id, f"missed {n}"))["seq"] for n in range(5)]

    second = await connect(any_service, way, jun, session_id, last_seq=last_seq)
    live = await any_service.post(mina, session_id, "live")

    joined = second.events[1]
    assert (joined["seq"], joined["recovered"]) == (missed[-1], True)
    await second.next_event(seq=live["seq"])
    assert second.seqs == [*missed, live["seq"]]
    log = await any_service.log(mina, session_id)
    assert [*first.durable, *second.durable] == log[1:]


@asynccontextmanager
async def chatter(client: ChatClient, *, at_least: int) -> AsyncIterator[None]:
    """The client sends one message after the other; at least so many, and until the block ends."""
    over = asyncio.Event()
    enough = asyncio.Event()

    async def talk() -> None:
        number = 0
        while not over.is_set():
            await client.ack("message", content=f"chatter {number}")
            number += 1
            if number >= at_least:
                enough.set()

    talking = asyncio.create_task(talk())
    try:
        yield
        await asyncio.wait_for(enough.wait(), 20)
    finally:
        over.set()
        await talking


async def long_log(service: Api, connect: Connect, by: Person, session_id: str, size: int) -> None:
    """Put so many messages into a log."""
    client = await connect(service, "raw", by, session_id)
    asked = [await client.ask("message", content=f"old {number}") for number in range(size)]
    await asyncio.gather(*asked)
    await client.close()


@pytest.mark.parametrize(
    "way", ways("raw", "io", "io-polling", "io-upgrade", "node-io", "node-raw")
)
async def test_a_long_resume_has_no_gap_and_no_repeat_while_others_go_on(
    serve: Serve, connect: Connect, way: str
) -> None:
    service = await serve(rate_limits=False)
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await service.session(mina, jun)
    await long_log(service, connect, mina, session_id, PAGE_EVENTS * 2 + 50)
    talker = await connect(service, "raw", mina, session_id)

    async with chatter(talker, at_least=50):
        client = await connect(service, way, jun, session_id, last_seq=7)

    head = await service.head(mina, session_id)
    await client.next_event(seq=head, timeout_s=20)
    assert client.events[1]["recovered"] is True
    assert client.seqs == list(range(8, head + 1))


@pytest.mark.mongo
@pytest.mark.parametrize("way", ways("raw", "io"))
async def test_a_resume_from_the_beginning_works_on_every_store(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    for number in range(12):
        await any_service.post(mina, session_id, f"number {number}")

    client = await connect(any_service, way, mina, session_id, last_seq=0)

    await client.next_event(seq=12)
    assert client.durable == await any_service.log(mina, session_id)


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_resume_over_messages_that_fill_many_pages_yields_all(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    sent = [await any_service.post_large(mina, session_id, f"large {n}") for n in range(70)]
    assert len(sent) < PAGE_EVENTS
    assert len(encode_value(sent)) > 2 * PAGE_MAX_BYTES

    client = await connect(any_service, way, mina, session_id, last_seq=1)
    live = await any_service.post(mina, session_id, "live")

    await client.next_event(seq=live["seq"])
    assert client.durable == [*sent[1:], live]


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_client_that_keeps_losing_its_connection_misses_nothing(
    serve: Serve, connect: Connect, way: str
) -> None:
    service = await serve(rate_limits=False)
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await service.session(mina, jun)
    talker = await connect(service, "raw", mina, session_id)
    heard: list[int] = []

    async with chatter(talker, at_least=40):
        for _ in range(6):
            client = await connect(service, way, jun, session_id, last_seq=len(heard))
            await client.next_event("message")
            await client.drop()
            heard += client.seqs

    client = await connect(service, way, jun, session_id, last_seq=len(heard))
    head = await service.head(mina, session_id)
    if head > len(heard):
        await client.next_event(seq=head)
    heard += client.seqs
    assert heard == list(range(1, head + 1))


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_last_seq_beyond_the_head_recovers_nothing_and_says_so(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    await any_service.post(mina, session_id, "the only one")

    client = await connect(any_service, way, mina, session_id, last_seq=1000)
    assert (client.events[1]["seq"], client.events[1]["recovered"]) == (1, False)

    await any_service.post(mina, session_id, "live")
    await client.next_event(seq=2)
    assert client.seqs == [2]


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_last_seq_at_the_head_recovers_with_nothing_to_say(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    await any_service.post(mina, session_id, "heard already")

    client = await connect(any_service, way, mina, session_id, last_seq=1)

    assert client.events[1]["recovered"] is True
    await any_service.post(mina, session_id, "live")
    await client.next_event(seq=2)
    assert client.seqs == [2]


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_join_command_resumes_as_a_connection_does(
    service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    one, two = await service.session(mina), await service.session(mina)
    for number in range(6):
        await service.post(mina, one, f"number {number}")
    client = await connect(service, way, mina, two)

    ack = await client.ack("join", sessionId=one, lastSeq=2)
    await service.post(mina, one, "live")

    assert ack["seq"] == 6
    await client.next_event(sessionId=one, seq=7)
    assert client.seqs == [3, 4, 5, 6, 7]
