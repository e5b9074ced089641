"""Ten thousand connections that do nothing: what each keeps in memory, and how fast they came.

Memory is the server's resident set, before the first connection and once it has settled after the
last; what the kernel holds for the sockets is not in it. One look is enough: it hardly varies.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench import usage
from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Sample, rows, serving
from bench.servers import GATEWAYS, PEERS
from bench.servers.base import Contender

NAME: Final = "idle"
SETTLE_S: Final = 15.0
MEMBERS: Final = 5
ROOMS: Final = 2000
QUICK_ROOMS: Final = 400


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    crowd = Crowd(rooms=QUICK_ROOMS if effort.quick else ROOMS, members=MEMBERS)
    case = Case(name=f"{crowd.connections:,} connections", facts={"connections": crowd.connections})

    def hold(contender: Contender) -> Iterator[Sample]:
        with serving(contender, crowd) as (plan, generator):
            before_kib = usage.settled_rss_kib(plan.pids, within_s=SETTLE_S)
            connected = generator.connect(at_a_time=plan.at_a_time)
            after_kib = usage.settled_rss_kib(plan.pids, within_s=SETTLE_S)
            yield Sample(
                figures={
                    "rss_kib_per_connection": (after_kib - before_kib) / crowd.connections,
                    "rss_mib": after_kib / 1024,
                    "connect_s": connected.seconds,
                    "connect_us": connected.server_cpu_s / crowd.connections * 1e6,
                },
            )

    yield from rows(NAME, [*GATEWAYS, *PEERS], [case], hold, replace(effort, once=True))
