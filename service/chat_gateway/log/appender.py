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


class _Waiting:
    """An append that was asked for and is not yet down."""

    __slots__ = ("asked_s", "done", "event")

    def __init__(self, event: DurableEvent, done: Done, asked_s: float) -> None:
        self.event = event
        self.done = done
        self.asked_s = asked_s


class Log:
    """The one writer of this node.

    `deliver` is called for each newly stored record, in the order of their seq within a session.
    """

    def __init__(
        self,
        writer: LogWriter,
        deliver: Callable[[Record], None],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._writer = writer
        self._deliver = deliver
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

        `done` is called once it is durable and was given to `deliver`, with its record (the
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
            try:
                if not outcome.duplicate:
                    self._metrics.events.add(1, outcome.record.type)
                    self._deliver(outcome.record)
                waiting.done(outcome)
            except Exception:
                # Those behind it in the batch are stored too, and have to hear of it.
                log.exception("Cannot tell of an append", seq=outcome.record.seq)

    def _fail(self, batch: list[_Waiting], error: ProtocolError) -> None:
        for waiting in batch:
            waiting.done(
                ProtocolError(error.code, error.message, retry_after_ms=error.retry_after_ms)
            )
