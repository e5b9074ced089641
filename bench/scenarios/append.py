"""Appends alone: how many messages a second a store takes, in batches of 1, 16, 128 and 512.

Beside each store stands the bare loop: the same rows by `executemany` in one transaction, the same
documents by `insert_many`. The service cannot store faster than that.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Literal

from bench import cores
from bench.generator import LoadFailed
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Sample, rows
from bench.servers import mongo
from bench.servers.base import fresh_folder

NAME: Final = "append"
BATCHES: Final = (1, 16, 128, 512)
TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A way to write into a store."""

    name: str
    way: Literal["bare", "port"]
    store: Literal["sqlite", "mongo"]

    @property
    def is_ours(self) -> bool:
        """Whether it is the service's own."""
        return self.way == "port"


WRITERS: Final = (
    Writer(name="SQLite: bare executemany", way="bare", store="sqlite"),
    Writer(name="SQLite: the store", way="port", store="sqlite"),
    Writer(name="MongoDB: bare insert_many", way="bare", store="mongo"),
    Writer(name="MongoDB: the store", way="port", store="mongo"),
)


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    cases = [
        Case(name="1 at a time" if size == 1 else f"in batches of {size}", facts={"batch": size})
        for size in BATCHES
    ]

    def append(writer: Writer) -> Iterator[Sample]:
        for size in BATCHES:
            yield Sample(figures=_append(writer, size, effort.seconds))

    yield from rows(NAME, WRITERS, cases, append, effort)


def _append(writer: Writer, size: int, seconds: float) -> dict[str, float]:
    with ExitStack() as running:
        folder = running.enter_context(fresh_folder())
        url = (
            f"sqlite:///{folder / 'chat.db'}"
            if writer.store == "sqlite"
            else running.enter_context(mongo.mongo_server(folder / "mongo"))
        )
        command = [sys.executable, "-m", "bench.appending", writer.way, url]
        with cores.on(cores.SERVER):
            done = subprocess.run(
                [*command, str(size), str(seconds)],
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_S,
            )
    if done.returncode != 0:
        raise LoadFailed(done.stderr.strip()[-300:])
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures
