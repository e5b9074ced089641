"""A token that comes beside the query: in a header, or as a WebSocket subprotocol.

A browser's WebSocket can set neither header nor body; what it can choose are subprotocols. It
offers two, `chat.v1` and `bearer.<token>`, and the server answers with the first.
"""

from typing import Final

from aiohttp import hdrs, web

from chat_gateway.transports.handshake import offered_protocols

SUBPROTOCOL: Final = "chat.v1"
_BEARER: Final = "bearer."


def token_of(request: web.Request) -> str | None:
    """The token in `Authorization: Bearer`, else in the subprotocols; None where neither is."""
    scheme, _, credentials = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        return credentials.strip()
    for name in offered_protocols(request):
        if name.startswith(_BEARER):
            return name.removeprefix(_BEARER)
    return None
