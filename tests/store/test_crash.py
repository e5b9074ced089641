"""What was acknowledged survives the death of the writer, or of the server."""

import asyncio
import sys
from pathlib import Path

import orjson
import pytest

from chat_gateway.store.base import Store, StoreUnavailable
from tests.parts.mongo import MongoServer
from tests.parts.stores import make_store
from tests.store.appending_process import SESSIONS
from tests.store.making import make_message, seqs, whole_log

ROOT = Path(__file__).parents[2]


async def keys_by_seq(store: Store, session_id: str) -> dict[int, str]:
    """The keys of a session's messages, by their numbers."""
    log = await whole_log(store, session_id)
    assert seqs(log) == list(range(1, len(log) + 1))
    return {record.seq: orjson.loads(record.wire)["clientMessageId"] for record in log}


async def test_a_writer_killed_the_instant_after_an_ack_has_lost_nothing(store_url: str) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.store.appending_process",
        store_url,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    try:
        said = b"".join([await writer.stdout.readline() for _ in range(200)])
    finally:
        writer.kill()
    said += await writer.stdout.read()
    await writer.wait()
    # The last line may have been cut short.
    acknowledged = [line.decode().split() for line in said[: said.rindex(b"\n")].splitlines()]
    assert len(acknowledged) >= 200

    store = make_store(store_url)
    await store.open()
    try:
        logs = {session_id: await keys_by_seq(store, session_id) for session_id in SESSIONS}
        for session_id, seq, key in acknowledged:
            assert logs[session_id][int(seq)] == key
        [outcome] = await store.append([make_message("s", "life goes on")])
        assert outcome.record.seq == len(logs["s"]) + 1
    finally:
        await store.close()


@pytest.mark.mongo
async def test_a_database_server_killed_under_load_has_lost_and_doubled_nothing(
    mongo_server: MongoServer, mongo_url: str
) -> None:
    if not mongo_server.owned:
        pytest.skip("this server is not ours to kill")
    store = make_store(mongo_url)
    await store.open()
    acknowledged: dict[str, int] = {}
    sent = [make_message("s", f"{n}", key=f"k{n}") for n in range(300)]
    enough = asyncio.Event()
    failures = 0

    async def append_all() -> None:
        nonlocal failures
        for start in range(0, len(sent), 3):
            batch = sent[start : start + 3]
            while True:
                try:
                    outcomes = await store.append(batch)
                except StoreUnavailable:
                    failures += 1
                    enough.set()
                else:
                    break
            for event, outcome in zip(batch, outcomes, strict=True):
                acknowledged[event.idempotency_key] = outcome.record.seq
            if len(acknowledged) >= 60:
                enough.set()

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(append_all())
            await enough.wait()
            await asyncio.to_thread(mongo_server.kill)
            with pytest.raises(StoreUnavailable):
                await store.ping()
            await asyncio.to_thread(mongo_server.start)
        assert failures > 0
        log = await keys_by_seq(store, "s")
        assert sorted(log.values()) == sorted(event.idempotency_key for event in sent)
        assert {key: seq for seq, key in log.items()} == acknowledged
    finally:
        await store.close()
