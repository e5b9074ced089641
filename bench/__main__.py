"""`python -m bench`: measure, and print tables; `python -m bench report`: make the page."""

import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bench import cores
from bench.report import table
from bench.report.command import report
from bench.results import Report, Row, machine, now
from bench.scenarios import (
    append,
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
from bench.servers import centrifugo, mongo
from bench.servers.base import Missing
from bench.servers.peers import node_versions
from chat_gateway import logs

SCENARIOS: Final[Mapping[str, Callable[[Effort], Iterator[Row]]]] = {
    scenario.NAME: scenario.measure
    for scenario in (
        room,
        steady,
        rooms,
        append,
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
    run = Report(taken_at=now(), effort="quick" if quick else "full", machine=_machine(), rows=[])
    for name in scenarios or SCENARIOS:
        run = replace(run, rows=[*run.rows, *SCENARIOS[name](effort)])
        if json_file is not None:
            run.write(json_file)
    table.shown(run, Console(width=None if sys.stdout.isatty() else TABLE_WIDTH))


def _machine() -> dict[str, str]:
    facts = {**machine(), **node_versions(), "Centrifugo": centrifugo.VERSION}
    try:
        facts["MongoDB protocol"] = mongo.find()[0]
    except Missing as error:
        facts["MongoDB protocol"] = f"MISSING: {error}"
    if cores.SHARED:
        facts["WARNING"] = "one core for server and load generator: the figures mean little"
    return facts


def _raise_file_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    if sys.argv[1:2] == ["report"]:
        report(sys.argv[2:], prog_name="python -m bench report")
    else:
        measure(prog_name="python -m bench")
