"""Writes what is made: docs/api/*.json, the tables of docs/protocol.md, the guides as HTML.

    python -m tools.generate            write them
    python -m tools.generate --check    write nothing; exit 1 and name what has drifted

A generated part of the page stands between `<!-- generated: NAME -->` and `<!-- /generated -->`;
`chat_protocol.export.markdown` says which names there are.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from chat_gateway.transports.rest import openapi
from chat_protocol.export import asyncapi, json_schema, markdown
from tools import guides

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"

GUIDES_IN_PACKAGE: Final = ROOT / "service/chat_gateway/transports/docs/guides"
"""Where the service reads the HTML of the guides."""

PUBLIC_URL: Final = "http://localhost:8080"
"""Where the documents in the repository say that the server is; a running one says its own."""

_BLOCK: Final = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- /generated -->)", re.DOTALL)


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """A page with its generated parts made anew. Raises `ValueError` unless it has each once."""
    found = [match[2] for match in _BLOCK.finditer(page)]
    if sorted(found) != sorted(blocks):
        missing = sorted(set(blocks) - set(found))
        unknown = sorted(set(found) - set(blocks))
        twice = sorted({name for name in found if found.count(name) > 1})
        raise ValueError(f"blocks missing: {missing}, unknown: {unknown}, twice: {twice}")
    return _BLOCK.sub(lambda match: f"{match[1]}{blocks[match[2]]}\n{match[4]}", page)


def generated() -> dict[Path, str]:
    """Path to what should stand in it."""
    texts = {name: (DOCS / name).read_text(encoding="utf-8") for name in guides.GUIDES}
    texts["protocol.md"] = fill(texts["protocol.md"], markdown.blocks())
    return {
        DOCS / "api" / "openapi.json": _json(openapi.document(PUBLIC_URL)),
        DOCS / "api" / "asyncapi.json": _json(asyncapi.document(PUBLIC_URL)),
        DOCS / "api" / "sockets.schema.json": _json(json_schema.document()),
        DOCS / "protocol.md": texts["protocol.md"],
        **{
            (GUIDES_IN_PACKAGE / name).with_suffix(".html"): guides.render(text, name)
            for name, text in texts.items()
        },
    }


def drifted(wanted: Mapping[Path, str]) -> list[Path]:
    """The files that say something else, or are not there."""
    return [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    """Write, or with `--check` only compare."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    wanted = generated()
    stale = drifted(wanted)
    for path in stale:
        name = path.relative_to(ROOT)
        if arguments:
            print(f"{name} has drifted: run `python -m tools.generate`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
            print(f"wrote {name}")
    return 1 if arguments and stale else 0


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
