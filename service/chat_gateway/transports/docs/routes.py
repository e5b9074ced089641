"""Serves the pages, their assets, and the two documents that they show.

Everything is made once, when the routes are added. No page loads anything from another server, and
the policy that each is sent with forbids it.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from aiohttp import hdrs, web
from swagger_ui_bundle import swagger_ui_path

from chat_gateway.transports.docs import guides, home, rest, sockets
from chat_gateway.transports.docs.layout import render
from chat_protocol.codec import encode_value

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_DOCUMENT_HEADERS: Final = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
_ASSET_HEADERS: Final = {"Cache-Control": "max-age=3600", "Vary": "Accept-Encoding"}
_PAGE_HEADERS: Final = {
    **_DOCUMENT_HEADERS,
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_ASSETS: Final = {
    "site.css": "text/css",
    "rest.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}


def add_routes(app: web.Application, *, openapi: dict[str, Any], asyncapi: dict[str, Any]) -> None:
    """Add `/`, `/docs`, what they need, `/openapi.json` and `/asyncapi.json`."""
    version = str(openapi["info"]["version"])
    made = (home.page(asyncapi, openapi), sockets.page(asyncapi, openapi), rest.page())
    for page in (*made, *guides.pages()):
        content = _Content.of(render(page, version).encode(), "text/html")
        _add(app, f"/{page.path}", content, _PAGE_HEADERS)
    for name in _ASSETS:
        _add(app, f"/docs/assets/{name}", _asset(name), _ASSET_HEADERS)
    for name, document in (("openapi", openapi), ("asyncapi", asyncapi)):
        content = _Content.of(encode_value(document), "application/json")
        _add(app, f"/{name}.json", content, _DOCUMENT_HEADERS)


@dataclass(frozen=True, slots=True)
class _Content:
    """Something to serve, packed once: packing a megabyte would hold up every socket."""

    kind: str
    plain: bytes
    packed: bytes

    @classmethod
    def of(cls, plain: bytes, kind: str) -> "_Content":
        return cls(kind, plain, gzip.compress(plain, mtime=0))


@cache
def _asset(name: str) -> _Content:
    bundled = name.startswith("swagger-ui")
    folder = swagger_ui_path if bundled else resources.files(__package__) / "assets"
    return _Content.of((folder / name).read_bytes(), _ASSETS[name])


def _add(app: web.Application, path: str, content: _Content, headers: Mapping[str, str]) -> None:
    charset = None if content.kind == "application/json" else "utf-8"
    packed = {**headers, hdrs.CONTENT_ENCODING: "gzip"}

    async def serve(request: web.Request) -> web.Response:
        may_pack = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        return web.Response(
            body=content.packed if may_pack else content.plain,
            content_type=content.kind,
            charset=charset,
            headers=packed if may_pack else headers,
        )

    app.router.add_get(path, serve)
