"""Five thousand connect in the same moment, as after a restart.

The gateway verifies every token, and reads its login and membership from the store; peers let in
whoever comes.
"""

from collections.abc import Iterator
from typing import Final

from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Sample, rows, serving
from bench.servers import GATEWAYS, PEERS
from bench.servers.base import Contender

NAME: Final = "storm"
MEMBERS: Final = 5
ROOMS: Final = 1000
QUICK_ROOMS: Final = 200


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    crowd = Crowd(rooms=QUICK_ROOMS if effort.quick else ROOMS, members=MEMBERS)
    case = Case(
        name=f"{crowd.connections:,} connect at once", facts={"connections": crowd.connections}
    )

    def connect(contender: Contender) -> Iterator[Sample]:
        with serving(contender, crowd) as (_, generator):
            connected = generator.connect(at_a_time=crowd.connections)
            times_s = sorted(connected.each_s)
            yield Sample(
                figures={
                    "connect_s": connected.seconds,
                    "connect_us": connected.server_cpu_s / crowd.connections * 1e6,
                    "p50_ms": times_s[len(times_s) // 2] * 1000,
                    "p99_ms": times_s[len(times_s) * 99 // 100] * 1000,
                },
            )

    yield from rows(NAME, [*GATEWAYS, *PEERS], [case], connect, effort)
