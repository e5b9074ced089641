"""Resume: clients come back and ask for ten thousand events that they missed.

The time runs from the first connect until the last client has the last event. Peers keep nothing,
so there is nobody to compare with.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench.plan import Crowd
from bench.results import Row
from bench.scenarios.measuring import Case, Effort, Measure, Sample, rows, serving
from bench.servers.base import Contender
from bench.servers.gateway import Gateway

NAME: Final = "resume"
EVENTS: Final = 10_000
CLIENTS: Final = (1, 100)


def measure(effort: Effort) -> Iterator[Row]:
    """The scenario."""
    raw = Gateway(ways=("raw",), history=EVENTS)
    for clients in CLIENTS:
        case = Case(
            name=f"{EVENTS:,} events by {clients} at once",
            facts={"events": EVENTS, "clients": clients},
        )
        contenders = [raw, replace(raw, ways=("socketio",))]
        yield from rows(NAME, contenders, [case], _resume(clients), effort)
    case = Case(
        name=f"{EVENTS:,} events by 1, from the MongoDB-protocol server",
        facts={"events": EVENTS, "clients": 1},
    )
    mongo = replace(raw, store="mongo")
    yield from rows(NAME, [mongo], [case], _resume(1), replace(effort, once=True))


def _resume(clients: int) -> Measure:
    crowd = Crowd(rooms=1, members=clients)

    def measure(contender: Contender) -> Iterator[Sample]:
        with serving(contender, crowd) as (_, generator):
            generator.connect(at_a_time=clients)
            done = generator.expect(EVENTS)
            times_s = sorted(done.each_s)
            yield Sample(
                figures={
                    "resume_ms": done.seconds * 1000,
                    "p50_ms": times_s[len(times_s) // 2] * 1000,
                    "p99_ms": times_s[len(times_s) * 99 // 100] * 1000,
                    "server_us": done.server_cpu_s / (EVENTS * clients) * 1e6,
                },
                correctness=done.correctness,
            )

    return measure
