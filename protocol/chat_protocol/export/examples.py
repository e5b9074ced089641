"""One conversation, told in examples: each object as it stands on the wire.

Mina and Jun share a session. The documents show these; the tests load every one with its schema.
"""

from collections.abc import Mapping
from typing import Any, Final

from chat_protocol import limits
from chat_protocol.errors import REGISTRY

Example = Mapping[str, Any]

SESSION: Final = "019a6f2c4e103f7b9d52c8a1e0b4d6f3"
MINA: Final = "019a6f2c1a88b04e6c17d95f3a2e8b70"
JUN: Final = "019a6f2c2bd4e95a07c3f1886d4b2a9e"
MESSAGE: Final = "019a6f3010c2a8e4d7b35f90c61e2d84"
LATER: Final = "019a6f30b1f46e0d2c98a7351bf4e6c9"
AT: Final = "2026-11-24T09:30:00.000Z"
LATER_AT: Final = "2026-11-24T09:30:41.250Z"
TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlhNmYyYyJ9.signature"  # noqa: S105

COMMANDS: Final[Mapping[str, Example]] = {
    "message": {
        "type": "message",
        "sessionId": SESSION,
        "content": "테스트 메시지",
        "clientMessageId": "c0a8-0001",
        "ref": 1,
    },
    "edit": {"type": "edit", "messageId": MESSAGE, "content": "고친 메시지", "ref": 2},
    "delete": {"type": "delete", "messageId": MESSAGE, "ref": 3},
    "react": {"type": "react", "messageId": MESSAGE, "emoji": "👍", "ref": 4},
    "typing": {"type": "typing", "sessionId": SESSION, "isTyping": True},
    "read": {"type": "read", "seq": 7, "ref": 5},
    "history": {"type": "history", "before": 8, "limit": 1, "ref": 6},
    "join": {"type": "join", "sessionId": SESSION, "lastSeq": 5, "ref": 7},
    "leave": {"type": "leave", "sessionId": SESSION, "ref": 8},
    "authenticate": {"type": "authenticate", "token": TOKEN, "ref": 9},
    "ping": {"type": "ping", "ref": 10},
}
"""Command type to an example of it."""


def _durable(
    kind: str, seq: int, event_id: str, at: str, sender: str = MINA, **said: object
) -> Example:
    place = {"sessionId": SESSION, "seq": seq, "id": event_id}
    return {"type": kind, **place, "senderId": sender, "createdAt": at, **said}


_MESSAGE: Final = _durable(
    "message",
    7,
    MESSAGE,
    AT,
    senderName="Mina",
    content="테스트 메시지",
    clientMessageId="c0a8-0001",
    mentions=[],
    attachments=[],
)

ACKS: Final[Mapping[str, Example]] = {
    "message": {
        "type": "ack",
        "ref": 1,
        "id": MESSAGE,
        "seq": 7,
        "createdAt": AT,
        "duplicate": False,
    },
    "edit": {"type": "ack", "ref": 2, "seq": 8},
    "delete": {"type": "ack", "ref": 3, "seq": 9},
    "react": {"type": "ack", "ref": 4, "seq": 10},
    "read": {"type": "ack", "ref": 5, "readSeq": 7},
    "history": {"type": "ack", "ref": 6, "messages": [_MESSAGE], "hasMore": True},
    "join": {"type": "ack", "ref": 7, "seq": 7},
    "leave": {"type": "ack", "ref": 8, "seq": 7},
    "authenticate": {"type": "ack", "ref": 9, "expiresAt": "2026-11-24T10:30:00.000Z"},
}
"""Command type to the ack of its example."""

EVENTS: Final[Mapping[str, Example]] = {
    "message": _MESSAGE,
    "message.updated": _durable(
        "message.updated", 8, LATER, LATER_AT, messageId=MESSAGE, content="고친 메시지"
    ),
    "message.deleted": _durable("message.deleted", 9, LATER, LATER_AT, messageId=MESSAGE),
    "reaction": _durable(
        "reaction", 10, LATER, LATER_AT, JUN, messageId=MESSAGE, emoji="👍", action="added"
    ),
    "member": _durable(
        "member", 1, LATER, AT, accountId=JUN, displayName="Jun", role="member", action="joined"
    ),
    "session.updated": _durable("session.updated", 11, LATER, LATER_AT, title="점심 약속"),
    "ready": {
        "type": "ready",
        "connectionId": "019a6f30000c51d7e2b9a4f06c8d3e15",
        "accountId": MINA,
        "serverTime": AT,
        "heartbeatMs": 25000,
        "limits": limits.TOLD_TO_CLIENTS,
    },
    "joined": {
        "type": "joined",
        "sessionId": SESSION,
        "seq": 7,
        "recovered": True,
        "members": [
            {"accountId": MINA, "displayName": "Mina", "role": "owner"},
            {"accountId": JUN, "displayName": "Jun", "role": "member"},
        ],
        "online": [MINA],
        "receipts": [
            {"accountId": MINA, "readSeq": 7, "deliveredSeq": 7},
            {"accountId": JUN, "readSeq": 5, "deliveredSeq": 5},
        ],
    },
    "typing": {"type": "typing", "sessionId": SESSION, "accountId": JUN, "isTyping": True},
    "presence": {
        "type": "presence",
        "sessionId": SESSION,
        "accountId": JUN,
        "status": "offline",
        "lastSeenAt": LATER_AT,
    },
    "receipt": {
        "type": "receipt",
        "sessionId": SESSION,
        "accountId": JUN,
        "readSeq": 7,
        "deliveredSeq": 7,
    },
}
"""Event type to an example of it."""

_HINTS: Final[Mapping[str, Example]] = {
    "validation_failed": {"details": {"content": ["Shorter than minimum length 1."]}},
    "session_required": {
        "details": {"sessionId": ["Needed unless exactly one session is joined."]}
    },
    "rate_limited": {"retryAfterMs": 50},
    "server_draining": {"retryAfterMs": limits.DRAIN_RETRY_AFTER_MS},
}


def error(code: str) -> Example:
    """The `error` object of a code."""
    spec = REGISTRY[code]
    return {
        "type": "error",
        "ref": 1,
        "code": code,
        "message": spec.message,
        "retryable": spec.retryable,
        **_HINTS.get(code, {}),
    }


REPLIES: Final[Mapping[str, Example]] = {
    "error": error("validation_failed"),
    "pong": {"type": "pong", "ref": 10, "serverTime": AT},
}
"""Reply type to an example of it."""

AUTH: Final[Example] = {"token": TOKEN, "sessionId": SESSION, "lastSeq": 5}
"""The `auth` object of a Socket.IO client."""
