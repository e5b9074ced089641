"""What a run of the benchmarks says: rows of figures, the machine, and both as JSON."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.generator import Correctness

Histogram = Sequence[tuple[int, int]]
"""How many deliveries took from so many nanoseconds on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One server in one case of a scenario.

    `figures` are medians over the repeats, their names end with their units. `missing` says why
    there are none. `facts` are the case's numbers (members, in flight, …), for plots.
    """

    scenario: str
    case: str
    contender: str
    is_ours: bool
    facts: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    repeats: Mapping[str, Sequence[float]] = field(default_factory=dict)
    correctness: Correctness | None = None
    latency_ns: Histogram = ()
    note: str = ""
    missing: str = ""


def median_row(measured: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """`figures` and `repeats` of a row from the figures of each repeat."""
    repeats = {name: [each[name] for each in measured if name in each] for name in measured[0]}
    figures = {name: statistics.median(values) for name, values in repeats.items() if values}
    return {"figures": figures, "repeats": repeats}


def joined(histograms: Sequence[Histogram]) -> Histogram:
    """One histogram of several."""
    counts: dict[int, int] = {}
    for histogram in histograms:
        for from_ns, count in histogram:
            counts[from_ns] = counts.get(from_ns, 0) + count
    return sorted(counts.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run."""

    taken_at: str
    effort: str
    machine: Mapping[str, str]
    rows: Sequence[Row]

    def write(self, path: Path) -> None:
        """As JSON, a row a line."""
        said = asdict(self)
        rows = ",\n".join(json.dumps(row) for row in said.pop("rows"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{json.dumps(said)[:-1]}, "rows": [\n{rows}\n]}}\n')


def read_report(path: Path) -> Report:
    """What `write` wrote."""
    said = json.loads(path.read_text())
    rows = [
        Row(
            **{
                **row,
                "correctness": Correctness(**row["correctness"]) if row["correctness"] else None,
                "latency_ns": [(from_ns, count) for from_ns, count in row["latency_ns"]],
            }
        )
        for row in said.pop("rows")
    ]
    return Report(rows=rows, **said)


class DifferentMachines(Exception):
    """Figures of different machines say nothing beside each other; the text says what differs."""


def together(reports: Sequence[Report]) -> Report:
    """One report of several runs on one machine, dated by the first. Raises `DifferentMachines`."""
    first, *others = reports
    for other in others:
        for fact in ("processor", "cores", "memory", "kernel"):
            if first.machine.get(fact) != other.machine.get(fact):
                raise DifferentMachines(
                    f"These runs are of different machines: {fact}"
                    f" {first.machine.get(fact)}, and {other.machine.get(fact)}."
                )
        if first.effort != other.effort:
            raise DifferentMachines("A quick run and a full one cannot stand beside each other.")
    return replace(first, rows=[row for report in reports for row in report.rows])


def now() -> str:
    """The date and time of here, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M %Z")


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load before": " ".join(f"{each:.2f}" for each in os.getloadavg()),
        "Python": sys.version.split()[0],
    }
    for package in ("aiohttp", "uvloop", "python-socketio", "motor"):
        facts[package] = version(package)
    for name, command in (("Node.js", ["node", "--version"]), ("Go", ["go", "version"])):
        said = _says(command)
        if said:
            facts[name] = said
    return facts


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _says(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip().removeprefix("go version ")
