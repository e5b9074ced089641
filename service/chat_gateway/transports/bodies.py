"""Reading a body: no further than the limit, and no longer than its time (aiohttp has neither)."""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from chat_protocol import limits
from chat_protocol.errors import ProtocolError

BODY_WITHIN_S: Final = 10.0


async def read_body(request: web.Request) -> bytes:
    """The whole body, of `limits.FRAME_MAX_BYTES` at most.

    Raises `payload_too_large`, `request_timeout`, and `bad_request` where it breaks off.
    """
    if (request.content_length or 0) > limits.FRAME_MAX_BYTES:
        raise ProtocolError("payload_too_large")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limits.FRAME_MAX_BYTES:
                    raise ProtocolError("payload_too_large")
    except TimeoutError:
        raise ProtocolError("request_timeout") from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise ProtocolError("bad_request", "The body does not end as it was announced.") from None
    return bytes(body)
