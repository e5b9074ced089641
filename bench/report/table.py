"""The rows as tables for the terminal, and the figures to reach."""

from rich.console import Console
from rich.table import Table

from bench.report.cells import CaseTable, case_tables, machine_lines
from bench.report.goals import goals
from bench.results import Report

STORING = (
    "chat-gateway stores every message durably before anybody gets it, verifies every token and"
    " checks every command; the peers and the floor store nothing and ask nobody who they are."
)


def shown(report: Report, console: Console) -> None:
    """Print the whole report."""
    console.print(", ".join(f"{name}: {value}" for name, value in machine_lines(report)))
    console.print(f"[bold]{STORING}[/]")
    for table in case_tables(report):
        console.print(_table(table))
        for note in table.notes:
            console.print(f"[dim]{note}[/]", highlight=False)
    console.print(_goals(report))


def _table(case: CaseTable) -> Table:
    table = Table(title=case.title, title_justify="left", title_style="bold")
    for number, heading in enumerate(case.headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=not number)
    for line, is_ours, is_wrong in zip(case.lines, case.ours, case.wrong, strict=True):
        table.add_row(*line, style="red" if is_wrong else "green" if is_ours else "")
    return table


def _goals(report: Report) -> Table:
    table = Table(title="Figures to reach", title_justify="left", title_style="bold")
    table.add_column("what")
    for heading in ("wanted", "found", "", "the C loop's own"):
        table.add_column(heading, justify="right")
    for goal in goals(report):
        met = {True: "[green]reached", False: "[red]missed", None: ""}[goal.is_met]
        table.add_row(goal.what, goal.wanted, goal.found, met, goal.floor_found)
    return table
