"""A process that appends until it is killed, and says what was acknowledged.

`python -m tests.store.appending_process URL` prints `session seq key` for each stored event.
"""

import asyncio
import sys

from chat_gateway.logs import configure
from tests.parts.stores import make_store
from tests.store.making import make_message

SESSIONS = ("s", "t", "u")


async def append_for_ever(url: str) -> None:
    """Batches of three sessions, one behind the other."""
    configure("warning", "text")
    store = make_store(url)
    await store.open()
    turn = 0
    while True:
        turn += 1
        batch = [
            make_message(session_id, f"{turn} {n}", key=f"{turn}-{n}")
            for session_id in SESSIONS
            for n in range(3)
        ]
        for event, outcome in zip(batch, await store.append(batch), strict=True):
            record = outcome.record
            print(record.session_id, record.seq, event.idempotency_key, flush=True)


if __name__ == "__main__":
    asyncio.run(append_for_ever(sys.argv[1]))
