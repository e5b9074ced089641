"""marshmallow schemas of everything on the sockets, and the registries that name them.

A command's schema loads a client's object into its dataclass or says what is wrong with each
field. An event's schema says what the server's objects look like: the documents in `export/` are
made from it, and the tests load every frame that the server sends with it.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from chat_protocol import commands, events, limits
from chat_protocol.errors import REGISTRY
from chat_protocol.fields import (
    RefField,
    StrictBoolean,
    Text,
    WholeNumber,
    WireSchema,
    identifier,
)

# --- commands -----------------------------------------------------------------------------------


class AttachmentSchema(WireSchema):
    """A file that a message points at."""

    url = Text(
        required=True,
        max_chars=limits.URL_MAX_CHARS,
        rules=[validate.URL(schemes={"http", "https"}, require_tld=False)],
        metadata={"description": "Where the file is; http or https."},
    )
    name = Text(min_chars=1, max_chars=limits.FILE_NAME_MAX_CHARS)
    media_type = Text(min_chars=1, max_chars=limits.MEDIA_TYPE_MAX_CHARS)
    size_bytes = WholeNumber()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> commands.Attachment:
        """Build the dataclass."""
        return commands.Attachment(**data)


class CommandSchema(WireSchema):
    """Base of all commands."""

    command: ClassVar[type[commands.Command]]
    ref = RefField(metadata={"description": "Echoed in the answer."})

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> commands.Command:
        """Build the dataclass."""
        return self.command(**data)


class SessionCommandSchema(CommandSchema):
    """Base of the commands about one session."""

    session_id = identifier(
        metadata={"description": "May be left out where exactly one session is joined."}
    )


def content_field(**kwargs: Any) -> Text:
    """A message's text."""
    return Text(
        required=True,
        min_chars=1,
        max_chars=limits.CONTENT_MAX_CHARS,
        metadata={"example": "테스트 메시지"},
        **kwargs,
    )


def client_message_id_field(**kwargs: Any) -> Text:
    """The key that makes a message one message, however often it is sent."""
    return Text(
        min_chars=1,
        max_chars=limits.CLIENT_MESSAGE_ID_MAX_CHARS,
        metadata={
            "description": "Chosen by the client; a repeat returns the original message.",
            "example": "c0a8-0001",
        },
        **kwargs,
    )


def emoji_field(**kwargs: Any) -> Text:
    """A reaction."""
    return Text(required=True, min_chars=1, max_chars=limits.EMOJI_MAX_CHARS, **kwargs)


