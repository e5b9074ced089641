"""The guides: pages written by hand in `docs/`, made into HTML by `tools/generate.py`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from importlib import resources
from typing import Final

from chat_gateway.transports.docs.layout import Page
from chat_gateway.transports.docs.markup import Html

_HEADING: Final = re.compile(r'<h2 id="([^"]+)">(.*?)</h2>')
_TAG: Final = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Guide:
    """One guide: the file in `guides/`, its address, and how a link to it reads."""

    file: str
    path: str
    title: str
    about: str
    language: str = "en"


GUIDES: Final[Sequence[Guide]] = (
    Guide(
        "protocol.html",
        "docs/protocol",
        "Protocol guide",
        "Connecting, resuming, sending exactly once, when to reconnect.",
    ),
    Guide(
        "testing-guide.html",
        "docs/testing-guide",
        "Testing guide",
        "Test by hand: Postman, WebSocket King, wscat, browser, Node.",
    ),
    Guide(
        "ko/testing-guide.html",
        "docs/ko/testing-guide",
        "테스트 가이드",
        "Postman, WebSocket King, wscat, 브라우저, Node로 직접 테스트하기.",
        "ko",
    ),
)


def pages() -> list[Page]:
    """A page for each guide."""
    folder = resources.files(__package__) / "guides"
    return [_page(guide, (folder / guide.file).read_text(encoding="utf-8")) for guide in GUIDES]


def _page(guide: Guide, html: str) -> Page:
    contents = [
        (unescape(anchor), unescape(_TAG.sub("", text))) for anchor, text in _HEADING.findall(html)
    ]
    return Page(
        path=guide.path,
        title=guide.title,
        body=Html(html),
        contents=contents,
        language=guide.language,
    )
