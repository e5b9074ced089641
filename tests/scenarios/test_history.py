"""Messages are read page by page, in either direction."""

import pytest

from chat_protocol.codec import encode_value
from chat_protocol.limits import PAGE_MAX_BYTES
from tests.parts.people import Api, new_person
from tests.parts.service import Connect, ways


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_history_is_paged_in_both_directions(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina, jun = new_person("Mina"), new_person("Jun")
    session_id = await any_service.session(mina, jun)  # its seq 1 is Jun's joining
    for number in range(2, 9):
        await any_service.post(mina, session_id, f"number {number}")
    client = await connect(any_service, way, jun, session_id)

    async def page(**fields: int) -> tuple[list[int], bool]:
        ack = await client.ack("history", **fields)
        return [message["seq"] for message in ack["messages"]], ack["hasMore"]

    assert await page() == ([2, 3, 4, 5, 6, 7, 8], False)
    assert await page(limit=3) == ([6, 7, 8], True)
    assert await page(before=6, limit=3) == ([3, 4, 5], True)
    assert await page(before=3, limit=3) == ([2], False)
    assert await page(before=2) == ([], False)
    assert await page(after=0, limit=3) == ([2, 3, 4], True)
    assert await page(after=5, limit=3) == ([6, 7, 8], False)
    assert await page(after=8) == ([], False)
    assert await page(after=10**15) == ([], False)
    assert client.durable == []


@pytest.mark.parametrize("way", ways("raw", "io"))
async def test_history_lists_the_very_objects_that_were_sent(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    client = await connect(any_service, way, mina, session_id)
    await client.ack("message", content="안녕 🙂", clientMessageId="key")
    live = await client.next_event("message")

    listed = (await client.ack("history"))["messages"]

    assert listed == [live]
    answer = await any_service.call("GET", f"/api/sessions/{session_id}/messages", by=mina)
    assert answer["messages"] == [live]


@pytest.mark.parametrize("way", ways("raw", "io", "io-polling"))
async def test_a_page_of_large_messages_is_cut_by_its_bytes_and_says_so(
    any_service: Api, connect: Connect, way: str
) -> None:
    mina = new_person()
    session_id = await any_service.session(mina)
    sent = [await any_service.post_large(mina, session_id, f"large {n}") for n in range(30)]
    client = await connect(any_service, way, mina, session_id)

    newest = await client.ack("history", limit=200)
    oldest = await client.ack("history", after=0, limit=200)

    fit = PAGE_MAX_BYTES // len(encode_value(sent[-1]))
    assert 2 < fit < len(sent)
    assert (newest["messages"], newest["hasMore"]) == (sent[-fit:], True)
    assert (oldest["messages"], oldest["hasMore"]) == (sent[:fit], True)
    rest = await client.ack("history", before=sent[-fit]["seq"], limit=200)
    assert (rest["messages"], rest["hasMore"]) == (sent[:-fit], False)
    rest = await client.ack("history", after=sent[fit - 1]["seq"], limit=200)
    assert (rest["messages"], rest["hasMore"]) == (sent[fit:], False)


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"before": 0}, "before"),
        ({"after": -1}, "after"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "10"}, "limit"),
        ({"limit": True}, "limit"),
        ({"before": 1.5}, "before"),
        ({"before": {"$gt": 0}}, "before"),
        ({"before": 5, "after": 1}, "after"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    service: Api, connect: Connect, fields: dict[str, object], at_fault: str
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    for way in ("raw", "io"):
        client = await connect(service, way, mina, session_id)

        refused = await client.refusal("history", **fields)

        assert refused["code"] == "validation_failed"
        assert list(refused["details"]) == [at_fault]
