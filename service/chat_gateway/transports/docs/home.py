"""The page at `/`: what runs here, and where to go."""

from collections.abc import Mapping
from typing import Any, Final

from chat_gateway.transports.docs.guides import GUIDES
from chat_gateway.transports.docs.layout import Page
from chat_gateway.transports.docs.markup import Html, code, join, link, listing, prose, table
from chat_gateway.transports.docs.sockets import socket_address

_LINKS: Final = (
    ("docs", "Socket protocol", "Every command, event, error and close code, with examples."),
    ("docs/rest", "REST API", "Accounts, sessions, members, history; try each call."),
    *((guide.path, guide.title, guide.about) for guide in GUIDES),
    ("healthz", "Health", "Is the process alive?"),
    ("readyz", "Readiness", "Is every part of it ready?"),
    ("metrics", "Metrics", "Counters for Prometheus."),
    ("asyncapi.json", "asyncapi.json", "The socket protocol for machines."),
    ("openapi.json", "openapi.json", "The REST API for machines."),
)


def page(asyncapi: Mapping[str, Any], openapi: Mapping[str, Any]) -> Page:
    """The page of a server that these two documents describe."""
    ws = socket_address(asyncapi)
    http = str(openapi["servers"][0]["url"])
    return Page(
        path="",
        title="Overview",
        body=join(
            [
                Html("<h1>chat-gateway is running</h1>"),
                Html(f'<p class="lead">{prose(openapi["info"]["description"])}</p>'),
                table(
                    ("Wire", "Address"),
                    [
                        (Html("Raw WebSocket"), code(f"{ws}/ws/chat")),
                        (Html("Socket.IO"), code(f"{http}/socket.io/")),
                        (Html("REST"), code(f"{http}/api")),
                    ],
                ),
                Html("<h2>A first chat</h2>"),
                Html(
                    "<p>This makes two accounts that share a session, and prints lines to paste "
                    "for Postman, WebSocket King, <code>wscat</code>, <code>curl</code> and "
                    "Socket.IO:</p>"
                ),
                listing(f"chat-gateway demo --url {http}"),
                Html("<h2>Where to go</h2>"),
                Html(
                    '<ul class="cards">'
                    + "".join(
                        f"<li>{link(title, path)}<span>{prose(text)}</span></li>"
                        for path, title, text in _LINKS
                    )
                    + "</ul>"
                ),
            ]
        ),
    )
