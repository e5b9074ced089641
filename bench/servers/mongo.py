"""A database of the MongoDB protocol for a run: a `mongod` on the PATH, else FerretDB on SQLite.

It runs on the load generator's core; rows say which of the two it was.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from bench import cores
from bench.servers.base import Missing, free_port, process
from tests.parts import ferretdb


def _say(text: str) -> None:
    print(text, file=sys.stderr)


@lru_cache
def find() -> tuple[str, str]:
    """What there is (`mongod` or `FerretDB …`), and its executable. Raises `Missing`."""
    mongod = shutil.which("mongod")
    if mongod is not None:
        return "mongod", mongod
    try:
        return f"FerretDB {ferretdb.VERSION} on SQLite", str(ferretdb.binary(_say))
    except ferretdb.CannotBuild as error:
        raise Missing(f"no mongod on the PATH, and {error}") from None


@contextmanager
def mongo_server(folder: Path) -> Iterator[str]:
    """Run it with its data in a new folder; the URL of an empty database."""
    kind, executable = find()
    folder.mkdir()
    port = free_port()
    if kind == "mongod":
        command = [
            *(executable, "--dbpath", str(folder), "--bind_ip", "127.0.0.1"),
            *("--port", str(port)),
        ]
    else:
        command = ferretdb.command(Path(executable), folder, port)
    with process(command, port=port, log=folder / "server.log", core=cores.LOAD):
        yield f"mongodb://127.0.0.1:{port}/chat"
