"""The figures to reach, and what was measured of them.

All but memory and durations are ratios within one run, since machines differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.report.cells import FLOOR
from bench.report.lookup import figure
from bench.results import Report, Row

RAW: Final = "chat-gateway, raw"
SOCKETIO: Final = "chat-gateway, socketio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One figure: what it is of, its bound, and its value where it was measured.

    `floor` is what the bare C loop comes to in the same figure: a server that sends to each member
    for each message can be no better.
    """

    what: str
    bound: float
    at_least: bool
    value: float | None
    unit: str = "×"
    floor: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the bound is kept; None where nothing was measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def wanted(self) -> str:
        """The bound as people write it."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:,g} {self.unit}"

    @property
    def found(self) -> str:
        """The value as people write it."""
        return "not measured" if self.value is None else self._written(self.value)

    @property
    def floor_found(self) -> str:
        """The floor's value as people write it; empty where there is none."""
        return "" if self.floor is None else self._written(self.floor)

    def _written(self, value: float) -> str:
        digits = 2 if self.unit == "×" else 1 if value < 100 else 0
        return f"{value:,.{digits}f} {self.unit}"


def goals(report: Report) -> list[Goal]:
    """All of them, in the order of the design."""
    rows = report.rows
    return [
        *_cost(rows),
        *_throughput(rows),
        *_sizes(rows),
        _memory(rows, RAW, 12),
        _memory(rows, SOCKETIO, 24),
        Goal(
            what="1,000 rooms of 5, raw, SQLite: durable messages a second",
            bound=8000,
            at_least=True,
            value=figure(rows, "rooms", RAW, "messages_per_s", rooms=1000),
            unit="/s",
        ),
        Goal(
            what="resume of 10,000 missed events",
            bound=300,
            at_least=False,
            value=figure(rows, "resume", RAW, "resume_ms", events=10_000, clients=1),
            unit="ms",
        ),
    ]


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _cost(rows: Sequence[Row]) -> Iterator[Goal]:
    """Processor time of a delivery to a thousand members, one message under way."""
    for ours, other, bound in (
        (RAW, FLOOR, 1.3),
        (SOCKETIO, FLOOR, 1.3),
        (RAW, "Node ws", 0.7),
        (SOCKETIO, "Node socket.io", 0.6),
        (SOCKETIO, "python-socketio", 0.2),
        (RAW, "Centrifugo", 0.7),
    ):
        floor, value, beside = (
            figure(rows, "room", name, "server_us", members=1000, in_flight=1)
            for name in (FLOOR, ours, other)
        )
        yield Goal(
            what=f"1,000 members, 1 in flight: CPU a delivery, {ours} ÷ {other}",
            bound=bound,
            at_least=False,
            value=_ratio(value, beside),
            floor=_ratio(floor, beside) if other != FLOOR else None,
        )


def _throughput(rows: Sequence[Row]) -> Iterator[Goal]:
    """Deliveries a second to a thousand members, sixteen messages under way."""
    for ours, other, bound in (
        (RAW, "Node ws", 4),
        (SOCKETIO, "Node socket.io", 5),
        (SOCKETIO, "python-socketio", 20),
        (RAW, "Centrifugo", 1.2),
    ):
        yield Goal(
            what=f"1,000 members, 16 in flight: deliveries a second, {ours} ÷ {other}",
            bound=bound,
            at_least=True,
            value=_ratio(
                figure(rows, "room", ours, "deliveries_per_s", members=1000, in_flight=16),
                figure(rows, "room", other, "deliveries_per_s", members=1000, in_flight=16),
            ),
        )


def _sizes(rows: Sequence[Row]) -> Iterator[Goal]:
    """Processor time of a delivery at other sizes, against the floor at the same size."""
    for members in (100, 200, 9000, 10000):
        for ours in (RAW, SOCKETIO):
            floor = figure(rows, "room", FLOOR, "server_us", members=members, in_flight=1)
            if floor is None:
                continue
            yield Goal(
                what=f"{members:,} members, 1 in flight: CPU a delivery, {ours} ÷ {FLOOR}",
                bound=1.3,
                at_least=False,
                value=_ratio(
                    figure(rows, "room", ours, "server_us", members=members, in_flight=1), floor
                ),
            )


def _memory(rows: Sequence[Row], contender: str, bound: float) -> Goal:
    return Goal(
        what=f"10,000 idle connections: memory of each, {contender}",
        bound=bound,
        at_least=False,
        value=figure(rows, "idle", contender, "rss_kib_per_connection", connections=10_000),
        unit="KiB",
    )
