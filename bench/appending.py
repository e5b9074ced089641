"""Appends without a service: a loop of bare batch writes, or of the store's own `append`.

A process of its own (`python -m bench.appending WAY STORE_URL BATCH SECONDS`), so that it can have
the server's core. Prints one JSON object. Making the events is not part of the time.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from bench.plan import CONTENT
from bench.servers.messages import event
from chat_gateway.app import make_store
from chat_gateway.config import read_settings
from chat_gateway.store.base import Store
from chat_gateway.store.sqlite_thread import connect, transaction
from chat_protocol.codec import encode_durable, to_wire
from chat_protocol.events import Message

ROOMS: Final = 200
_INSERT: Final = (
    "INSERT INTO message (session_id, seq, type, sender_id, key, created_at, wire)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)

Batch = Sequence[Message]
Write = Callable[[Batch, int], Awaitable[None]]
"""Writes a batch, whose first message has this number over all rooms."""


def _batches(size: int) -> Iterator[tuple[Batch, int]]:
    for start in itertools.count(0, size):
        yield (
            [
                event(
                    session_id=f"{number % ROOMS:032x}",
                    sender_id="mina",
                    number=number,
                    content=CONTENT,
                )
                for number in range(start, start + size)
            ],
            start,
        )


def _bare_sqlite(url: str) -> Write:
    """One transaction a batch, into the service's own table."""
    connection = connect(Path(url.removeprefix("sqlite:///")))

    async def write(batch: Batch, start: int) -> None:
        rows = [
            (
                each.session_id,
                number // ROOMS + 1,
                each.type,
                each.sender_id,
                each.idempotency_key,
                each.created_at,
                encode_durable(each, number // ROOMS + 1),
            )
            for number, each in enumerate(batch, start)
        ]
        with transaction(connection):
            connection.executemany(_INSERT, rows)

    return write


def _bare_mongo(url: str) -> Write:
    """One `insert_many` a batch, into the service's own collection."""
    client: MongoClient[dict[str, Any]] = MongoClient(url, w="majority", journal=True)
    messages = client.get_default_database()["Message"]

    async def write(batch: Batch, start: int) -> None:
        documents: list[dict[str, Any]] = []
        for number, each in enumerate(batch, start):
            seq = number // ROOMS + 1
            document = to_wire(each)
            document["_id"] = document.pop("id")
            documents.append({**document, "seq": seq, "wire": encode_durable(each, seq)})
        messages.insert_many(documents, ordered=True)

    return write


def _by_port(store: Store) -> Write:
    async def write(batch: Batch, _: int) -> None:
        await store.append(batch)

    return write


async def _measure(way: str, url: str, size: int, seconds: float) -> dict[str, float]:
    store = make_store(read_settings(store=url))
    await store.open()
    try:
        if way == "port":
            write = _by_port(store)
        else:
            write = _bare_sqlite(url) if url.startswith("sqlite:") else _bare_mongo(url)
        stored, wall_s, used_s, times_s = 0, 0.0, 0.0, []
        for batch, start in _batches(size):
            begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
            await write(batch, start)
            if start < ROOMS:
                continue  # the store reads the heads of the logs once
            times_s.append(time.perf_counter() - begun_s)
            used_s += time.process_time() - begun_cpu_s
            wall_s += times_s[-1]
            stored += len(batch)
            if wall_s >= seconds:
                break
    finally:
        await store.close()
    times_s.sort()
    return {
        "messages_per_s": stored / wall_s,
        "message_us": used_s / stored * 1e6,
        "p50_ms": times_s[len(times_s) // 2] * 1000,
        "p99_ms": times_s[len(times_s) * 99 // 100] * 1000,
    }


if __name__ == "__main__":
    _, how, where, count, duration = sys.argv
    print(json.dumps(asyncio.run(_measure(how, where, int(count), float(duration)))))
