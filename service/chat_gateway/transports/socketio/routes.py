"""The Socket.IO endpoint: what HTTP sees of it, before a packet is looked at."""

from typing import Final

from aiohttp import hdrs, web

from chat_gateway.handlers.services import Services
from chat_gateway.transports.bodies import read_body
from chat_gateway.transports.handshake import wants_upgrade
from chat_gateway.transports.origins import Origins
from chat_gateway.transports.socketio.engine import POSTED
from chat_gateway.transports.socketio.server import ChatServer
from chat_protocol.errors import ProtocolError

PATH: Final = "/socket.io/"


def add_routes(app: web.Application, services: Services, origins: Origins) -> None:
    """Serve Socket.IO clients, by WebSocket and by polling."""
    server = ChatServer(services)

    async def handle(request: web.Request) -> web.StreamResponse:
        origins.check(request)
        if "j" in request.query:
            raise ProtocolError("bad_request", "JSONP is not served.")
        if request.query.get("transport") == "websocket" and not wants_upgrade(request):
            raise ProtocolError("upgrade_required")
        if request.method == hdrs.METH_POST:
            # python-engineio would read what happens to be there.
            request[POSTED] = await read_body(request)
        try:
            response: web.StreamResponse = await server.handle_request(request)
        except KeyError:
            # A connection that ended between two looks of python-engineio at its list.
            raise ProtocolError("bad_request", "This connection has ended.") from None
        return response

    for method in (hdrs.METH_GET, hdrs.METH_POST, hdrs.METH_OPTIONS):
        app.router.add_route(method, PATH, handle)
