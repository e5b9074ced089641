"""The pages that people read, and what stands in them."""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
DOCS: Final = ROOT / "docs"
README: Final = ROOT / "README.md"
GUIDE: Final = DOCS / "testing-guide.md"
GUIDE_KO: Final = DOCS / "ko" / "testing-guide.md"
PAGES: Final = (
    README,
    ROOT / "CHANGELOG.md",
    *sorted(page for page in DOCS.rglob("*.md") if "node_modules" not in page.parts),
)

_BLOCK: Final = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<mark>[^>]*) -->\n *)?```(?P<language>\w*)\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A listing; `mark` is what the comment before it says, such as `file: PATH`."""

    mark: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The listings of a page, in order."""
    return [
        Block(
            mark=match["mark"] or "", language=match["language"], text=dedent(match["text"]).strip()
        )
        for match in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def block(page: Path, mark: str) -> str:
    """The listing with this mark."""
    return next(each.text for each in blocks(page) if each.mark == mark)


def prose(page: Path) -> str:
    """A page without its listings."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))
