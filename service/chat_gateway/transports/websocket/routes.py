"""The raw endpoint: from a handshake to a conversation.

A browser cannot read why a handshake failed, so whatever is wrong with the query, the token or the
membership is said after the upgrade: an `error` object, then a close with its code. Only a request
that is no handshake, or comes from a forbidden Origin, is answered in HTTP.
"""

from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from aiohttp import web

from chat_gateway.domain.ids import new_id
from chat_gateway.handlers.conversation import Conversation, Reply
from chat_gateway.handlers.services import Services
from chat_gateway.transports.credentials import SUBPROTOCOL, token_of
from chat_gateway.transports.framing import FrameError
from chat_gateway.transports.handshake import Upgraded, upgrade
from chat_gateway.transports.link import Link
from chat_gateway.transports.origins import Origins
from chat_gateway.transports.websocket.peer import RawPeer
from chat_protocol.codec import decode_raw
from chat_protocol.connecting import Opening, opening_from_query
from chat_protocol.errors import ProtocolError
from chat_protocol.events import Ack

PATH: Final = "/ws/chat"
_FRAME_ERRORS: Final = {1003: "unsupported_data", 1009: "payload_too_large"}


def add_routes(app: web.Application, services: Services, origins: Origins) -> None:
    """Serve the raw endpoint."""

    async def connect(request: web.Request) -> web.StreamResponse:
        origins.check(request)
        link = upgrade(request, protocols=(SUBPROTOCOL,))
        await _converse(request, link, services)
        return Upgraded()

    app.router.add_get(PATH, connect, allow_head=False)


class _Listener:
    """What a link reports, for one connection."""

    __slots__ = ("_conversation", "_link", "_peer")

    def __init__(self, peer: RawPeer, link: Link, conversation: Conversation) -> None:
        self._peer = peer
        self._link = link
        self._conversation = conversation

    def message(self, text: bytes) -> Coroutine[Any, Any, None] | None:
        """A command."""
        return self._conversation.take(partial(decode_raw, text), partial(_answer, self._peer))

    def pinged(self) -> bool:
        """A ping or pong counts as a command does."""
        return self._conversation.within_rate()

    def broken(self, error: FrameError) -> None:
        """Close as RFC 6455 says; where the protocol has words for it, with them."""
        code = _FRAME_ERRORS.get(error.code)
        if code is not None:
            self._peer.end(ProtocolError(code, error.reason))
        else:
            self._peer.ended = True
            self._link.close(error.code)

    def lost(self) -> None:
        """Nobody is there any more."""
        self._conversation.close(self._link.close_code)


async def _converse(request: web.Request, link: Link, services: Services) -> None:
    """Open a conversation; the link carries it on."""
    peer = RawPeer(
        link,
        new_id(services.clock.now_ms()),
        address=request.remote or "",
        opened_s=services.clock.monotonic_s(),
        heartbeat_s=services.settings.heartbeat_s,
    )
    conversation = Conversation(services, peer)
    try:
        try:
            conversation.arrive()
            await conversation.open(_opening(request))
        except ProtocolError as refusal:
            peer.end(refusal)
        else:
            await conversation.begin()
    finally:
        link.start(_Listener(peer, link, conversation))


def _answer(peer: RawPeer, reply: Reply) -> None:
    """An ack goes out only where the client can tell what it answers."""
    if not isinstance(reply, Ack) or reply.ref is not None:
        peer.say(reply)


def _opening(request: web.Request) -> Opening:
    """The query, and a token from beside it where it has none.

    Raises `ProtocolError("validation_failed")`.
    """
    return opening_from_query(request.query).with_token(token_of(request))
