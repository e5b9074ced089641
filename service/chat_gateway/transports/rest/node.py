"""Operations for whoever runs the node: is it alive, is it ready, how is it."""

from typing import Final

from chat_gateway.transports.rest.operations import Answer, Call, answer
from chat_protocol import limits
from chat_protocol.errors import ProtocolError

EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"


async def health(call: Call) -> Answer:
    """The process answers."""
    return answer({"status": "ok"})


async def readiness(call: Call) -> Answer:
    """Whether the node should be sent traffic. A refusal's details name the parts at fault."""
    node = call.services.readiness
    parts = await node.check()
    faults = {part: [state] for part, state in parts.items() if state != "ok"}
    if faults:
        raise ProtocolError(
            "server_draining" if node.draining else "store_unavailable",
            details=faults,
            retry_after_ms=limits.DRAIN_RETRY_AFTER_MS,
        )
    return answer({"status": "ok", "parts": parts})


async def metrics(call: Call) -> Answer:
    """The counters, in Prometheus' text format."""
    return Answer(body=call.services.metrics.exposition(), media_type=EXPOSITION)
