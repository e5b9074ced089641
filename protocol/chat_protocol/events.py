"""What the server says: durable events, ephemeral events and replies, a frozen dataclass each.

A durable event stands in its session's log and has a `seq`; an ephemeral one is gone when it was
said. `type` is the event's name on both wires. A field that is None is left out of the wire object.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from chat_protocol.commands import Attachment
from chat_protocol.errors import Details, Ref

UNNUMBERED = 0
"""The `seq` of an event that no store has numbered yet; stored ones count from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableEvent:
    """What all events of a log share. `created_at` is RFC 3339, UTC, with milliseconds."""

    type: ClassVar[str]
    session_id: str
    seq: int = UNNUMBERED
    id: str
    sender_id: str
    created_at: str

    @property
    def idempotency_key(self) -> str:
        """What is unique with session and sender; the event's own id where no client chose."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(DurableEvent):
    """A message was sent."""

    type: ClassVar[str] = "message"
    sender_name: str
    content: str
    client_message_id: str
    reply_to: str | None = None
    mentions: Sequence[str] = ()
    attachments: Sequence[Attachment] = ()

    @property
    def idempotency_key(self) -> str:
        """The key that the client chose, so that a repeat is recognised whichever way it comes."""
        return self.client_message_id


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUpdated(DurableEvent):
    """A message has a new text."""

    type: ClassVar[str] = "message.updated"
    message_id: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted(DurableEvent):
    """A message was taken back."""

    type: ClassVar[str] = "message.deleted"
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction(DurableEvent):
    """A reaction to a message came or went."""

    type: ClassVar[str] = "reaction"
    message_id: str
    emoji: str
    action: Literal["added", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged(DurableEvent):
    """Someone became a member, left, was removed, or has another role."""

    type: ClassVar[str] = "member"
    account_id: str
    display_name: str
    role: str
    action: Literal["joined", "left", "removed", "role"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdated(DurableEvent):
    """The session has another title."""

    type: ClassVar[str] = "session.updated"
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """Someone is typing, or stopped."""

    type: ClassVar[str] = "typing"
    session_id: str
    account_id: str
    is_typing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Someone came online in a session, or went."""

    type: ClassVar[str] = "presence"
    session_id: str
    account_id: str
    status: Literal["online", "offline"]
    last_seen_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How far someone has read and received."""

    type: ClassVar[str] = "receipt"
    session_id: str
    account_id: str
    read_seq: int
    delivered_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The connection is authenticated; commands are taken."""

    type: ClassVar[str] = "ready"
    connection_id: str
    account_id: str
    server_time: str
    heartbeat_ms: int
    limits: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A member as others see them."""

    account_id: str
    display_name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """How far a member has read and received, as `joined` lists it."""

    account_id: str
    read_seq: int
    delivered_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The connection is in a session's room.

    `seq` is the log's head at that moment; `recovered` says that everything after the `lastSeq`
    that the client named follows now. `members`, `online` and `receipts` stop at a hundred entries.
    """

    type: ClassVar[str] = "joined"
    session_id: str
    seq: int
    recovered: bool
    members: Sequence[MemberView]
    online: Sequence[str]
    receipts: Sequence[ReceiptView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """A command was carried out; `result` stands beside `type` and `ref` in the wire object."""

    type: ClassVar[str] = "ack"
    ref: Ref | None = None
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """A command was refused, or the connection is about to be closed."""

    type: ClassVar[str] = "error"
    ref: Ref | None = None
    code: str
    message: str
    retryable: bool
    retry_after_ms: int | None = None
    details: Details | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """The answer to `ping`."""

    type: ClassVar[str] = "pong"
    ref: Ref | None = None
    server_time: str


Reply = Ack | Error | Pong
ServerSays = DurableEvent | Typing | Presence | Receipt | Ready | Joined | Reply
