"""`python -m bench report FILE…`: the table, the page and its plots from runs that were kept."""

from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bench.report import page, table
from bench.results import DifferentMachines, read_report, together

PAGE: Final = Path(__file__).parents[2] / "docs" / "performance.md"


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--page", "path", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, help="Where."
)
def report(files: tuple[Path, ...], path: Path) -> None:
    """Write docs/performance.md and its plots from the JSON of a run, or of some on one machine."""
    try:
        found = together([read_report(file) for file in files])
    except DifferentMachines as error:
        raise click.ClickException(str(error)) from None
    table.shown(found, Console())
    page.write(found, path)
