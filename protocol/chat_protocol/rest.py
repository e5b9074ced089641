"""marshmallow schemas of what REST takes and returns (which path takes what: `transports/rest`).

Shapes that also stand on a socket (a message, a member) come from `schemas`.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, ValidationError, fields, validate, validates_schema

from chat_protocol import limits
from chat_protocol.errors import REGISTRY
from chat_protocol.fields import StrictBoolean, Text, WholeNumber, WireSchema, identifier
from chat_protocol.schemas import (
    DURABLE_EVENTS,
    AttachmentSchema,
    DurableEventSchema,
    MemberViewSchema,
    StoredMessageSchema,
    client_message_id_field,
    content_field,
    required_text,
    timestamp,
)

ROLES = ("owner", "admin", "member")


class QueryNumber(fields.Integer):
    """A whole number in a query string: ASCII digits only (`int()` also takes `١٢` and `1_0`)."""

    def __init__(self, *, minimum: int = 0, maximum: int = limits.INTEGER_MAX, **kwargs: Any):
        super().__init__(validate=validate.Range(min=minimum, max=maximum), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise self.make_error("invalid")
        if len(value) > len(str(limits.INTEGER_MAX)):
            raise self.make_error("too_large")
        return super()._deserialize(value, attr, data, **kwargs)


def email_field() -> Text:
    """An email address."""
    return Text(
        required=True,
        max_chars=limits.EMAIL_MAX_CHARS,
        rules=[validate.Email()],
        metadata={"format": "email", "example": "mina@example.com"},
    )


def password_field(min_chars: int) -> Text:
    """A password; never sent back."""
    return Text(
        required=True,
        load_only=True,
        min_chars=min_chars,
        max_chars=limits.PASSWORD_MAX_CHARS,
        metadata={"format": "password", "example": "correct horse battery"},
    )


def title_field(**kwargs: Any) -> Text:
    """A session's title."""
    return Text(
        min_chars=1,
        max_chars=limits.TITLE_MAX_CHARS,
        metadata={"example": "점심 약속"},
        **kwargs,
    )


class SessionPath(WireSchema):
    """Which session."""

    session_id = identifier(required=True)


class MemberPath(SessionPath):
    """Which member of which session."""

    account_id = identifier(required=True)


class InvitePath(WireSchema):
    """Which invite."""

    code = identifier(required=True)


class SignUpBody(WireSchema):
    """Make an account."""

    email = email_field()
    password = password_field(limits.PASSWORD_MIN_CHARS)
    display_name = Text(
        required=True,
        min_chars=1,
        max_chars=limits.DISPLAY_NAME_MAX_CHARS,
        metadata={"example": "Mina"},
    )


class LogInBody(WireSchema):
    """Say who one is."""

    email = Text(
        required=True,
        min_chars=1,
        max_chars=limits.EMAIL_MAX_CHARS,
        metadata={"example": "mina@example.com"},
    )
    password = password_field(1)


class RefreshBody(WireSchema):
    """Trade a refresh token for a new pair."""

    refresh_token = Text(required=True, min_chars=1, max_chars=limits.TOKEN_MAX_CHARS)


class NewSessionBody(WireSchema):
    """Make a session."""

    title = title_field()


class RenameSessionBody(WireSchema):
    """Give a session another title."""

    title = title_field(required=True)


class AddMemberBody(WireSchema):
    """Make an account a member."""

    email = email_field()


class ChangeRoleBody(WireSchema):
    """Give a member another role."""

    role = Text(required=True, max_chars=16, rules=[validate.OneOf(ROLES)])


class NewMessageBody(WireSchema):
    """Send a message."""

    content = content_field()
    client_message_id = client_message_id_field()
    reply_to = identifier(metadata={"example": "019a6f3010c2a8e4d7b35f90c61e2d84"})
    mentions = fields.List(
        identifier(),
        validate=validate.Length(max=limits.MENTIONS_MAX),
        metadata={"example": []},
    )
    attachments = fields.List(
        fields.Nested(AttachmentSchema),
        validate=validate.Length(max=limits.ATTACHMENTS_MAX),
        metadata={"example": []},
    )


