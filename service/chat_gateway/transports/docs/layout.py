"""What all pages share: the head, the bar on top, the column of contents.

Links are relative, so that the pages work behind a proxy that puts them under a path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from chat_gateway.transports.docs.markup import Html

_PAGES: Final = (
    ("", "Overview"),
    ("docs", "Sockets"),
    ("docs/rest", "REST"),
    ("docs/testing-guide", "Testing"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    `path` is its address below the root, without the first slash; `contents` are the links of its
    column (anchor, text; an empty anchor makes a heading).
    """

    path: str
    title: str
    body: Html
    contents: Sequence[tuple[str, str]] = ()
    language: str = "en"
    styles: Sequence[str] = ()
    scripts: Sequence[str] = ()


def render(page: Page, version: str) -> str:
    """The page as HTML."""
    up = "../" * page.path.count("/") or "./"
    styles = "".join(
        f'<link rel="stylesheet" href="{up}docs/assets/{name}">'
        for name in (*page.styles, "site.css")
    )
    scripts = "".join(
        f'<script src="{up}docs/assets/{name}" defer></script>' for name in page.scripts
    )
    column = f'<nav class="contents" aria-label="Contents">{_contents(page.contents)}</nav>'
    return f"""\
<!doctype html>
<html lang="{page.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(page.title)} · chat-gateway</title>
<link rel="icon" href="{up}docs/assets/icon.svg" type="image/svg+xml">
{styles}
{scripts}
</head>
<body>
<header class="bar">
<a class="brand" href="{up}"><img src="{up}docs/assets/icon.svg" alt="" width="24" height="24">\
chat-gateway</a><span class="version">{escape(version)}</span>
<nav aria-label="Pages">{_bar(page.path, up)}</nav>
</header>
<div class="{"columns" if page.contents else "single"}">
{column if page.contents else ""}
<main>
{page.body}
</main>
</div>
</body>
</html>
"""


def _bar(path: str, up: str) -> str:
    return "".join(
        f'<a href="{up}{address}"{_CURRENT if address == path else ""}>{name}</a>'
        for address, name in _PAGES
    )


_CURRENT: Final = ' aria-current="page"'


def _contents(links: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f'<a href="#{escape(anchor)}">{escape(text)}</a>'
        if anchor
        else f'<span class="group">{escape(text)}</span>'
        for anchor, text in links
    )
