"""Long polling: three of four members poll, the fourth has a WebSocket and posts.

A delivery to one who polls is a request and its response, so the cost is HTTP's.
"""

from collections.abc import Iterator
from typing import Final

from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Posting, posting, rows
from bench.servers import GATEWAY_POLLING, POLLING_PEERS

NAME: Final = "polling"
MEMBERS: Final = 200
IN_FLIGHT: Final = (1, 16)


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    cases = [
        Case(
            name=f"{MEMBERS} members, {count} in flight",
            facts={"members": MEMBERS, "in_flight": count},
        )
        for count in IN_FLIGHT
    ]
    ways = [Posting(in_flight=count) for count in IN_FLIGHT]
    crowd = Crowd(rooms=1, members=MEMBERS)
    yield from rows(
        NAME, [GATEWAY_POLLING, *POLLING_PEERS], cases, posting(crowd, ways, effort), effort
    )
