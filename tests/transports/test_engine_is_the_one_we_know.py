"""`transports/socketio/engine.py` replaces methods of python-engineio and python-socketio.

What they do was read in the versions pinned here. When one of them changes, this fails: read the
new text, carry over what matters, then put the new digest here.
"""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import engineio
import pytest
import socketio
from aiohttp.web_protocol import RequestHandler
from engineio.async_socket import AsyncSocket
from engineio.base_server import BaseServer

REPLACED: dict[str, tuple[Callable[..., Any], str]] = {
    "AsyncServer._handle_connect": (engineio.AsyncServer._handle_connect, "5bd7edc1d1ae115a"),
    "AsyncServer.handle_request": (engineio.AsyncServer.handle_request, "1a8c878e35166cfe"),
    "BaseServer._get_socket": (BaseServer._get_socket, "ae2f99e66d632944"),
    "AsyncSocket._websocket_handler": (AsyncSocket._websocket_handler, "27f120df4d717a24"),
    "AsyncSocket.handle_get_request": (AsyncSocket.handle_get_request, "05eaae9f0a60d9be"),
    "AsyncSocket.handle_post_request": (AsyncSocket.handle_post_request, "82dca119a261a959"),
    "AsyncSocket.poll": (AsyncSocket.poll, "826f58a9f3606db2"),
    "AsyncSocket.close": (AsyncSocket.close, "faa2e93902543244"),
    "AsyncSocket.schedule_ping": (AsyncSocket.schedule_ping, "fe316639159cd70d"),
    "socketio.AsyncServer._handle_connect": (
        socketio.AsyncServer._handle_connect,
        "c97c480cf777de36",
    ),
    "socketio.AsyncServer._handle_eio_message": (
        socketio.AsyncServer._handle_eio_message,
        "bef50fc0e1635921",
    ),
    "socketio.AsyncServer._handle_eio_disconnect": (
        socketio.AsyncServer._handle_eio_disconnect,
        "9344593148b66fd9",
    ),
    "aiohttp RequestHandler.set_parser": (RequestHandler.set_parser, "bb548eb2b85d5c28"),
    "aiohttp RequestHandler.connection_lost": (RequestHandler.connection_lost, "df2fe6e95fd04c7c"),
}


@pytest.mark.parametrize("name", REPLACED)
def test_a_method_that_is_replaced_here_is_as_it_was_read(name: str) -> None:
    method, digest = REPLACED[name]
    now = hashlib.sha256(inspect.getsource(method).encode()).hexdigest()[:16]
    assert now == digest, f"{name} changed in the library: read it again"
