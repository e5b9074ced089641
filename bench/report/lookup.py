"""Finding figures among the rows."""

from collections.abc import Sequence

from bench.results import Row


def figure(
    rows: Sequence[Row], scenario: str, contender: str, name: str, **facts: float
) -> float | None:
    """The figure of the first such row whose case has these facts; None where there is none."""
    for row in rows:
        if (
            row.scenario == scenario
            and row.contender == contender
            and all(row.facts.get(fact) == value for fact, value in facts.items())
        ):
            return row.figures.get(name)
    return None
