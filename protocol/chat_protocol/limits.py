"""The bounds of the wire, each named once.

Lengths of text are in characters (Unicode code points) unless the name says bytes.
"""

from typing import Final

FRAME_MAX_BYTES: Final = 64 * 1024
"""Largest frame or REST body taken from a client; a larger frame closes with 1009."""

JSON_MAX_DEPTH: Final = 16
"""Deepest nesting of arrays and objects in anything a client sends."""

INTEGER_MAX: Final = 2**53 - 1
"""Largest integer that every JSON reader agrees on (RFC 8259, section 6)."""

CONTENT_MAX_CHARS: Final = 4000
CLIENT_MESSAGE_ID_MAX_CHARS: Final = 64
REF_MAX_CHARS: Final = 64
ID_MAX_CHARS: Final = 64
TOKEN_MAX_CHARS: Final = 8192
EMOJI_MAX_CHARS: Final = 32
MENTIONS_MAX: Final = 50
ATTACHMENTS_MAX: Final = 10
URL_MAX_CHARS: Final = 2048
FILE_NAME_MAX_CHARS: Final = 255
MEDIA_TYPE_MAX_CHARS: Final = 127

HISTORY_LIMIT_MAX: Final = 200
HISTORY_LIMIT_DEFAULT: Final = 50

PAGE_MAX_BYTES: Final = 512 * 1024
"""Events in one page of a log, together; one event always comes, however large it is."""

TITLE_MAX_CHARS: Final = 200
DISPLAY_NAME_MAX_CHARS: Final = 80
EMAIL_MAX_CHARS: Final = 254
PASSWORD_MIN_CHARS: Final = 8
PASSWORD_MAX_CHARS: Final = 256
"""Argon2 reads every byte it is given, so the longest password bounds the work of a log-in."""

MEMBERS_SHOWN_MAX: Final = 100
"""Members listed in `joined` (and who is online) and in a session; `GET …/members` has all."""

UNREAD_COUNTED_MAX: Final = 1000
"""Unread messages are counted up to this; a session with more says this number."""

DETAILS_MAX: Final = 20
"""Fields at fault that one error names; who has more sees the first."""

BAD_INPUT_IN_A_ROW_MAX: Final = 20
"""So many bad frames one after the other close a connection with 4509."""

AUTHENTICATE_WITHIN_S: Final = 10
"""A connection without a token has so many seconds to send `authenticate`."""

TICKET_LIFETIME_S: Final = 30
"""A ticket from `POST /api/tickets` opens one connection within so many seconds."""

MESSAGES_PER_SECOND: Final = 20
"""Commands that a connection, and messages that an account over REST, may send each second."""

MESSAGES_BURST: Final = 100
"""What may be sent at once by one that was quiet."""

DRAIN_RETRY_AFTER_MS: Final = 1000
"""A client that meets a stopping server waits at least so long before it tries again."""

TOLD_TO_CLIENTS: Final = {
    "frameBytes": FRAME_MAX_BYTES,
    "contentChars": CONTENT_MAX_CHARS,
    "clientMessageIdChars": CLIENT_MESSAGE_ID_MAX_CHARS,
    "historyMessages": HISTORY_LIMIT_MAX,
    "messagesPerSecond": MESSAGES_PER_SECOND,
    "messagesBurst": MESSAGES_BURST,
}
"""What `ready` says of the limits."""
