"""The message that everybody is sent, the same for all servers.

The gateway makes its event from what a client sends; a peer, which only passes on, is sent the
whole event by the client, so that all deliver the same fields and as many bytes.
"""

from functools import lru_cache

from bench.plan import CONTENT, MARK
from chat_gateway.clock import SystemClock
from chat_gateway.domain.ids import new_id
from chat_gateway.domain.timestamps import rfc3339
from chat_protocol.codec import encode
from chat_protocol.events import Message


def event(*, session_id: str, sender_id: str, number: int, content: str) -> Message:
    """A message as the gateway makes it; `number` tells those of one millisecond apart."""
    now_ms = SystemClock().now_ms()
    message_id = new_id(now_ms)
    return Message(
        session_id=session_id,
        id=message_id,
        sender_id=sender_id,
        sender_name="Mina Kim",
        content=content,
        client_message_id=f"{message_id[:-8]}{number:08x}",
        created_at=rfc3339(now_ms),
    )


@lru_cache
def passed_on() -> str:
    """The event as JSON, with the mark's place in its content and a seq as long as real ones."""
    now_ms = SystemClock().now_ms()
    message = event(session_id=new_id(now_ms), sender_id=new_id(now_ms), number=1, content=CONTENT)
    text = encode(message).decode()
    assert text.count(MARK) == 1
    return text.replace("{", '{"seq":12345,', 1)


def command() -> str:
    """What a client of the gateway sends, without the type."""
    return f'"content":"{CONTENT}"'
