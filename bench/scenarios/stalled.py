"""One of a thousand stops reading: the others go on as before, and the memory stays bounded.

The gateway tells such a reader `slow_consumer` and closes with 4008 once a mebibyte waits for it;
one that does not read that either is dropped after five seconds. Memory is compared with a run of
the same length in which all read: the store's cache fills in both.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench import usage
from bench.generator import Load, load
from bench.plan import Crowd, Plan
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Sample, rows, sample_of
from bench.servers import GATEWAYS, PEERS
from bench.servers.base import Contender

NAME: Final = "stalled"
MEMBERS: Final = 1000
IN_FLIGHT: Final = 128
RUN_S: Final = 15.0
SMALL_BUFFER_BYTES: Final = 4096


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
                yield _watched(generator, plan)
                generator.stall()
                stalled = _watched(generator, plan)
                yield replace(stalled, note=f"the one that stopped: {generator.release()}")

    yield from rows(NAME, [*GATEWAYS, *PEERS], cases, stall, replace(effort, once=True))


def _watched(generator: Load, plan: Plan) -> Sample:
    """Post for a while; also by how much the server's memory grew."""
    before_kib = usage.rss_kib(plan.pids)
    sample = sample_of(generator.run(seconds=RUN_S, warm_up_s=0, in_flight=IN_FLIGHT))
    grown_mib = (usage.rss_kib(plan.pids) - before_kib) / 1024
    return replace(sample, figures={**sample.figures, "rss_growth_mib": grown_mib})
