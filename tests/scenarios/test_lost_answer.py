"""The store keeps a message, and its answer is lost on the way back: nobody else loses anything.

The store is the real one; what stands between it and the log drops one answer, as a network does.
"""

from collections.abc import Sequence

import pytest

from chat_gateway.domain.model import Appended
from chat_gateway.store.base import StoreUnavailable
from chat_gateway.store.sqlite import SqliteStore
from chat_protocol.events import DurableEvent
from tests.parts.people import Api, new_person
from tests.parts.service import WIRES, Connect


@pytest.fixture
def lose_one_answer(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Puts a `True` in to have the next append carried out and its answer lost."""
    lost: list[bool] = []
    append = SqliteStore.append

    async def losing(store: SqliteStore, events: Sequence[DurableEvent]) -> list[Appended]:
        outcomes = await append(store, events)
        if lost and lost.pop():
            raise StoreUnavailable("the answer was lost")
        return outcomes

    monkeypatch.setattr(SqliteStore, "append", losing)
    return lost


@pytest.mark.parametrize("way", WIRES)
async def test_who_is_there_hears_it_though_nobody_sends_it_again(
    service: Api, connect: Connect, way: str, lose_one_answer: list[bool]
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    live = await connect(service, way, mina, session_id)

    lose_one_answer.append(True)
    status, problem = await service.answer(
        "POST", f"/api/sessions/{session_id}/messages", {"content": "kept"}, by=mina
    )

    assert (status, problem["code"]) == (503, "store_unavailable")
    assert (await live.next_event("message"))["content"] == "kept"
    late = await connect(service, way, mina, session_id, last_seq=0)
    assert (await late.next_event("message"))["content"] == "kept"


@pytest.mark.parametrize("way", WIRES)
async def test_the_repeat_is_acked_as_one_and_heard_once(
    service: Api, connect: Connect, way: str, lose_one_answer: list[bool]
) -> None:
    mina = new_person()
    session_id = await service.session(mina)
    live = await connect(service, way, mina, session_id)
    message = {"content": "once", "clientMessageId": "c-1"}

    lose_one_answer.append(True)
    path = f"/api/sessions/{session_id}/messages"
    assert (await service.answer("POST", path, message, by=mina))[0] == 503
    assert (await service.answer("POST", path, message, by=mina))[0] == 200

    await service.post(mina, session_id, "after")
    await live.next_event("message", content="after")
    assert [said["content"] for said in live.events if said["type"] == "message"] == [
        "once",
        "after",
    ]
    assert live.seqs == [1, 2]
