"""Operations of a session's messages and its log."""

from chat_gateway.transports.rest.operations import Answer, Call, answer
from chat_gateway.transports.rest.views import page_view
from chat_protocol import limits
from chat_protocol.errors import ProtocolError


async def send_message(call: Call) -> Answer:
    """Store and broadcast a message; what comes back are the bytes that everyone gets."""
    services = call.services
    if services.readiness.draining:
        raise ProtocolError("server_draining", retry_after_ms=limits.DRAIN_RETRY_AFTER_MS)
    client_message_id = _client_message_id(call)
    _keep_to_rate(call)
    body = call.body
    appended = await services.messages.send(
        call.caller,
        call.path["session_id"],
        content=body["content"],
        client_message_id=client_message_id,
        reply_to=body.get("reply_to"),
        mentions=tuple(body.get("mentions", ())),
        attachments=tuple(body.get("attachments", ())),
    )
    return Answer(status=200 if appended.duplicate else 201, body=appended.record.wire)


def _client_message_id(call: Call) -> str | None:
    """The key, said in the body or by the header; both may say the same."""
    in_body: str | None = call.body.get("client_message_id")
    in_header: str | None = call.headers.get("client_message_id")
    if in_body is not None and in_header is not None and in_body != in_header:
        raise ProtocolError(
            "validation_failed", details={"clientMessageId": ["Idempotency-Key says another."]}
        )
    return in_body if in_body is not None else in_header


def _keep_to_rate(call: Call) -> None:
    """Raises `rate_limited` where the account sends more than it may."""
    rate = call.api.messages_rate
    if rate is None:
        return
    wait_s = rate.take(call.caller.account_id, call.services.clock.monotonic_s())
    if wait_s:
        raise ProtocolError("rate_limited", retry_after_ms=int(wait_s * 1000) + 1)


async def list_messages(call: Call) -> Answer:
    """A page of messages."""
    query = call.query
    page = await call.services.messages.history(
        call.caller,
        call.path["session_id"],
        before=query.get("before"),
        after=query.get("after"),
        limit=query.get("limit"),
    )
    return answer(page_view("messages", page))


async def list_events(call: Call) -> Answer:
    """A page of durable events."""
    page = await call.services.messages.events(
        call.caller,
        call.path["session_id"],
        after=call.query["after"],
        limit=call.query.get("limit"),
    )
    return answer(page_view("events", page))


async def mark_read(call: Call) -> Answer:
    """Say how far one has read."""
    read_seq = await call.services.messages.mark_read(
        call.caller, call.path["session_id"], call.body["seq"]
    )
    return answer({"readSeq": read_seq})
