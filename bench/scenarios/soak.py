"""A soak: a room at a steady pace while others come and go; memory must stay flat.

Memory at the end is compared with that after the first fifth, when caches have filled: the largest,
SQLite's 16 MiB of pages, takes three minutes at this pace, so shorter soaks show it growing.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from bench import usage
from bench.generator import Load, Run, load
from bench.plan import Crowd, Plan
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Sample, rows, sample_of, total
from bench.servers import GATEWAY_MIXED
from bench.servers.base import Contender

NAME: Final = "soak"
MEMBERS: Final = 200
PER_S: Final = 100
SLICE_S: Final = 5.0


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    case = Case(
        name=f"{effort.soak_s:,.0f} s: {MEMBERS} members, {PER_S} messages a second,"
        f" {MEMBERS} others come and go every {SLICE_S:.0f} s",
        facts={"soak_s": effort.soak_s, "members": MEMBERS, "per_s": PER_S},
    )

    def soak(contender: Contender) -> Iterator[Sample]:
        contender.prepare()
        with contender.serve(Crowd(rooms=2, members=MEMBERS)) as plan:
            stay, pass_by = _room(plan, 0), _room(plan, 1)
            with load(stay) as generator:
                generator.connect()
                yield _soak(generator, pass_by, effort.soak_s)

    yield from rows(NAME, [GATEWAY_MIXED], [case], soak, replace(effort, once=True))


def _room(plan: Plan, room: int) -> Plan:
    """The part of a plan that is about one room, as a plan of its own."""
    return replace(
        plan,
        crowd=replace(plan.crowd, rooms=1),
        connections=[replace(c, room=0) for c in plan.connections if c.room == room],
    )


def _soak(generator: Load, pass_by: Plan, seconds: float) -> Sample:
    runs: list[Run] = []
    rss_mib: list[float] = []
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s or len(runs) < 2:
        with load(pass_by) as others:
            others.connect()
            runs.append(generator.run(seconds=SLICE_S, warm_up_s=0, per_s=PER_S))
        rss_mib.append(usage.rss_kib(pass_by.pids) / 1024)
    return replace(
        sample_of(runs[-1]),
        figures={
            **sample_of(runs[-1]).figures,
            "rss_start_mib": rss_mib[len(rss_mib) // 5],
            "rss_mib": rss_mib[-1],
            "rss_growth_mib": rss_mib[-1] - rss_mib[len(rss_mib) // 5],
        },
        correctness=total([run.correctness for run in runs]),
        note=_course(rss_mib),
    )


def _course(rss_mib: Sequence[float]) -> str:
    """Memory over the soak in ten steps."""
    step = max(len(rss_mib) // 10, 1)
    return "MiB over time: " + " ".join(f"{each:.0f}" for each in rss_mib[::step])
