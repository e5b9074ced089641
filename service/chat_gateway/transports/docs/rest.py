"""The page of the REST API: Swagger UI, from the package that carries it."""

from typing import Final

from chat_gateway.transports.docs.layout import Page
from chat_gateway.transports.docs.markup import Html

_BODY: Final = Html(
    '<div id="swagger-ui"></div>'
    "<noscript><p>This page needs JavaScript; the same is in "
    '<a href="../openapi.json">openapi.json</a>.</p></noscript>'
)


def page() -> Page:
    """The page."""
    return Page(
        path="docs/rest",
        title="REST API",
        body=_BODY,
        styles=["swagger-ui.css"],
        scripts=["swagger-ui-bundle.js", "rest.js"],
    )
