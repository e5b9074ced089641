"""The REST API in the application: from a request to a call, from an answer to a response."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from aiohttp import hdrs, web

from chat_gateway.domain.caller import Caller
from chat_gateway.domain.throttle import KeyedBuckets
from chat_gateway.handlers.services import Services
from chat_gateway.transports.rest.operations import Api, Call, Loaded, Operation
from chat_gateway.transports.rest.parsing import PARSER, has_body, no_welcome_yet
from chat_gateway.transports.rest.problems import answer_problems
from chat_gateway.transports.rest.table import OPERATIONS
from chat_protocol import limits
from chat_protocol.errors import ProtocolError

_NOTHING: Final[Loaded] = {}


def add_routes(app: web.Application, services: Services) -> None:
    """Add every path of the REST API, and the middleware that answers errors on all paths."""
    api = Api(
        services=services,
        messages_rate=KeyedBuckets(limits.MESSAGES_PER_SECOND, limits.MESSAGES_BURST)
        if services.settings.rate_limits
        else None,
    )
    app.middlewares.append(answer_problems(services.metrics, services.settings.public_url))
    for operation in OPERATIONS:
        handler: Callable[[web.Request], Awaitable[web.Response]] = partial(_handle, api, operation)
        methods = [operation.method] + ([hdrs.METH_HEAD] if operation.method == "GET" else [])
        # aiohttp's own pattern leaves out braces; what an id may be is for the path's schema.
        pattern = operation.url.replace("}", ":[^/]+}")
        for method in methods:
            app.router.add_route(method, pattern, handler, expect_handler=no_welcome_yet)


async def _handle(api: Api, operation: Operation, request: web.Request) -> web.Response:
    # Who asks comes first: a stranger's body is not even read.
    caller = None if operation.public else await _authenticate(api.services, request)
    call = Call(
        api=api,
        address=request.remote or "unknown",
        authenticated=caller,
        path=await PARSER.parse(operation.path, request, location="match_info")
        if operation.path
        else _NOTHING,
        query=await PARSER.parse(operation.query, request, location="query")
        if operation.query
        else _NOTHING,
        headers=await PARSER.parse(operation.headers, request, location="headers")
        if operation.headers
        else _NOTHING,
        body=await PARSER.parse(operation.body, request, location="json")
        if operation.body and (has_body(request) or not operation.body_optional)
        else _NOTHING,
    )
    answer = await operation.run(call)
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    if answer.body:
        headers[hdrs.CONTENT_TYPE] = answer.media_type
    return web.Response(status=answer.status, body=answer.body or None, headers=headers)


async def _authenticate(services: Services, request: web.Request) -> Caller:
    """Whom the `Authorization` header speaks for. Raises as `Accounts.authenticate` does."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise ProtocolError("unauthenticated")
    if not token.isascii():
        raise ProtocolError("invalid_token")
    return await services.accounts.authenticate(token)