class IdempotencyHeader(WireSchema):
    """The header way to say `clientMessageId`."""

    client_message_id = client_message_id_field(data_key="Idempotency-Key")


class MarkReadBody(WireSchema):
    """Say up to which `seq` one has read."""

    seq = WholeNumber(required=True)


class MessagesQuery(WireSchema):
    """Which page of messages."""

    before = QueryNumber(minimum=1)
    after = QueryNumber()
    limit = QueryNumber(minimum=1, maximum=limits.HISTORY_LIMIT_MAX)

    @validates_schema
    def one_direction(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse `before` together with `after`."""
        if "before" in data and "after" in data:
            raise ValidationError("Give before or after, not both.", "after")


class EventsQuery(WireSchema):
    """Which page of events."""

    after = QueryNumber(load_default=0)
    limit = QueryNumber(minimum=1, maximum=limits.HISTORY_LIMIT_MAX)


class AccountView(WireSchema):
    """An account as its owner sees it."""

    id = required_text()
    email = fields.String(required=True, allow_none=True)
    display_name = required_text()
    created_at = timestamp()


class TokensView(WireSchema):
    """What sign-up, log-in and refresh return."""

    token = required_text(metadata={"description": "JWT for `Authorization: Bearer` and sockets."})
    refresh_token = required_text()
    expires_at = timestamp(metadata={"description": "When `token` expires."})
    account = fields.Nested(AccountView, required=True)


class SessionView(WireSchema):
    """A session as one of its members sees it."""

    id = required_text()
    title = required_text()
    role = required_text(validate=validate.OneOf(ROLES))
    seq = WholeNumber(required=True, metadata={"description": "The head of the log."})
    unread = WholeNumber(required=True, maximum=limits.UNREAD_COUNTED_MAX)
    last_message = fields.Nested(StoredMessageSchema, required=True, allow_none=True)
    members = fields.List(fields.Nested(MemberViewSchema), required=True)
    created_at = timestamp()


class SessionsView(WireSchema):
    """The caller's sessions, the one with the newest event first."""

    sessions = fields.List(fields.Nested(SessionView), required=True)


class InviteView(WireSchema):
    """An invite that anyone with an account may accept until it expires."""

    code = required_text()
    url = required_text()
    expires_at = timestamp()


class MembersView(WireSchema):
    """All members of a session."""

    members = fields.List(fields.Nested(MemberViewSchema), required=True)


class MessagesView(WireSchema):
    """A page of messages, oldest first."""

    messages = fields.List(fields.Nested(StoredMessageSchema), required=True)
    has_more = StrictBoolean(required=True)


class EventView(DurableEventSchema):
    """A durable event of any type, with the fields of its type beside these."""

    class Meta:
        """What to do with the fields of the event's type."""

        unknown = INCLUDE

    type = required_text(validate=validate.OneOf(sorted(DURABLE_EVENTS)))


class EventsView(WireSchema):
    """A page of durable events, oldest first."""

    events = fields.List(fields.Nested(EventView), required=True)
    has_more = StrictBoolean(required=True)


class ReadView(WireSchema):
    """How far the caller has read."""

    read_seq = WholeNumber(required=True)


class TicketView(WireSchema):
    """A ticket that opens one connection, once."""

    ticket = required_text()
    expires_at = timestamp()


class HealthView(WireSchema):
    """The process is alive."""

    status = required_text(validate=validate.Equal("ok"))


class ReadinessView(WireSchema):
    """The node takes traffic; each of its parts is `ok`."""

    status = required_text(validate=validate.Equal("ok"))
    parts = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class ProblemView(WireSchema):
    """An error: RFC 9457 `application/problem+json`, with the code that sockets use."""

    type = required_text(metadata={"description": "A link to the code's entry in the docs."})
    title = required_text()
    status = WholeNumber(required=True)
    detail = required_text()
    code = required_text(validate=validate.OneOf(sorted(REGISTRY)))
    retryable = StrictBoolean(required=True)
    retry_after_ms = WholeNumber()
    details = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
