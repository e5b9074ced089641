"""The opening handshake of a WebSocket (RFC 6455, section 4.2): the end of aiohttp's part in it.

aiohttp has read the request. What is answered here is written past it, and the connection handed to
a link; a handler returns `Upgraded`, which says nothing more.
"""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from chat_gateway.transports.link import Link
from chat_protocol.errors import ProtocolError

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def upgrade(request: web.Request, *, protocols: Sequence[str] = ()) -> Link:
    """Answer the handshake (RFC 6455, section 4.2) and take the connection over.

    Of `protocols`, the first that the client offers is chosen. No extension is: frames go out as
    they are. Raises `upgrade_required` or `bad_request` where this is no handshake.
    """
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    headers = {
        hdrs.UPGRADE: "websocket",
        hdrs.CONNECTION: "Upgrade",
        hdrs.SEC_WEBSOCKET_ACCEPT: _accept(request),
    }
    offered = offered_protocols(request)
    chosen = next((name for name in protocols if name in offered), None)
    if chosen is not None:
        headers[hdrs.SEC_WEBSOCKET_PROTOCOL] = chosen
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    transport.write(f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n".encode("latin-1"))
    link = Link(transport)
    early = _take_over(request.protocol, transport, link)
    if early:
        asyncio.get_running_loop().call_soon(link.data_received, early)
    return link


def _take_over(http: RequestHandler, transport: asyncio.Transport, link: Link) -> bytes:
    """Let aiohttp forget the connection; returns what it has read of it already.

    Without its transport, aiohttp's protocol takes the end of the connection as come, and lets go
    of the request and of itself when the handler returns: 6 KiB for each idle connection.
    """
    early = _Early()
    http.set_parser(early)  # type: ignore[arg-type]
    transport.set_protocol(link)
    http.transport = None
    http.connection_lost(None)
    return bytes(early.data)


def offered_protocols(request: web.Request) -> list[str]:
    """The subprotocols that a client offers."""
    offered = ",".join(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, ()))
    return [name.strip() for name in offered.split(",") if name.strip()]


def wants_upgrade(request: web.Request) -> bool:
    """Whether a request asks for a WebSocket."""
    return (
        request.headers.get(hdrs.UPGRADE, "").strip().lower() == "websocket"
        and "upgrade" in request.headers.get(hdrs.CONNECTION, "").lower()
    )


def _accept(request: web.Request) -> str:
    if not wants_upgrade(request):
        raise ProtocolError("upgrade_required")
    if request.headers.get(hdrs.SEC_WEBSOCKET_VERSION) != "13":
        raise ProtocolError("upgrade_required", "Speak WebSocket version 13.")
    key = request.headers.get(hdrs.SEC_WEBSOCKET_KEY, "")
    try:
        nonce = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        nonce = b""
    if len(nonce) != 16:
        raise ProtocolError("bad_request", "Sec-WebSocket-Key is not 16 bytes in base64.")
    digest = hashlib.sha1(key.encode() + _MAGIC, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


class _Early:
    """Takes what a client sent behind its handshake, which aiohttp has already read."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Keep it."""
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Nothing to do: the link hears of it."""


class Upgraded(web.StreamResponse):
    """What a handler returns for a connection that was taken over: aiohttp has no more to say."""

    def __init__(self) -> None:
        super().__init__(status=101)
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing to write."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing to write."""
