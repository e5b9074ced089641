"""HTML from values: everything goes through here, so that text stays text."""

import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NewType

Html = NewType("Html", str)
"""Text that is HTML already."""

_CODE: Final = re.compile(r"`([^`]+)`")
_TOKEN: Final = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)'
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<value>\b(?:true|false|null)\b|-?\d[\d.eE+-]*)"
)


def join(parts: Iterable[Html]) -> Html:
    """Parts one behind the other."""
    return Html("\n".join(parts))


def prose(text: str) -> Html:
    """A sentence in which `backticks` stand for code."""
    return Html(_CODE.sub(r"<code>\1</code>", escape(text)))


def code(text: str) -> Html:
    """A word of code."""
    return Html(f"<code>{escape(text)}</code>")


def link(text: str, href: str) -> Html:
    """A link."""
    return Html(f'<a href="{escape(href)}">{escape(text)}</a>')


def paragraph(text: str) -> Html:
    """A paragraph of `prose`."""
    return Html(f"<p>{prose(text)}</p>")


def heading(level: int, anchor: str, text: str, note: str = "") -> Html:
    """A heading that can be linked to, maybe with a small note beside it."""
    aside = f' <span class="note">{prose(note)}</span>' if note else ""
    name = escape(anchor)
    linked = f'<a class="anchor" href="#{name}">{prose(text)}</a>'
    return Html(f'<h{level} id="{name}">{linked}{aside}</h{level}>')


def table(head: Sequence[str], rows: Iterable[Sequence[Html]], anchors: Sequence[str] = ()) -> Html:
    """A table; `anchors` are the ids of its rows."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = []
    for number, row in enumerate(rows):
        anchor = f' id="{escape(anchors[number])}"' if anchors else ""
        lines.append(f"<tr{anchor}>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>")
    body = "\n".join(lines)
    return Html(
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def listing(text: str) -> Html:
    """A block of code or commands."""
    return Html(f'<pre tabindex="0"><code>{escape(text)}</code></pre>')


def json_listing(value: object) -> Html:
    """A JSON value, set out and coloured."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    pieces: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        pieces.append(escape(text[end : token.start()]))
        pieces.append(f'<span class="{token.lastgroup}">{escape(token[0])}</span>')
        end = token.end()
    pieces.append(escape(text[end:]))
    return Html(f'<pre tabindex="0"><code>{"".join(pieces)}</code></pre>')
