"""`docs/performance.md`: figures, plots, and how the service gets there; made from the JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.report.cells import CaseTable, case_tables, machine_lines
from bench.report.goals import Goal, goals
from bench.report.plots import draw
from bench.report.table import STORING
from bench.results import Report

PLOTS: Final = "performance"
WORDS: Final = Path(__file__).parent / "words"


def write(report: Report, page: Path) -> None:
    """Write the page, and its plots into a folder beside it."""
    drawn = draw(report, page.parent / PLOTS)
    page.write_text("\n".join(_lines(report, drawn)) + "\n")


def _lines(report: Report, drawn: Mapping[str, str]) -> Iterator[str]:
    yield "<!-- Made by `python -m bench report FILE`; change bench/report/words instead. -->"
    yield (WORDS / "introduction.md").read_text().rstrip()
    yield "\n## The machine\n"
    yield from _table(["what", "which"], machine_lines(report))
    yield "\n## Figures to reach\n"
    yield from _goals(goals(report))
    yield "\n## Pictures"
    for name, caption in drawn.items():
        yield f"\n![{caption}]({PLOTS}/{name})"
        yield f"\n*{caption}*"
    yield ""
    yield (WORDS / "how.md").read_text().rstrip()
    yield "\n## All rows\n"
    yield STORING
    for case in case_tables(report):
        yield from _case(case)


def _goals(found: Sequence[Goal]) -> Iterator[str]:
    said = {True: "reached", False: "**missed**", None: ""}
    yield from _table(
        ["what", "wanted", "found", "", "the C loop's own"],
        [
            (goal.what, goal.wanted, goal.found, said[goal.is_met], goal.floor_found)
            for goal in found
        ],
    )


def _case(case: CaseTable) -> Iterator[str]:
    yield f"\n### {case.title}\n"
    lines = [
        [f"**{line[0]}**" if is_ours else line[0], *line[1:]]
        for line, is_ours in zip(case.lines, case.ours, strict=True)
    ]
    yield from _table(case.headings, lines)
    for note in case.notes:
        yield f"\n{note}"


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|---|{'---:|' * (len(headings) - 1)}"
    for line in lines:
        yield f"| {' | '.join(line)} |"
