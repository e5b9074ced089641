"""Messages: sent, listed, and marked as read; the same for sockets and REST."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from chat_gateway.clock import Clock
from chat_gateway.domain.caller import Caller
from chat_gateway.domain.ids import new_id
from chat_gateway.domain.model import Appended, Page, Record
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.handlers.membership import Membership
from chat_gateway.log.appender import Log, Outcome
from chat_gateway.store.base import Store
from chat_protocol import limits
from chat_protocol.codec import encode
from chat_protocol.commands import Attachment
from chat_protocol.errors import ProtocolError
from chat_protocol.events import Message

_BODY_FIELDS = ("content", "replyTo", "mentions", "attachments")


class Messages:
    """Use cases of a session's messages. Every method raises `not_a_member` for strangers."""

    def __init__(self, *, store: Store, log: Log, membership: Membership, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._membership = membership
        self._clock = clock

    async def send(
        self,
        caller: Caller,
        session_id: str,
        *,
        content: str,
        client_message_id: str | None = None,
        reply_to: str | None = None,
        mentions: Sequence[str] = (),
        attachments: Sequence[Attachment] = (),
    ) -> Appended:
        """Append a message; returns when it is durable.

        A repeat of (session, sender, `client_message_id`) returns the original with `duplicate`.
        Raises `idempotency_conflict` where that one has another body, `store_unavailable` and
        `server_draining`.
        """
        await self._membership.of(session_id, caller.account_id)
        message = self._message(
            caller, session_id, content, client_message_id, reply_to, mentions, attachments
        )
        return _checked(message, await self._log.append(message))

    def begin_send(
        self,
        caller: Caller,
        session_id: str,
        *,
        content: str,
        client_message_id: str | None,
        reply_to: str | None,
        mentions: Sequence[str],
        attachments: Sequence[Attachment],
        done: "Callable[[Sending], None]",
    ) -> None:
        """Put a message into the queue of the log, behind all that was sent before it.

        `done` is called when it is known what became of it. The caller is a member: whoever calls
        this has just asked `Membership`. Raises what `Log.enqueue` does.
        """
        message = self._message(
            caller, session_id, content, client_message_id, reply_to, mentions, attachments
        )
        self._log.enqueue(message, Sending(message, done).resolve)

    def _message(
        self,
        caller: Caller,
        session_id: str,
        content: str,
        client_message_id: str | None,
        reply_to: str | None,
        mentions: Sequence[str],
        attachments: Sequence[Attachment],
    ) -> Message:
        now_ms = self._clock.now_ms()
        message_id = new_id(now_ms)
        return Message(
            session_id=session_id,
            id=message_id,
            sender_id=caller.account_id,
            sender_name=caller.display_name,
            content=content,
            client_message_id=client_message_id or message_id,
            reply_to=reply_to,
            mentions=mentions,
            attachments=attachments,
            created_at=rfc3339(now_ms),
        )

    async def history(
        self,
        caller: Caller,
        session_id: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> Page:
        """A page of messages, oldest first; fewer than `limit` where they are large."""
        await self._membership.of(session_id, caller.account_id)
        limit = limit or limits.HISTORY_LIMIT_DEFAULT
        return await self._store.messages(session_id, before=before, after=after, limit=limit)

    async def events(
        self, caller: Caller, session_id: str, *, after: int, limit: int | None = None
    ) -> Page:
        """A page of all durable events after a seq; fewer than `limit` where they are large."""
        await self._membership.of(session_id, caller.account_id)
        limit = limit or limits.HISTORY_LIMIT_DEFAULT
        return await self._store.events_after(session_id, after, limit)

    async def mark_read(self, caller: Caller, session_id: str, seq: int) -> int:
        """Raise how far the caller has read, to the head at most; returns what stands then."""
        await self._membership.of(session_id, caller.account_id)
        head = await self._store.head(session_id)
        read_seq = await self._store.mark_read(session_id, caller.account_id, min(seq, head))
        self._membership.forget_reading(session_id)
        return read_seq


class Sending:
    """A message on its way into the log."""

    __slots__ = ("_done", "_message", "_outcome")

    def __init__(self, message: Message, done: "Callable[[Sending], None]") -> None:
        self._message = message
        self._done = done
        self._outcome: Outcome | None = None

    def resolve(self, outcome: Outcome) -> None:
        """Take what became of it, and say that it is known."""
        self._outcome = outcome
        self._done(self)

    def acknowledgement(self) -> dict[str, Any]:
        """What the ack of `message` carries, once it is known. Raises as `Messages.send` does."""
        if self._outcome is None:
            raise ValueError("the message is still on its way")
        if isinstance(self._outcome, ProtocolError):
            raise self._outcome
        appended = _checked(self._message, self._outcome)
        message_id, created_at = self._message.id, self._message.created_at
        if appended.duplicate:
            original = orjson.loads(appended.record.wire)
            message_id, created_at = original["id"], original["createdAt"]
        return {
            "id": message_id,
            "seq": appended.record.seq,
            "createdAt": created_at,
            "duplicate": appended.duplicate,
        }


def _checked(message: Message, appended: Appended) -> Appended:
    """The outcome of a message; raises `idempotency_conflict` for a repeat with another body."""
    if appended.duplicate and not _same_body(message, appended.record):
        raise ProtocolError("idempotency_conflict")
    return appended


def _same_body(message: Message, original: Record) -> bool:
    """Whether a repeat says what the original said."""
    if original.type != message.type:
        return False
    stored = orjson.loads(original.wire)
    repeated = orjson.loads(encode(message))
    return all(stored.get(name) == repeated.get(name) for name in _BODY_FIELDS)
