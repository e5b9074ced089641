"""A room at a steady pace: how long after its posting a message arrives, when nothing is crowded.

Twenty messages a second to a thousand members are twenty thousand deliveries a second, which all
servers here but the slowest can do.
"""

from collections.abc import Iterator
from typing import Final

from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Posting, posting, rows
from bench.servers import FLOOR, GATEWAYS, PEERS

NAME: Final = "steady"
MEMBERS: Final = 1000
PER_S: Final = 20


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    case = Case(
        name=f"{MEMBERS:,} members, {PER_S} messages a second",
        facts={"members": MEMBERS, "per_s": PER_S},
    )
    crowd = Crowd(rooms=1, members=MEMBERS)
    yield from rows(
        NAME,
        [FLOOR, *GATEWAYS, *PEERS],
        [case],
        posting(crowd, [Posting(per_s=PER_S)], effort),
        effort,
    )
