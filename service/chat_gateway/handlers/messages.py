"""Messages: sent, listed, and marked as read; the same for sockets and REST."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson

from chat_gateway.clock import Clock
from chat_gateway.domain.caller import Caller
from chat_gateway.domain.ids import new_id
from chat_gateway.domain.model import Appended, Record
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.handlers.membership import Membership
from chat_gateway.log.appender import Log
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
        sent = self.begin_send(
            caller,
            session_id,
            content=content,
            client_message_id=client_message_id,
            reply_to=reply_to,
            mentions=mentions,
            attachments=attachments,
        )
        return await sent.finish()

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
    ) -> "Sending":
        """Put a message into the queue of the log, behind all that was sent before it.

        The caller is a member: whoever calls this has just asked `Membership`. A connection may
        have many messages under way, and yet in order.
        """
        now_ms = self._clock.now_ms()
        message_id = new_id(now_ms)
        message = Message(
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
        return Sending(message, self._log.append(message))

    async def history(
        self,
        caller: Caller,
        session_id: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> tuple[list[Record], bool]:
        """A page of messages, oldest first, and whether there are more in that direction."""
        await self._membership.of(session_id, caller.account_id)
        limit = limit or limits.HISTORY_LIMIT_DEFAULT
        # One more than asked for tells whether there is more.
        page = await self._store.messages(session_id, before=before, after=after, limit=limit + 1)
        has_more = len(page) > limit
        if has_more:
            page = page[:limit] if after is not None else page[1:]
        return page, has_more

    async def events(
        self, caller: Caller, session_id: str, *, after: int, limit: int | None = None
    ) -> tuple[list[Record], bool]:
        """A page of all durable events after a seq, and whether there are more."""
        await self._membership.of(session_id, caller.account_id)
        limit = limit or limits.HISTORY_LIMIT_DEFAULT
        page = await self._store.events_after(session_id, after, limit + 1)
        return page[:limit], len(page) > limit

    async def mark_read(self, caller: Caller, session_id: str, seq: int) -> int:
        """Raise how far the caller has read, to the head at most; returns what stands then."""
        await self._membership.of(session_id, caller.account_id)
        head = await self._store.head(session_id)
        return await self._store.mark_read(session_id, caller.account_id, min(seq, head))


class Sending:
    """A message on its way into the log."""

    __slots__ = ("appended", "message")

    def __init__(self, message: Message, appended: "asyncio.Future[Appended]") -> None:
        self.message = message
        self.appended = appended

    async def finish(self) -> Appended:
        """Wait until it is durable; see `outcome`."""
        # The log goes on with it even if whoever waits goes away.
        await asyncio.shield(self.appended)
        return self.outcome()

    def outcome(self) -> Appended:
        """What became of it, once `appended` is done. Raises as `Messages.send` does."""
        appended = self.appended.result()
        if appended.duplicate and not _same_body(self.message, appended.record):
            raise ProtocolError("idempotency_conflict")
        return appended

    def acknowledgement(self) -> dict[str, Any]:
        """What the ack of `message` carries, once `appended` is done. Raises as `outcome` does."""
        appended = self.outcome()
        if appended.duplicate:
            original = orjson.loads(appended.record.wire)
            message_id, created_at = original["id"], original["createdAt"]
        else:
            message_id, created_at = self.message.id, self.message.created_at
        return {
            "id": message_id,
            "seq": appended.record.seq,
            "createdAt": created_at,
            "duplicate": appended.duplicate,
        }


def _same_body(message: Message, original: Record) -> bool:
    """Whether a repeat says what the original said."""
    if original.type != message.type:
        return False
    stored = orjson.loads(original.wire)
    repeated = orjson.loads(encode(message))
    return all(stored.get(name) == repeated.get(name) for name in _BODY_FIELDS)
