"""Turns: one change of a session at a time, and nothing kept for a quiet one."""

import asyncio
import gc
import weakref

from chat_gateway.handlers.turns import Turns


async def test_changes_of_one_session_wait_for_each_other_and_others_do_not() -> None:
    turns = Turns()
    done: list[str] = []

    async def change(session_id: str, name: str) -> None:
        async with turns.of(session_id):
            done.append(f"{name} begins")
            await asyncio.sleep(0)
            done.append(f"{name} ends")

    async with turns.of("one"):
        waiting = [asyncio.create_task(change("one", name)) for name in ("a", "b")]
        await change("other", "c")
        assert done == ["c begins", "c ends"]
    await asyncio.gather(*waiting)
    assert done[2:] == ["a begins", "a ends", "b begins", "b ends"]


async def test_a_session_that_nobody_changes_costs_nothing() -> None:
    turns = Turns()
    lock = weakref.ref(turns.of("one"))
    gc.collect()
    assert lock() is None
