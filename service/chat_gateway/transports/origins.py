"""Which web pages may use this server: one rule for REST and both sockets.

A browser sends `Origin`; a script or an app sends none and is not bound by it. Pages of this
server itself are always welcome.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from chat_protocol.errors import ProtocolError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANY: Final = "*"
LOCALHOST: Final = "localhost"
"""The word for every localhost origin, whatever its port; what a developer needs."""

_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_METHODS: Final = "GET, POST, PUT, PATCH, DELETE"
_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key"
_PREFLIGHT_SECONDS: Final = "600"


class Origins:
    """The allow-list. An entry is an origin, `LOCALHOST`, or `ANY`."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._exact = frozenset(allowed)

    def allows(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may use the server that was called by the name `host`."""
        if ANY in self._exact or origin in self._exact:
            return True
        try:
            parts = urlsplit(origin)
            name = parts.hostname
        except ValueError:
            return False
        if parts.scheme not in {"http", "https"}:
            return False
        return parts.netloc == host or (LOCALHOST in self._exact and name in _LOCAL_NAMES)

    def check(self, request: web.Request) -> None:
        """Raises `origin_forbidden` where the request comes from a page that may not be here."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not self.allows(origin, request.host):
            raise ProtocolError("origin_forbidden")

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """CORS (Fetch standard): preflights answered, allowed origins named in each response."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return await handler(request)
        allowed = self.allows(origin, request.host)
        if (
            request.method == hdrs.METH_OPTIONS
            and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        ):
            response: web.StreamResponse = web.Response(status=204 if allowed else 403)
            if allowed:
                response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _METHODS
                response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = _HEADERS
                response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = _PREFLIGHT_SECONDS
        else:
            response = await handler(request)
        response.headers[hdrs.VARY] = hdrs.ORIGIN
        if allowed and not response.prepared:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Retry-After"
        return response