class SendMessageSchema(SessionCommandSchema):
    """Put a message into the session's log."""

    command = commands.SendMessage
    content = content_field()
    client_message_id = client_message_id_field()
    reply_to = identifier(metadata={"description": "The id of the message this one answers."})
    mentions = fields.List(identifier(), validate=validate.Length(max=limits.MENTIONS_MAX))
    attachments = fields.List(
        fields.Nested(AttachmentSchema), validate=validate.Length(max=limits.ATTACHMENTS_MAX)
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> commands.SendMessage:
        """Build the dataclass, its lists as tuples."""
        for name in ("mentions", "attachments"):
            if name in data:
                data[name] = tuple(data[name])
        return commands.SendMessage(**data)


class EditMessageSchema(SessionCommandSchema):
    """Replace the text of a message of one's own."""

    command = commands.EditMessage
    message_id = identifier(required=True)
    content = content_field()


class DeleteMessageSchema(SessionCommandSchema):
    """Take a message back."""

    command = commands.DeleteMessage
    message_id = identifier(required=True)


class ReactSchema(SessionCommandSchema):
    """Add or remove one's reaction to a message."""

    command = commands.React
    message_id = identifier(required=True)
    emoji = emoji_field()
    remove = StrictBoolean()


class SetTypingSchema(SessionCommandSchema):
    """Say that one is typing, or stopped; never acknowledged."""

    command = commands.SetTyping
    is_typing = StrictBoolean(required=True)


class MarkReadSchema(SessionCommandSchema):
    """Say up to which `seq` one has read."""

    command = commands.MarkRead
    seq = WholeNumber(required=True)


class GetHistorySchema(SessionCommandSchema):
    """Read messages before or after a `seq`; the newest where neither is given."""

    command = commands.GetHistory
    before = WholeNumber(minimum=1)
    after = WholeNumber()
    limit = WholeNumber(minimum=1, maximum=limits.HISTORY_LIMIT_MAX)

    @validates_schema
    def one_direction(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse `before` together with `after`."""
        if "before" in data and "after" in data:
            raise ValidationError("Give before or after, not both.", "after")


class JoinSchema(CommandSchema):
    """Enter a session's room; with `lastSeq`, first get all that came after it."""

    command = commands.Join
    session_id = identifier(required=True)
    last_seq = WholeNumber(metadata={"description": "The last seq that the client has seen."})


class LeaveSchema(SessionCommandSchema):
    """Leave a session's room; membership stays."""

    command = commands.Leave


class AuthenticateSchema(CommandSchema):
    """Say who one is, or extend a connection with a fresh token."""

    command = commands.Authenticate
    token = Text(required=True, min_chars=1, max_chars=limits.TOKEN_MAX_CHARS)


class PingSchema(CommandSchema):
    """Ask for a `pong`."""

    command = commands.Ping


COMMANDS: Final[Mapping[str, CommandSchema]] = {
    schema.command.type: schema()
    for schema in (
        SendMessageSchema,
        EditMessageSchema,
        DeleteMessageSchema,
        ReactSchema,
        SetTypingSchema,
        MarkReadSchema,
        GetHistorySchema,
        JoinSchema,
        LeaveSchema,
        AuthenticateSchema,
        PingSchema,
    )
}
"""Command type to the schema that loads it."""

# --- what the server says -----------------------------------------------------------------------


def required_text(**kwargs: Any) -> fields.String:
    """Text that the server always sends."""
    return fields.String(required=True, **kwargs)


def timestamp(**kwargs: Any) -> fields.String:
    """RFC 3339, UTC, milliseconds."""
    return fields.String(
        required=True,
        validate=validate.Regexp(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"),
        metadata={"format": "date-time", **kwargs.pop("metadata", {})},
        **kwargs,
    )


class DurableEventSchema(WireSchema):
    """Base of the events that stand in a log."""

    session_id = required_text()
    seq = WholeNumber(required=True, minimum=1)
    id = required_text()
    sender_id = required_text()
    created_at = timestamp()


class MessageSchema(DurableEventSchema):
    """A message was sent."""

    sender_name = required_text()
    content = required_text()
    client_message_id = required_text()
    reply_to = fields.String()
    mentions = fields.List(fields.String(), required=True)
    attachments = fields.List(fields.Nested(AttachmentSchema), required=True)


class MessageUpdatedSchema(DurableEventSchema):
    """A message has a new text."""

    message_id = required_text()
    content = required_text()


class MessageDeletedSchema(DurableEventSchema):
    """A message was taken back."""

    message_id = required_text()


class ReactionSchema(DurableEventSchema):
    """A reaction to a message came or went."""

    message_id = required_text()
    emoji = required_text()
    action = required_text(validate=validate.OneOf(["added", "removed"]))


class MemberChangedSchema(DurableEventSchema):
    """Someone became a member, left, was removed, or has another role."""

    account_id = required_text()
    display_name = required_text()
    role = required_text(validate=validate.OneOf(["owner", "admin", "member"]))
    action = required_text(validate=validate.OneOf(["joined", "left", "removed", "role"]))


class SessionUpdatedSchema(DurableEventSchema):
    """The session has another title."""

    title = required_text()


class TypingSchema(WireSchema):
    """Someone is typing, or stopped."""

    session_id = required_text()
    account_id = required_text()
    is_typing = StrictBoolean(required=True)


class PresenceSchema(WireSchema):
    """Someone came online in a session, or went."""

    session_id = required_text()
    account_id = required_text()
    status = required_text(validate=validate.OneOf(["online", "offline"]))
    last_seen_at = fields.String(metadata={"format": "date-time"})


class ReceiptViewSchema(WireSchema):
    """How far a member has read and received."""

    account_id = required_text()
    read_seq = WholeNumber(required=True)
    delivered_seq = WholeNumber(required=True)


class ReceiptSchema(ReceiptViewSchema):
    """How far someone has read and received."""

    session_id = required_text()


class ReadySchema(WireSchema):
    """The connection is authenticated; commands are taken."""

    connection_id = required_text()
    account_id = required_text()
    server_time = timestamp()
    heartbeat_ms = WholeNumber(required=True)
    limits = fields.Dict(keys=fields.String(), values=WholeNumber(), required=True)


class MemberViewSchema(WireSchema):
    """A member as others see them."""

    account_id = required_text()
    display_name = required_text()
    role = required_text(validate=validate.OneOf(["owner", "admin", "member"]))


class JoinedSchema(WireSchema):
    """The connection is in a session's room."""

    session_id = required_text()
    seq = WholeNumber(required=True, metadata={"description": "The log's head at this moment."})
    recovered = StrictBoolean(
        required=True,
        metadata={"description": "All that came after the given lastSeq follows now."},
    )
    members = fields.List(fields.Nested(MemberViewSchema), required=True)
    online = fields.List(fields.String(), required=True)
    receipts = fields.List(fields.Nested(ReceiptViewSchema), required=True)


class MessageAckSchema(WireSchema):
    """What the ack of `message` carries."""

    id = required_text()
    seq = WholeNumber(required=True, minimum=1)
    created_at = timestamp()
    duplicate = StrictBoolean(required=True)


class SeqAckSchema(WireSchema):
    """What the acks of `join`, `leave`, `edit`, `delete` and `react` carry."""

    seq = WholeNumber(required=True)


class ReadAckSchema(WireSchema):
    """What the ack of `read` carries."""

    read_seq = WholeNumber(required=True)


class StoredMessageSchema(MessageSchema):
    """A message as `history` and REST list it: the event with its type."""

    type = required_text(validate=validate.Equal("message"))


class HistoryAckSchema(WireSchema):
    """What the ack of `history` carries; oldest first."""

    messages = fields.List(fields.Nested(StoredMessageSchema), required=True)
    has_more = StrictBoolean(required=True)


class AuthenticateAckSchema(WireSchema):
    """What the ack of `authenticate` carries."""

    expires_at = timestamp()


ACKS: Final[Mapping[str, WireSchema]] = {
    "message": MessageAckSchema(),
    "edit": SeqAckSchema(),
    "delete": SeqAckSchema(),
    "react": SeqAckSchema(),
    "read": ReadAckSchema(),
    "history": HistoryAckSchema(),
    "join": SeqAckSchema(),
    "leave": SeqAckSchema(),
    "authenticate": AuthenticateAckSchema(),
}
"""Command type to what stands in its ack beside `type` and `ref`."""


class ErrorSchema(WireSchema):
    """A command was refused, or the connection is about to be closed."""

    ref = RefField()
    code = required_text(validate=validate.OneOf(sorted(REGISTRY)))
    message = required_text()
    retryable = StrictBoolean(required=True)
    retry_after_ms = WholeNumber()
    details = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class PongSchema(WireSchema):
    """The answer to `ping`."""

    ref = RefField()
    server_time = timestamp()


DURABLE_EVENTS: Final[Mapping[str, WireSchema]] = {
    events.Message.type: MessageSchema(),
    events.MessageUpdated.type: MessageUpdatedSchema(),
    events.MessageDeleted.type: MessageDeletedSchema(),
    events.Reaction.type: ReactionSchema(),
    events.MemberChanged.type: MemberChangedSchema(),
    events.SessionUpdated.type: SessionUpdatedSchema(),
}
"""Type of each event that stands in a log to its shape."""

EPHEMERAL_EVENTS: Final[Mapping[str, WireSchema]] = {
    events.Ready.type: ReadySchema(),
    events.Joined.type: JoinedSchema(),
    events.Typing.type: TypingSchema(),
    events.Presence.type: PresenceSchema(),
    events.Receipt.type: ReceiptSchema(),
}
"""Type of each event that is gone once said to its shape."""

REPLIES: Final[Mapping[str, WireSchema]] = {
    events.Error.type: ErrorSchema(),
    events.Pong.type: PongSchema(),
}
"""Type of each answer but `ack` (see `ACKS`) to its shape."""
