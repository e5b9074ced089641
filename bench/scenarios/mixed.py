"""Both wires in one room: half of the members raw, half Socket.IO, each posting to all."""

from collections.abc import Iterator
from typing import Final

from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Posting, posting, rows
from bench.servers import FLOOR, GATEWAY_MIXED

NAME: Final = "mixed"
MEMBERS: Final = 1000
IN_FLIGHT: Final = (1, 16)


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    cases = [
        Case(
            name=f"{MEMBERS:,} members, {count} in flight",
            facts={"members": MEMBERS, "in_flight": count},
        )
        for count in IN_FLIGHT
    ]
    ways = [Posting(in_flight=count) for count in IN_FLIGHT]
    crowd = Crowd(rooms=1, members=MEMBERS)
    yield from rows(NAME, [FLOOR, GATEWAY_MIXED], cases, posting(crowd, ways, effort), effort)
