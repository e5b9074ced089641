"""Plots of the rows: throughput and cost by the size of a room, and how late messages arrive."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.cells import FLOOR
from bench.results import Histogram, Report, Row

COLOURS: Final[Mapping[str, str]] = {
    "chat-gateway, raw": "#0b6e4f",
    "chat-gateway, socketio": "#6bbf59",
    FLOOR: "#888888",
    "Node ws": "#d1495b",
    "Node socket.io": "#edae49",
    "python-socketio": "#30638e",
    "aiohttp": "#8d6a9f",
    "Centrifugo": "#222222",
}

# The same rows give the same file.
matplotlib.rcParams["svg.hashsalt"] = "chat-gateway"
matplotlib.rcParams["font.size"] = 9


def draw(report: Report, folder: Path) -> Mapping[str, str]:
    """Write the plots for which there are rows; file names and what each shows."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, str] = {}
    sizes = [row for row in report.rows if row.scenario == "room" and row.figures]
    if sizes:
        for name, figure, heading in (
            ("deliveries", "deliveries_per_s", "Deliveries a second"),
            ("cpu", "server_us", "Server CPU a delivery, µs"),
        ):
            _by_size(sizes, figure, heading, folder / f"{name}.svg")
            drawn[f"{name}.svg"] = f"{heading}, by the size of the room and messages in flight"
    steady = [row for row in report.rows if row.scenario == "steady" and row.latency_ns]
    if steady:
        _latency(steady, folder / "latency.svg")
        drawn["latency.svg"] = f"From posting to receiving: {steady[0].case}"
    return drawn


def _by_size(rows: Sequence[Row], name: str, heading: str, path: Path) -> None:
    in_flight = sorted({row.facts["in_flight"] for row in rows})
    figure = Figure(figsize=(4 * len(in_flight), 3.6), layout="constrained")
    panels = figure.subplots(1, len(in_flight), squeeze=False)
    for axes, count in zip(panels[0], in_flight, strict=True):
        for contender, colour in COLOURS.items():
            points = sorted(
                (row.facts["members"], row.figures[name])
                for row in rows
                if row.contender == contender and row.facts["in_flight"] == count
            )
            if points:
                axes.plot(*zip(*points, strict=True), "o-", color=colour, label=contender)
        _scales(axes, f"{count:.0f} in flight")
        axes.set_xlabel("members of the room")
    panels[0][0].set_ylabel(heading)
    # Below the panels: inside one it would hide lines.
    known = {line.get_label(): line for axes in panels[0] for line in axes.get_lines()}
    figure.legend(
        known.values(), known.keys(), loc="outside lower center", ncols=len(known), fontsize=8
    )
    _write(figure, path)


def _latency(rows: Sequence[Row], path: Path) -> None:
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    for row in rows:
        if row.contender in COLOURS:
            milliseconds, above = _tail(row.latency_ns)
            axes.plot(milliseconds, above, color=COLOURS[row.contender], label=row.contender)
    _scales(axes, rows[0].case)
    axes.set_xlabel("milliseconds from posting to receiving")
    axes.set_ylabel("share of deliveries that take longer")
    axes.set_ylim(bottom=1e-4)
    axes.legend(fontsize=7)
    _write(figure, path)


def _tail(histogram: Histogram) -> tuple[list[float], list[float]]:
    """Milliseconds, and the share of deliveries that took longer."""
    total = sum(count for _, count in histogram)
    above, milliseconds, shares = total, [], []
    for from_ns, count in histogram:
        above -= count
        milliseconds.append(from_ns / 1e6)
        shares.append(above / total)
    return milliseconds, shares


def _scales(axes: Axes, title: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(title, fontsize=9)
    axes.grid(visible=True, which="major", color="#dddddd")


def _write(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})
