"""`python -m bench report FILE`: the table, the page and its plots from a run that was kept."""

from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bench.report import page, table
from bench.results import read_report

PAGE: Final = Path(__file__).parents[2] / "docs" / "performance.md"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--page", "path", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, help="Where."
)
def report(file: Path, path: Path) -> None:
    """Write docs/performance.md and its plots from the JSON of a run."""
    found = read_report(file)
    table.shown(found, Console())
    page.write(found, path)
