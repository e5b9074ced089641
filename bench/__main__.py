"""`python -m bench`: measure, and print a table."""

import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bench import cores
from bench.report import table
from bench.results import Report, Row, machine, now
from bench.scenarios import (
    idle,
    mixed,
    polling,
    resume,
    room,
    rooms,
    soak,
    stalled,
    steady,
    storm,
)
from bench.scenarios.measuring import Effort
from chat_gateway import logs

SCENARIOS: Final[Mapping[str, Callable[[Effort], Iterator[Row]]]] = {
    scenario.NAME: scenario.measure
    for scenario in (
        room,
        steady,
        rooms,
        mixed,
        polling,
        idle,
        storm,
        resume,
        stalled,
        soak,
    )
}

TABLE_WIDTH: Final = 150
"""Characters a line where there is no terminal to ask."""


@click.command()
@click.argument("scenarios", nargs=-1, type=click.Choice(list(SCENARIOS)))
@click.option("--quick", is_flag=True, help="One short run of each, to see that all works.")
@click.option("--soak-seconds", default=60.0, show_default=True, help="How long the soak takes.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the rows here.")
def measure(
    scenarios: tuple[str, ...], quick: bool, soak_seconds: float, json_file: Path | None
) -> None:
    """Measure these scenarios, or all of them."""
    _raise_file_limit()
    logs.configure("warning", "text")
    effort = Effort(quick=quick, soak_s=soak_seconds)
    facts = machine()
    if cores.SHARED:
        facts["WARNING"] = "one core for server and load generator: the figures mean little"
    begun = now()
    rows = [row for name in scenarios or SCENARIOS for row in SCENARIOS[name](effort)]
    report = Report(taken_at=begun, effort="quick" if quick else "full", machine=facts, rows=rows)
    table.shown(report, Console(width=None if sys.stdout.isatty() else TABLE_WIDTH))
    if json_file is not None:
        report.write(json_file)


def _raise_file_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    measure(prog_name="python -m bench")
