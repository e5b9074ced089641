"""One of a thousand stops reading: the others go on as before, and the memory stays bounded.

The gateway tells such a reader `slow_consumer` and closes with 4008 once a mebibyte waits for it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench import usage
from bench.generator import load
from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Sample, rows, sample_of
from bench.servers import GATEWAYS, PEERS
from bench.servers.base import Contender

NAME: Final = "stalled"
MEMBERS: Final = 1000
IN_FLIGHT: Final = 128
STALLED_S: Final = 15.0
SMALL_BUFFER_BYTES: Final = 4096
SLOW_CONSUMER: Final = 4008


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    crowd = Crowd(rooms=1, members=MEMBERS)
    facts = {"members": MEMBERS, "in_flight": IN_FLIGHT}
    cases = [
        Case(name=f"{MEMBERS:,} members, all read", facts=facts),
        Case(name=f"{MEMBERS:,} members, one does not read", facts=facts),
    ]

    def stall(contender: Contender) -> Iterator[Sample]:
        contender.prepare()
        with contender.serve(crowd) as plan:
            last = replace(plan.connections[-1], receive_buffer_bytes=SMALL_BUFFER_BYTES)
            plan = replace(plan, connections=[*plan.connections[:-1], last])
            with load(plan) as generator:
                generator.connect(at_a_time=plan.at_a_time)
                yield sample_of(
                    generator.run(
                        seconds=effort.seconds, warm_up_s=effort.warm_up_s, in_flight=IN_FLIGHT
                    )
                )
                before_kib = usage.rss_kib(plan.pids)
                generator.stall()
                run = generator.run(seconds=STALLED_S, warm_up_s=0, in_flight=IN_FLIGHT)
                grown_kib = usage.rss_kib(plan.pids) - before_kib
                received, code = generator.release()
                sample = sample_of(run)
                end = f"closed with {code}" if code else "still open"
                yield replace(
                    sample,
                    figures={**sample.figures, "rss_growth_mib": grown_kib / 1024},
                    note=f"the one that stopped: {end} after {received:,} messages",
                )

    yield from rows(NAME, [*GATEWAYS, *PEERS], cases, stall, replace(effort, once=True))
