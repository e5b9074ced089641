"""Every error as RFC 9457 says: `application/problem+json`, with the code that sockets use.

One middleware stands around all paths of the application, so that nothing that goes wrong leaves
in another form; it counts requests as well.
"""

import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from chat_gateway.metrics import Metrics
from chat_protocol import codec
from chat_protocol.errors import ProtocolError

log = structlog.get_logger()

PROBLEM: Final = "application/problem+json"

_CODES_BY_STATUS: Final = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    426: "upgrade_required",
    429: "rate_limited",
    503: "server_draining",
}
"""What aiohttp itself may refuse with; any other 4xx is a bad request."""

_METHODS: Final = frozenset({*hdrs.METH_ALL} - {hdrs.METH_ANY})


def problem_value(refusal: ProtocolError, public_url: str) -> dict[str, Any]:
    """The problem object of a refusal."""
    value: dict[str, Any] = {
        "type": f"{public_url}/docs#error-{refusal.code}",
        "title": refusal.spec.message,
        "status": refusal.spec.http_status,
        "detail": refusal.message,
        "code": refusal.code,
        "retryable": refusal.spec.retryable,
    }
    if refusal.retry_after_ms is not None:
        value["retryAfterMs"] = refusal.retry_after_ms
    if refusal.details is not None:
        value["details"] = refusal.details
    return value


class _LastWord(web.Response):
    """A response after which the connection is cut.

    aiohttp would wait another ten seconds for the rest of a body that does not come.
    """

    def __init__(self, request: web.Request, **options: Any) -> None:
        super().__init__(**options)
        self.force_close()
        self._cut = request.protocol.force_close

    async def write_eof(self, data: bytes = b"") -> None:
        """Write what is left, then cut."""
        await super().write_eof(data)
        self._cut()


def problem(request: web.Request, refusal: ProtocolError, public_url: str) -> web.Response:
    """The response of a refusal, with the headers that its status asks for."""
    make = partial(_LastWord, request) if refusal.code == "request_timeout" else web.Response
    response = make(
        status=refusal.spec.http_status,
        body=codec.encode_value(problem_value(refusal, public_url)),
        content_type=PROBLEM,
    )
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    if refusal.retry_after_ms is not None:
        response.headers[hdrs.RETRY_AFTER] = str(math.ceil(refusal.retry_after_ms / 1000))
    if refusal.spec.http_status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = (
            'Bearer realm="chat"'
            if refusal.code in ("unauthenticated", "invalid_credentials")
            else 'Bearer realm="chat", error="invalid_token"'
        )
    if refusal.code == "upgrade_required":
        # RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
        response.headers[hdrs.UPGRADE] = "websocket"
        response.headers[hdrs.CONNECTION] = "Upgrade"
        response.headers[hdrs.SEC_WEBSOCKET_VERSION] = "13"
    if refusal.code == "payload_too_large":
        # What is still to come is read for a while and thrown away, else the answer gets lost.
        response.force_close()
    return response


def answer_problems(metrics: Metrics, public_url: str) -> Middleware:
    """The middleware: what is raised becomes a problem, and each answer is counted."""

    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            response = await handler(request)
        except ProtocolError as refusal:
            response = _refuse(request, refusal)
        except web.HTTPException as raised:
            if raised.status < 400:
                raise
            code = _CODES_BY_STATUS.get(raised.status)
            if code is None:
                code = "bad_request" if raised.status < 500 else "internal"
            response = _refuse(request, ProtocolError(code))
            if hdrs.ALLOW in raised.headers:
                response.headers[hdrs.ALLOW] = raised.headers[hdrs.ALLOW]
        except ConnectionError:
            # The client went away; nobody is there to be answered.
            raise
        except Exception:
            log.exception("Request failed", method=request.method, route=_route(request))
            response = _refuse(request, ProtocolError("internal"))
        if not response.prepared:
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
        method = request.method if request.method in _METHODS else "other"
        metrics.requests.labels(method, _route(request), str(response.status)).inc()
        return response

    def _refuse(request: web.Request, refusal: ProtocolError) -> web.Response:
        metrics.errors.labels(refusal.code).inc()
        log.debug("Refused", method=request.method, route=_route(request), code=refusal.code)
        return problem(request, refusal, public_url)

    return middleware


def _route(request: web.Request) -> str:
    """The pattern that the request met, never its path: there are only so many patterns."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"
