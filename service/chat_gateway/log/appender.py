"""Group commit: whatever waits goes down in one write, and nothing is said before it is down.

One write is under way at a time. Alone, an event is written at once; while a write is under way,
others gather and go together in the next. After a write its events are delivered and whoever asked
is told, in the order of their numbers, so that an ack never comes before durability and
a room never sees n+1 before n.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from chat_gateway.clock import Clock
from chat_gateway.domain.model import Appended, Record
from chat_gateway.metrics import Metrics
from chat_protocol.errors import ProtocolError
from chat_protocol.events import DurableEvent

log = structlog.get_logger()

BATCH_MAX_EVENTS: Final = 512
"""Events in one write: enough to amortise it, few enough to keep the last one's wait short."""

WAITING_MAX_EVENTS: Final = 20_000
"""Appends that may wait; more are refused, for the store is slower than what is asked of it."""


class LogWriter(Protocol):
    """What the log needs of a store; `store.base.EventStore` has it."""

    async def append(self, events: Sequence[DurableEvent]) -> list[Appended]:
        """Store events durably; one outcome for each, in order."""
        ...


Outcome = Appended | ProtocolError
"""What became of an append. After an error it is unknown whether the event was stored, unless it
is `server_draining`; a repeat with the same key finds out."""

Done = Callable[[Outcome], None]


class Audience(Protocol):
    """Who hears of what the log holds; `hub.Hub` does."""

    def deliver(self, record: Record) -> None:
        """A record was stored; those of a session come in the order of their seq."""
        ...

    def recall(self, record: Record) -> None:
        """A record stands in the log already; nobody may have heard of it."""
        ...

    def doubt(self, session_id: str) -> None:
        """It is unknown what the session's log holds by now."""
        ...


class _Waiting:
    """An append that was asked for and is not yet down."""

    __slots__ = ("asked_s", "done", "event")

    def __init__(self, event: DurableEvent, done: Done, asked_s: float) -> None:
        self.event = event
        self.done = done
        self.asked_s = asked_s


class Log:
    """The one writer of this node."""

    def __init__(
        self,
        writer: LogWriter,
        audience: Audience,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._writer = writer
        self._audience = audience
        self._clock = clock
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    async def append(self, event: DurableEvent) -> Appended:
        """Append an event; returns when it is durable. Raises as `enqueue` does and may tell."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(what: Outcome) -> None:
            # Whoever asked may have gone away; the event is stored all the same.
            if not outcome.done():
                outcome.set_result(what)

        self.enqueue(event, done)
        what = await outcome
        if isinstance(what, ProtocolError):
            raise what
        return what

    def enqueue(self, event: DurableEvent, done: Done) -> None:
        """Ask for an event to be appended, behind all that was asked for before.

        `done` is called once it is durable and the audience has it, with its record (the
        original one where the event is a repeat), or with the error. Raises `server_draining`
        after `close`, and `store_unavailable` where too much waits already.
        """
        if self._closed:
            raise ProtocolError("server_draining")
        if len(self._waiting) >= WAITING_MAX_EVENTS:
            raise ProtocolError("store_unavailable", "Too many messages wait to be stored.")
        self._waiting.append(_Waiting(event, done, self._clock.monotonic_s()))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_all())

    async def close(self) -> None:
        """Take nothing more, and return when all that waited is down."""
        self._closed = True
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), BATCH_MAX_EVENTS)
                await self._write([self._waiting.popleft() for _ in range(count)])
        finally:
            self._writing = None

    async def _write(self, batch: list[_Waiting]) -> None:
        try:
            outcomes = await self._writer.append([waiting.event for waiting in batch])
        except ProtocolError as error:
            log.error("Append failed", events=len(batch), error=getattr(error, "reason", error))
            self._fail(batch, error)
            return
        except Exception:
            log.exception("Append failed", events=len(batch))
            self._fail(batch, ProtocolError("internal"))
            return
        self._metrics.append_batch_events.observe(len(batch))
        self._metrics.append_seconds.observe(self._clock.monotonic_s() - batch[0].asked_s)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if outcome.duplicate:
                self._audience.recall(outcome.record)
            else:
                self._metrics.events.add(1, outcome.record.type)
                self._audience.deliver(outcome.record)
            self._tell(waiting, outcome)

    def _fail(self, batch: list[_Waiting], error: ProtocolError) -> None:
        for session_id in {waiting.event.session_id for waiting in batch}:
            self._audience.doubt(session_id)
        for waiting in batch:
            self._tell(
                waiting,
                ProtocolError(error.code, error.message, retry_after_ms=error.retry_after_ms),
            )

    def _tell(self, waiting: _Waiting, outcome: Outcome) -> None:
        try:
            waiting.done(outcome)
        except Exception:
            # The others of the batch have to hear of theirs all the same.
            log.exception("Cannot tell of an append", session=waiting.event.session_id)
