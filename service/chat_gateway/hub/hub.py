"""The hub: gets each durable event once and gives it to every peer of its room, in order.

Events of one tick of the event loop are joined and written once a recipient; a room that gets one
event in a tick pays no delay for it. Order is kept by number alone: an event is taken when it is
the next one, ignored when it is old, and when it is ahead, what is missing is read from the store.
"""

import asyncio
from typing import Final, Protocol

import structlog

from chat_gateway.domain.model import Page, Record
from chat_gateway.hub.frames import Batch
from chat_gateway.hub.peer import Peer
from chat_gateway.hub.room import Room
from chat_gateway.metrics import Metrics
from chat_protocol.errors import ProtocolError

log = structlog.get_logger()

PAGE_EVENTS: Final = 200
"""Events read from the store at a time, at most."""

PAGE_DRAIN_S: Final = 30.0
"""A peer that is catching up has so long to take a page; else it is a slow consumer."""

FILL_RETRY_S: Final = 1.0
"""How long to wait before the store is asked again for what is missing."""


class LogReader(Protocol):
    """What the hub needs of a store; `store.base.EventStore` has it."""

    async def head(self, session_id: str) -> int:
        """The highest seq of a session."""
        ...

    async def events_after(self, session_id: str, after: int, limit: int) -> Page:
        """A page of at most `limit` records with seq > `after`, in order; bounded in bytes too."""
        ...


def _log_broadcast(record: Record, recipients: int) -> None:
    log.info(
        "Broadcasting message", session=record.session_id, seq=record.seq, recipients=recipients
    )


class Hub:
    """All rooms of this node."""

    def __init__(self, reader: LogReader, metrics: Metrics) -> None:
        self._reader = reader
        self._metrics = metrics
        self._rooms: dict[str, Room] = {}
        self._dirty: list[Room] = []
        self._fills: set[asyncio.Task[None]] = set()

    # --- events in ------------------------------------------------------------------------------

    def deliver(self, record: Record) -> None:
        """Take a stored event, to be written to its room at the end of this tick."""
        room = self._rooms.get(record.session_id)
        if room is None:
            _log_broadcast(record, 0)
            return
        room.highest = max(room.highest, record.seq)
        if room.is_empty():
            # Whoever is catching up reads it from the store.
            room.seq = room.highest
            _log_broadcast(record, 0)
        elif record.seq == room.seq + 1:
            self._take(room, record)
        elif record.seq > room.seq:
            self._fill(room)

    def recall(self, record: Record) -> None:
        """A record that the log held already: a room that lacks it gets it.

        The answer to its append was lost, and only a repeat has shown that it is there.
        """
        room = self._rooms.get(record.session_id)
        if room is not None and record.seq > room.highest:
            room.highest = record.seq
            self._fill(room)

    def doubt(self, session_id: str) -> None:
        """The store did not say what became of an append: ask for the log's head."""
        room = self._rooms.get(session_id)
        if room is not None:
            room.doubted = True
            self._fill(room)

    def _take(self, room: Room, record: Record) -> None:
        room.seq = record.seq
        if not room.waiting:
            if not self._dirty:
                asyncio.get_running_loop().call_soon(self._flush_all)
            self._dirty.append(room)
        room.waiting.append(record)

    def _flush_all(self) -> None:
        dirty, self._dirty = self._dirty, []
        for room in dirty:
            self._flush(room)

    def _flush(self, room: Room) -> None:
        records = room.waiting
        recipients = room.flush()
        if not records:
            return
        self._metrics.deliveries.add(recipients * len(records))
        for record in records:
            _log_broadcast(record, recipients)

    def _fill(self, room: Room) -> None:
        if room.filling:
            return
        room.filling = True
        task = asyncio.get_running_loop().create_task(self._read_missing(room))
        self._fills.add(task)
        task.add_done_callback(self._fills.discard)

    async def _read_missing(self, room: Room) -> None:
        """Read what the room lacks, for as long as somebody is there to get it."""
        try:
            while room.users and (room.doubted or room.seq < room.highest):
                try:
                    if room.doubted:
                        room.highest = max(room.highest, await self._reader.head(room.session_id))
                        room.doubted = False
                    page = await self._reader.events_after(room.session_id, room.seq, PAGE_EVENTS)
                    records = page.records
                except ProtocolError as error:
                    log.warning("Cannot read missing events", session=room.session_id, error=error)
                    records = []
                for record in records:
                    if record.seq == room.seq + 1:
                        self._take(room, record)
                if not records and (room.doubted or room.seq < room.highest):
                    await asyncio.sleep(FILL_RETRY_S)
        finally:
            room.filling = False

    # --- peers in and out -----------------------------------------------------------------------

    async def hold(self, session_id: str) -> Room:
        """The session's room, kept until `release`; its `seq` is the log's head as of now or later.

        Raises `StoreUnavailable`.
        """
        room = self._rooms.get(session_id)
        if room is None:
            room = self._rooms[session_id] = Room(session_id)
        room.users += 1
        if not room.known:
            try:
                head = await self._reader.head(session_id)
            except BaseException:
                self.release(room)
                raise
            # Events stored while the head was read have been delivered here already; whoever
            # asked at the same time may have been faster.
            if not room.known:
                room.known = True
                room.seq = room.highest = max(head, room.highest)
        return room

    def release(self, room: Room) -> None:
        """Let go of a held room."""
        room.users -= 1
        if not room.users and self._rooms.get(room.session_id) is room:
            del self._rooms[room.session_id]

    def enter(self, peer: Peer, room: Room) -> None:
        """Put a peer that has every event up to `room.seq` into the room."""
        self._flush(room)
        if peer not in room:
            room.users += 1
            room.enter(peer)

    async def catch_up(self, peer: Peer, room: Room, after: int) -> bool:
        """Write the events after `after`, and enter the room in the tick in which none is missing.

        Nothing is buffered meanwhile: pages are read from the peer's own cursor, and the next one
        only when the peer has taken the last. False where the peer left or was ended on the way.
        Raises `StoreUnavailable`.
        """
        cursor = after
        while True:
            if peer.ended or room.session_id not in peer.rooms:
                return False
            if cursor >= room.seq:
                self.enter(peer, room)
                return True
            page = await self._reader.events_after(room.session_id, cursor, PAGE_EVENTS)
            # An event that is stored but not yet delivered comes with the room; taking it here
            # would show it twice.
            records = [record for record in page.records if record.seq <= room.seq]
            if not records:
                # The room has delivered what the store does not show.
                peer.end(ProtocolError("store_unavailable"))
                return False
            peer.deliver(Batch(records))
            self._metrics.deliveries.add(len(records))
            cursor = records[-1].seq
            if not await peer.drain(PAGE_DRAIN_S):
                peer.end(ProtocolError("slow_consumer"))
                return False

    def leave(self, peer: Peer, session_id: str) -> None:
        """Take a peer out of a room; where it is not in, nothing happens."""
        peer.rooms.discard(session_id)
        room = self._rooms.get(session_id)
        if room is not None and peer in room:
            room.leave(peer)
            self.release(room)

    def leave_all(self, peer: Peer) -> None:
        """Take a peer out of every room."""
        for session_id in list(peer.rooms):
            self.leave(peer, session_id)

    async def close(self) -> None:
        """Write what waits and stop reading."""
        self._flush_all()
        for task in list(self._fills):
            task.cancel()
        await asyncio.gather(*self._fills, return_exceptions=True)
