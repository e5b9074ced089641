"""What a client asks: one frozen dataclass a command.

`type` is the command's name on both wires. Optional fields are None where the client left them out.
"""

from dataclasses import dataclass
from typing import ClassVar

from chat_protocol.errors import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that a message points at; the bytes live elsewhere."""

    url: str
    name: str | None = None
    media_type: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command carries: `ref` comes back in its answer."""

    type: ClassVar[str]
    ref: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCommand(Command):
    """A command about one session; `session_id` may be left out where just one is joined."""

    session_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(SessionCommand):
    """Put a message into the session's log."""

    type: ClassVar[str] = "message"
    content: str
    client_message_id: str | None = None
    reply_to: str | None = None
    mentions: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage(SessionCommand):
    """Replace the text of a message of one's own."""

    type: ClassVar[str] = "edit"
    message_id: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMessage(SessionCommand):
    """Take a message back."""

    type: ClassVar[str] = "delete"
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class React(SessionCommand):
    """Add or remove one's reaction to a message."""

    type: ClassVar[str] = "react"
    message_id: str
    emoji: str
    remove: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTyping(SessionCommand):
    """Say that one is typing, or stopped; never acknowledged."""

    type: ClassVar[str] = "typing"
    is_typing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRead(SessionCommand):
    """Say up to which `seq` one has read."""

    type: ClassVar[str] = "read"
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GetHistory(SessionCommand):
    """Read messages before or after a `seq`; the newest where neither is given."""

    type: ClassVar[str] = "history"
    before: int | None = None
    after: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(Command):
    """Enter a session's room; with `last_seq`, first get all that came after it."""

    type: ClassVar[str] = "join"
    session_id: str
    last_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(SessionCommand):
    """Leave a session's room; membership stays."""

    type: ClassVar[str] = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(Command):
    """Say who one is, or extend a connection with a fresh token."""

    type: ClassVar[str] = "authenticate"
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(Command):
    """Ask for a `pong`."""

    type: ClassVar[str] = "ping"
