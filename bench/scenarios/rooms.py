"""Many small rooms: what a message costs where sending it is the least of it.

Every room has one message under way. Each is stored durably before anyone gets it, by both stores;
beside them stand the bare writes of the same messages in batches, without any service.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Posting, posting, rows
from bench.servers import FLOOR, GATEWAYS, GATEWAYS_MONGO, PEERS
from bench.servers.base import Contender

NAME: Final = "rooms"
MEMBERS: Final = 5


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    yield from _rooms(1000, [FLOOR, *GATEWAYS, *PEERS], effort)
    yield from _rooms(200, GATEWAYS, effort)
    # FerretDB reads a whole collection for each query, so that seating a thousand takes minutes.
    count = 40 if effort.quick else 200
    yield from _rooms(count, GATEWAYS_MONGO, replace(effort, once=True), ", MongoDB protocol")


def _rooms(
    count: int, contenders: Sequence[Contender], effort: Effort, where: str = ""
) -> Iterator[Row]:
    crowd = Crowd(rooms=count, members=MEMBERS)
    case = Case(
        name=f"{count:,} rooms of {MEMBERS}{where}", facts={"rooms": count, "members": MEMBERS}
    )
    yield from rows(
        NAME, contenders, [case], posting(crowd, [Posting(in_flight=1)], effort), effort
    )
