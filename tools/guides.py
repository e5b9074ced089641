"""The guides of docs/ as HTML that a server can show: headings with ids, links that lead somewhere.

A link to another page of the repository becomes one to where a server shows that page; what no
server shows (scripts, folders) is left as text.
"""

import posixpath
import re
from collections.abc import Mapping
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

GUIDES: Final[Mapping[str, str]] = {
    "protocol.md": "docs/protocol",
    "testing-guide.md": "docs/testing-guide",
    "ko/testing-guide.md": "docs/ko/testing-guide",
}
"""Guide below docs/ to the address below a server's root."""

SHOWN: Final[Mapping[str, str]] = {
    **GUIDES,
    "api/asyncapi.json": "asyncapi.json",
    "api/openapi.json": "openapi.json",
}
"""What a server shows of docs/."""

_COMMENT: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)


def render(markdown: str, path: str) -> str:
    """The HTML of the guide that stands at `path` below docs/."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(_COMMENT.sub("", markdown))
    up = "../" * SHOWN[path].count("/")
    seen: dict[str, int] = {}
    for number, token in enumerate(tokens):
        # Alignment is written as a style, which the policy of the pages forbids.
        token.attrs.pop("style", None)
        if token.type == "heading_open":
            token.attrs["id"] = _slug(tokens[number + 1].content, seen)
        for child in token.children or ():
            if child.type == "link_open":
                _lead(child, posixpath.dirname(path), up)
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html.replace("<table>", '<div class="scroll"><table>').replace(
        "</table>", "</table></div>"
    )


def _slug(heading: str, seen: dict[str, int]) -> str:
    """The id that GitHub gives a heading, so that links work in both places."""
    slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    seen[slug] = seen.get(slug, -1) + 1
    return f"{slug}-{seen[slug]}" if seen[slug] else slug


def _lead(link: Token, folder: str, up: str) -> None:
    target, _, fragment = str(link.attrs["href"]).partition("#")
    if not target or "://" in target:
        return
    shown = SHOWN.get(posixpath.normpath(posixpath.join(folder, target)))
    if shown is None:
        del link.attrs["href"]
    else:
        link.attrs["href"] = up + shown + (f"#{fragment}" if fragment else "")
