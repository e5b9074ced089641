"""The logs in MongoDB: numbers without holes and without transactions.

A batch is one ordered `insert_many`, numbered from the heads as far as they are known here. The
unique index on (sessionId, seq) makes a stale number collide instead of overtaking, and what stood
before the collision is stored, so the rest is numbered anew and tried again. Heads are remembered
only of what the server acknowledged; after a failure they are too low at most, and collide.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from chat_gateway.domain.model import Appended, Page, Record
from chat_gateway.store.base import StoreUnavailable
from chat_gateway.store.filling import Filling
from chat_gateway.store.mongo_client import Document, answering
from chat_gateway.store.mongo_database import MongoDatabase
from chat_protocol.codec import MESSAGE_TYPE, encode_durable, to_wire
from chat_protocol.events import DurableEvent

HEADS_MAX: Final = 100_000
"""Heads remembered; where there are more sessions than that, they are read anew."""

BATCH: Final = 64
"""Records that the server sends at a time. What is read of a page and thrown away is less than
this; larger batches of small events would save little, each being one more round trip."""

DUPLICATE_KEY: Final = 11000

_RECORD: Final = {"_id": 0, "sessionId": 1, "seq": 1, "type": 1, "wire": 1}


class MongoEvents(MongoDatabase):
    """`EventStore` over one MongoDB database."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        # Two appends of this process would only collide with one another.
        self._appending = asyncio.Lock()

    async def append(self, events: Sequence[DurableEvent]) -> list[Appended]:
        """Store events durably, each at its session's next seq; see the port."""
        if not events:
            return []
        async with self._appending, answering():
            return await self._append(events)

    async def head(self, session_id: str) -> int:
        """The highest seq of a session; 0 where nothing was appended."""
        async with answering():
            newest = await self._newest(session_id)
        return 0 if newest is None else int(newest["seq"])

    async def events_after(self, session_id: str, after: int, limit: int) -> Page:
        """A page of the records with seq > `after`, in order; see the port."""
        async with answering():
            return await self._find_page(
                {"sessionId": session_id, "seq": {"$gt": after}}, limit=limit
            )

    async def messages(
        self, session_id: str, *, before: int | None, after: int | None, limit: int
    ) -> Page:
        """A page of the records of type `message`, oldest first; see the port."""
        query: Document = {"sessionId": session_id, "type": MESSAGE_TYPE}
        async with answering():
            if after is not None:
                query["seq"] = {"$gt": after}
                return await self._find_page(query, limit=limit)
            if before is not None:
                query["seq"] = {"$lt": before}
            return await self._find_page(query, limit=limit, newest_first=True)

    async def _newest(self, session_id: str) -> Document | None:
        """`seq` and `createdAt` of the newest event."""
        return await self._collection("Message").find_one(
            {"sessionId": session_id}, {"_id": 0, "seq": 1, "createdAt": 1}, sort=[("seq", -1)]
        )

    async def _last_message(self, session_id: str) -> Record | None:
        """The newest message of a session."""
        document = await self._collection("Message").find_one(
            {"sessionId": session_id, "type": MESSAGE_TYPE}, _RECORD, sort=[("seq", -1)]
        )
        return None if document is None else _record(document)

    async def _find_page(self, query: Document, *, limit: int, newest_first: bool = False) -> Page:
        """A page, read batch by batch. One record more than `limit` tells whether more follows."""
        filling = Filling(limit)
        cursor = self._collection("Message").find(
            query,
            _RECORD,
            sort=[("seq", -1 if newest_first else 1)],
            limit=limit + 1,
            batch_size=BATCH,
        )
        async for document in cursor:
            if not filling.take(_record(document)):
                # The server need not keep what nobody will ask for.
                await cursor.close()
                break
        return filling.page(newest_first=newest_first)

    # --- appending ------------------------------------------------------------------------------

    async def _append(self, events: Sequence[DurableEvent]) -> list[Appended]:
        first_with_key: dict[tuple[str, str, str], int] = {}
        for place, event in enumerate(events):
            key = (event.session_id, event.sender_id, event.idempotency_key)
            first_with_key.setdefault(key, place)
        outcomes: dict[int, Appended] = {}
        waiting = list(first_with_key.values())
        while waiting:
            await self._learn_heads({events[place].session_id for place in waiting})
            records = self._number([events[place] for place in waiting])
            stored = await self._insert(
                [
                    _document(events[place], record)
                    for place, record in zip(waiting, records, strict=True)
                ]
            )
            for place, record in zip(waiting[:stored], records[:stored], strict=True):
                outcomes[place] = Appended(record=record, duplicate=False)
                self._heads[record.session_id] = record.seq
            waiting = waiting[stored:]
            if waiting:
                original = await self._original(events[waiting[0]])
                if original is not None:
                    outcomes[waiting.pop(0)] = Appended(record=original, duplicate=True)
                else:
                    # Another process appends too: no head that is left can be trusted.
                    for place in waiting:
                        self._heads.pop(events[place].session_id, None)
        for place, event in enumerate(events):
            first = first_with_key[(event.session_id, event.sender_id, event.idempotency_key)]
            if first != place:
                outcomes[place] = Appended(record=outcomes[first].record, duplicate=True)
        return [outcomes[place] for place in range(len(events))]

    async def _learn_heads(self, session_ids: set[str]) -> None:
        unknown = [session_id for session_id in session_ids if session_id not in self._heads]
        if len(self._heads) + len(unknown) > HEADS_MAX:
            self._heads.clear()
            unknown = list(session_ids)
        await asyncio.gather(*map(self._learn_head, unknown))

    async def _learn_head(self, session_id: str) -> None:
        # As the server has it, though no majority may have it yet: writes collide with that.
        written = self._collection("Message").with_options(read_concern=ReadConcern("local"))
        newest = await written.find_one(
            {"sessionId": session_id}, {"_id": 0, "seq": 1}, sort=[("seq", -1)]
        )
        self._heads[session_id] = 0 if newest is None else int(newest["seq"])

    def _number(self, events: Sequence[DurableEvent]) -> list[Record]:
        heads: dict[str, int] = {}
        records: list[Record] = []
        for event in events:
            seq = heads.get(event.session_id, self._heads[event.session_id]) + 1
            heads[event.session_id] = seq
            records.append(
                Record(
                    session_id=event.session_id,
                    seq=seq,
                    type=event.type,
                    wire=encode_durable(event, seq),
                )
            )
        return records

    async def _insert(self, documents: list[Document]) -> int:
        """Insert documents in order, up to the first that collides; returns how many."""
        try:
            await self._collection("Message").insert_many(documents, ordered=True)
        except BulkWriteError as error:
            details: Mapping[str, Any] = error.details or {}
            errors = details.get("writeErrors", [])
            if details.get("writeConcernErrors") or not errors:
                raise
            if errors[0]["code"] != DUPLICATE_KEY:
                raise StoreUnavailable(f"a write failed: {errors[0].get('errmsg')}") from error
            return int(errors[0]["index"])
        return len(documents)

    async def _original(self, event: DurableEvent) -> Record | None:
        """The event that has this one's key already."""
        document = await self._collection("Message").find_one(
            {
                "sessionId": event.session_id,
                "senderId": event.sender_id,
                "clientMessageId": event.idempotency_key,
            },
            _RECORD,
        )
        return None if document is None else _record(document)


def _document(event: DurableEvent, record: Record) -> Document:
    """An event as it is stored: its bytes, and its fields beside them for queries and for eyes."""
    document = to_wire(event)
    document["_id"] = document.pop("id")
    document["seq"] = record.seq
    document["clientMessageId"] = event.idempotency_key
    document["wire"] = record.wire
    return document


def _record(document: Document) -> Record:
    return Record(
        session_id=document["sessionId"],
        seq=document["seq"],
        type=document["type"],
        wire=document["wire"],
    )
