"""What the scenarios share: how much effort a run takes, and how servers come by their rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from rich.console import Console

from bench.generator import Correctness, Load, LoadFailed, Run, load
from bench.plan import Crowd, Plan
from bench.results import Histogram, Row, joined, median_row
from bench.servers.base import Contender, Missing

console: Final = Console(stderr=True)

BUSY_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to measure: `quick` to see that all works, else for figures to be believed."""

    quick: bool
    soak_s: float
    once: bool = False
    """For what takes long by itself."""

    @property
    def repeats(self) -> int:
        """How often each case is measured, each time on a new server."""
        return 1 if self.quick or self.once else 3

    @property
    def seconds(self) -> float:
        """The measured time of a run."""
        return 1.0 if self.quick else 3.0

    @property
    def warm_up_s(self) -> float:
        """What goes before it."""
        return 0.3 if self.quick else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of a scenario: its name and its numbers."""

    name: str
    facts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one repeat of one case measured."""

    figures: Mapping[str, float]
    correctness: Correctness | None = None
    latency_ns: Histogram = ()
    note: str = ""


class Named(Protocol):
    """What rows say of whoever is measured."""

    @property
    def name(self) -> str:
        """What its rows are called."""
        ...

    @property
    def is_ours(self) -> bool:
        """Whether it is this service."""
        ...


Measured = TypeVar("Measured", bound=Named)

Measure = Callable[[Contender], Iterator[Sample]]
"""Measures a server: yields one sample for each case, in their order."""


def rows(
    scenario: str,
    contenders: Sequence[Measured],
    cases: Sequence[Case],
    measure: Callable[[Measured], Iterator[Sample]],
    effort: Effort,
) -> Iterator[Row]:
    """Measure all contenders in turn, as often as the effort says; the medians are the rows.

    In turn, so that a machine that grows slower meanwhile does so for all of them. A server that
    cannot be had, or fails, has rows that say so.
    """
    samples: dict[tuple[str, str], list[Sample]] = {}
    missing: dict[str, str] = {}
    for repeat in range(effort.repeats):
        for contender in contenders:
            if contender.name in missing:
                continue
            console.print(
                f"[dim]{scenario}: {contender.name} ({repeat + 1} of {effort.repeats})[/]"
            )
            try:
                for case, sample in zip(cases, measure(contender), strict=True):
                    samples.setdefault((contender.name, case.name), []).append(sample)
            except (Missing, LoadFailed) as error:
                missing[contender.name] = str(error)
                console.print(f"[bold red]NOT MEASURED: {contender.name}[/]: {error}")
    for case in cases:
        for contender in contenders:
            found = samples.get((contender.name, case.name), [])
            yield _row(scenario, case, contender, found, missing.get(contender.name, ""))


def _row(
    scenario: str, case: Case, contender: Named, samples: Sequence[Sample], missing: str
) -> Row:
    measured = median_row([sample.figures for sample in samples]) if samples else {}
    return Row(
        scenario=scenario,
        case=case.name,
        contender=contender.name,
        is_ours=contender.is_ours,
        facts=case.facts,
        correctness=total([s.correctness for s in samples if s.correctness is not None]),
        latency_ns=joined([sample.latency_ns for sample in samples]),
        note="; ".join(dict.fromkeys(sample.note for sample in samples if sample.note)),
        missing=missing,
        **measured,
    )


def total(found: Sequence[Correctness]) -> Correctness | None:
    """All that went wrong; None where nobody looked."""
    if not found:
        return None
    return Correctness(
        lost=sum(each.lost for each in found),
        duplicated=sum(each.duplicated for each in found),
        reordered=sum(each.reordered for each in found),
        misrouted=sum(each.misrouted for each in found),
        ended=sum(each.ended for each in found),
    )


@contextmanager
def serving(contender: Contender, crowd: Crowd) -> Iterator[tuple[Plan, Load]]:
    """A server and a load generator for it, not yet connected.

    Raises `Missing`, `LoadFailed`.
    """
    contender.prepare()
    with contender.serve(crowd) as plan, load(plan) as generator:
        yield plan, generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """How messages come: so many of each room under way, or so many a second over all rooms."""

    in_flight: int = 0
    per_s: float = 0.0


def posting(crowd: Crowd, ways: Sequence[Posting], effort: Effort) -> Measure:
    """Connect the crowd, and let it post in each of these ways, one after the other."""

    def measure(contender: Contender) -> Iterator[Sample]:
        with serving(contender, crowd) as (plan, generator):
            generator.connect(at_a_time=plan.at_a_time)
            for way in ways:
                run = generator.run(
                    seconds=effort.seconds,
                    warm_up_s=effort.warm_up_s,
                    in_flight=way.in_flight,
                    per_s=way.per_s,
                )
                # At a pace, how late messages are is the question; else the percentiles will do.
                yield replace(sample_of(run), latency_ns=run.latency_ns if way.per_s else ())

    return measure


def sample_of(run: Run) -> Sample:
    """What a run of posting says."""
    return Sample(
        figures={
            "deliveries_per_s": run.deliveries_per_s,
            "messages_per_s": run.messages_per_s,
            "server_us": run.server_us,
            "p50_ms": run.latency_ms(0.5),
            "p99_ms": run.latency_ms(0.99),
            "p999_ms": run.latency_ms(0.999),
            "load_share": run.load_share,
        },
        correctness=run.correctness,
        note="the load generator was the limit" if run.load_share > BUSY_SHARE else "",
    )
