"""How figures are written, for the terminal and for the page alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from bench.results import Report, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A figure's heading, and how it is written."""

    heading: str
    form: str


COLUMNS: Final[Mapping[str, Column]] = {
    "deliveries_per_s": Column(heading="deliveries/s", form="{:,.0f}"),
    "messages_per_s": Column(heading="messages/s", form="{:,.0f}"),
    "message_us": Column(heading="µs a message", form="{:.1f}"),
    "server_us": Column(heading="CPU µs a delivery", form="{:.2f}"),
    "resume_ms": Column(heading="all have all, ms", form="{:,.0f}"),
    "connect_s": Column(heading="all in, s", form="{:.2f}"),
    "connect_us": Column(heading="CPU µs a connect", form="{:,.0f}"),
    "p50_ms": Column(heading="p50 ms", form="{:,.2f}"),
    "p99_ms": Column(heading="p99 ms", form="{:,.2f}"),
    "p999_ms": Column(heading="p99.9 ms", form="{:,.2f}"),
    "rss_kib_per_connection": Column(heading="KiB a connection", form="{:.1f}"),
    "rss_start_mib": Column(heading="MiB at first", form="{:.0f}"),
    "rss_mib": Column(heading="MiB", form="{:.0f}"),
    "rss_growth_mib": Column(heading="MiB grown", form="{:+.1f}"),
}

COMPARED: Final = ("server_us", "rss_kib_per_connection", "connect_us")
"""Less of it is better; the first that a case has is what its servers are compared by."""

FLOOR: Final = "floor: C send() loop"

ABBREVIATIONS: Final[Mapping[str, str]] = {
    FLOOR: "floor",
    "Node ws": "ws",
    "Node socket.io": "s.io",
    "python-socketio": "py-s.io",
    "aiohttp": "aiohttp",
    "Centrifugo": "Centrif.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTable:
    """One case: headings, a line of text for each server, and notes below."""

    title: str
    headings: Sequence[str]
    lines: Sequence[Sequence[str]]
    ours: Sequence[bool]
    wrong: Sequence[bool]
    """Lines that were not measured, or whose deliveries went wrong."""
    notes: Sequence[str]


def case_tables(report: Report) -> Iterator[CaseTable]:
    """All cases, in the order measured."""
    for (scenario, case), group in groupby(report.rows, key=lambda row: (row.scenario, row.case)):
        yield _case_table(f"{scenario}: {case}", list(group))


def _case_table(title: str, rows: Sequence[Row]) -> CaseTable:
    names = [name for name in COLUMNS if any(name in row.figures for row in rows)]
    checked = any(row.correctness is not None for row in rows)
    others = [row for row in rows if row.contender in ABBREVIATIONS and row.figures]
    compared = next((name for name in COMPARED if name in names), None)
    if compared is None or not others:
        others = []
    headings = ["server", *(COLUMNS[name].heading for name in names)]
    headings += ["lost/dup/reord"] if checked else []
    headings += [f"÷ {ABBREVIATIONS[other.contender]}" for other in others]
    lines: list[list[str]] = []
    for row in rows:
        if row.missing and not row.figures:
            lines.append([row.contender, "NOT MEASURED", *[""] * (len(headings) - 2)])
            continue
        line = [row.contender]
        line += [
            COLUMNS[name].form.format(row.figures[name]) if name in row.figures else ""
            for name in names
        ]
        line += [correctness(row)] if checked else []
        line += [_ratio(row, other, compared) for other in others]
        lines.append(line)
    notes = [f"{row.contender}: {row.note}" for row in rows if row.note]
    notes += [f"{row.contender}: NOT MEASURED: {row.missing}" for row in rows if row.missing]
    if others and compared is not None:
        notes.append(f"÷: {COLUMNS[compared].heading}, divided by that of the other")
    return CaseTable(
        title=title,
        headings=headings,
        lines=lines,
        ours=[row.is_ours for row in rows],
        wrong=[bool(row.missing) or _is_wrong(row) for row in rows],
        notes=notes,
    )


def _ratio(row: Row, other: Row, name: str | None) -> str:
    """Ours against everybody, and everybody against the floor."""
    if name is None or row is other or not (row.is_ours or other.contender == FLOOR):
        return ""
    above, below = row.figures.get(name), other.figures.get(name)
    return f"{above / below:.2f}" if above is not None and below else ""


def correctness(row: Row) -> str:
    """Lost, duplicated and reordered deliveries, and connections that ended unasked."""
    found = row.correctness
    if found is None:
        return ""
    text = f"{found.lost}/{found.duplicated}/{found.reordered + found.misrouted}"
    return f"{text}, {found.ended} ended" if found.ended else text


def _is_wrong(row: Row) -> bool:
    return row.correctness is not None and correctness(row) != "0/0/0"


def machine_lines(report: Report) -> Iterator[tuple[str, str]]:
    """When, how and on what it was taken."""
    yield "taken", report.taken_at
    yield "effort", report.effort
    yield from report.machine.items()
