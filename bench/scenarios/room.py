"""One room: everyone gets every message.

With one message under way the cost of a delivery shows; with many, whether a server joins what it
writes to one socket. A message is under way until the last member has it.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Posting, posting, rows
from bench.servers import FLOOR, GATEWAY_LOGGING, GATEWAYS, PEERS

NAME: Final = "room"
SIZES: Final = (200, 1000, 9000)
QUICK_SIZES: Final = (200, 1000)
IN_FLIGHT: Final = (1, 16, 128)


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    for size in QUICK_SIZES if effort.quick else SIZES:
        crowd = Crowd(rooms=1, members=size)
        yield from rows(
            NAME,
            [FLOOR, *GATEWAYS, GATEWAY_LOGGING, *PEERS],
            cases(size),
            posting(crowd, [Posting(in_flight=count) for count in IN_FLIGHT], effort),
            effort,
        )


def cases(size: int) -> Sequence[Case]:
    """The cases of a room of this size."""
    return [
        Case(
            name=f"{size:,} members, {count} in flight",
            facts={"members": size, "in_flight": count},
        )
        for count in IN_FLIGHT
    ]
