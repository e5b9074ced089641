"""The rows as a table for the terminal: figures, what went wrong, and ratios to the others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.results import Report, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A figure's heading and how it is written."""

    heading: str
    form: str


COLUMNS: Final[Mapping[str, Column]] = {
    "deliveries_per_s": Column(heading="deliveries/s", form="{:,.0f}"),
    "messages_per_s": Column(heading="messages/s", form="{:,.0f}"),
    "server_us": Column(heading="server µs a delivery", form="{:.2f}"),
    "resume_ms": Column(heading="all have all, ms", form="{:,.0f}"),
    "connect_s": Column(heading="all in after, s", form="{:.2f}"),
    "connect_us": Column(heading="server µs a connect", form="{:,.0f}"),
    "p50_ms": Column(heading="p50 ms", form="{:.2f}"),
    "p99_ms": Column(heading="p99 ms", form="{:.2f}"),
    "p999_ms": Column(heading="p99.9 ms", form="{:.2f}"),
    "rss_kib_per_connection": Column(heading="KiB a connection", form="{:.1f}"),
    "rss_start_mib": Column(heading="MiB at first", form="{:.0f}"),
    "rss_mib": Column(heading="MiB", form="{:.0f}"),
    "rss_growth_mib": Column(heading="MiB grown", form="{:+.1f}"),
}


def shown(report: Report, console: Console) -> None:
    """Print the whole report."""
    for line in machine_lines(report):
        console.print(f"[dim]{line}[/]")
    for (scenario, case), group in groupby(report.rows, key=lambda row: (row.scenario, row.case)):
        console.print(case_table(scenario, case, list(group)))


def machine_lines(report: Report) -> Iterator[str]:
    """The machine, a line for each fact."""
    yield f"taken {report.taken_at}, {report.effort}"
    for name, value in report.machine.items():
        yield f"{name}: {value}"


def case_table(scenario: str, case: str, rows: Sequence[Row]) -> Table:
    """One case: a line for each server."""
    names = list(dict.fromkeys(name for row in rows for name in row.figures if name in COLUMNS))
    table = Table(title=f"{scenario}: {case}", title_justify="left", title_style="bold")
    table.add_column("server")
    for name in names:
        table.add_column(COLUMNS[name].heading, justify="right")
    table.add_column("lost/dup/reord", justify="right")
    for row in rows:
        if row.missing:
            table.add_row(row.contender, f"[red]NOT MEASURED: {row.missing[:60]}")
            continue
        figures = [
            COLUMNS[name].form.format(row.figures[name]) if name in row.figures else ""
            for name in names
        ]
        table.add_row(row.contender, *figures, correctness(row))
    return table


def correctness(row: Row) -> str:
    """Lost, duplicated and reordered deliveries; anything but zeros in red."""
    found = row.correctness
    if found is None:
        return ""
    text = f"{found.lost}/{found.duplicated}/{found.reordered + found.misrouted}"
    if found.ended:
        text += f", {found.ended} ended"
    return text if text == "0/0/0" else f"[red]{text}[/]"
