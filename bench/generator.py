"""The load generator's process, and what it reports."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import cores, native
from bench.plan import Plan


class LoadFailed(Exception):
    """The load generator could not do what was asked; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correctness:
    """What must be 0: deliveries that never came, came twice, or came in another order."""

    lost: int
    duplicated: int
    reordered: int
    misrouted: int = 0
    ended: int = 0
    """Connections that ended unasked."""

    def __add__(self, other: "Correctness") -> "Correctness":
        return Correctness(
            # What was lost stays lost, and is counted again by the next look.
            lost=max(self.lost, other.lost),
            duplicated=self.duplicated + other.duplicated,
            reordered=self.reordered + other.reordered,
            misrouted=self.misrouted + other.misrouted,
            ended=max(self.ended, other.ended),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """How connecting went."""

    seconds: float
    ready: int
    failed: int
    failure: str
    server_cpu_s: float
    load_cpu_s: float
    each_s: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What happened in the measured time of a run, and whether all of it came right.

    `delivered` counts a message once for each recipient, `completed` once when the last has it.
    """

    seconds: float
    posted: int
    delivered: int
    completed: int
    server_cpu_s: float
    load_cpu_s: float
    latency_ns: Sequence[tuple[int, int]]
    correctness: Correctness

    @property
    def deliveries_per_s(self) -> float:
        """Deliveries a second."""
        return self.delivered / self.seconds

    @property
    def messages_per_s(self) -> float:
        """Messages that all their recipients got, a second."""
        return self.completed / self.seconds

    @property
    def server_us(self) -> float:
        """Processor time of the server, microseconds a delivery."""
        return self.server_cpu_s / max(self.delivered, 1) * 1e6

    @property
    def load_share(self) -> float:
        """How busy the load generator was: near 1 it was the limit."""
        return self.load_cpu_s / self.seconds

    def latency_ms(self, share: float) -> float:
        """Within this time so many (0 to 1) of the deliveries came after their posting."""
        left = share * sum(count for _, count in self.latency_ns)
        for from_ns, count in self.latency_ns:
            left -= count
            if left <= 0:
                return from_ns / 1e6
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How long it took until every connection had what it expected, since connecting began."""

    seconds: float
    done: int
    server_cpu_s: float
    each_s: Sequence[float]
    correctness: Correctness


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What a connection that was not read from held in the end: messages, and how it ended.

    `close_code` is 0 where no close frame came: it is open still, or was dropped.
    """

    received: int
    ended: bool
    close_code: int

    def __str__(self) -> str:
        if self.close_code:
            end = f"closed with {self.close_code}"
        else:
            end = "dropped" if self.ended else "still open"
        return f"{end} after {self.received:,} messages"


class Load:
    """A running load generator; made by `load`."""

    def __init__(self, process: "subprocess.Popen[str]", plan: Plan) -> None:
        self._process = process
        self._connections = len(plan.connections)
        self._tell(plan.lines())

    def connect(self, *, at_a_time: int = 200, timeout_s: float = 300.0) -> Connected:
        """Open all connections. Raises `LoadFailed` where one could not be."""
        said = self._ask(f"connect {at_a_time} {timeout_s}")
        connected = Connected(**said)
        if connected.failed:
            raise LoadFailed(f"{connected.failed} could not connect: {connected.failure}")
        if connected.ready < self._connections:
            late = self._connections - connected.ready
            raise LoadFailed(f"{late} were not connected within {timeout_s:.0f} s")
        return connected

    def run(
        self,
        *,
        seconds: float,
        warm_up_s: float,
        in_flight: int = 0,
        per_s: float = 0.0,
        drain_s: float = 60.0,
    ) -> Run:
        """Keep `in_flight` messages of each room under way, or post `per_s` over all rooms."""
        said = self._ask(f"run {seconds} {warm_up_s} {in_flight} {per_s} {drain_s}")
        return Run(
            correctness=_correctness(said),
            latency_ns=[(from_ns, count) for from_ns, count in said.pop("latency_ns")],
            **said,
        )

    def expect(self, each: int, *, timeout_s: float = 120.0) -> Expected:
        """Wait until every connection has got so many messages."""
        said = self._ask(f"expect {each} {timeout_s}")
        return Expected(correctness=_correctness(said), **said)

    def stall(self) -> None:
        """Stop reading the last connection."""
        self._ask("stall")

    def release(self, *, timeout_s: float = 10.0) -> Released:
        """Read the last connection to its end, or for the time given."""
        return Released(**self._ask(f"release {timeout_s}"))

    def _ask(self, command: str) -> dict[str, Any]:
        self._tell(command + "\n")
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise LoadFailed(f"the load generator ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _tell(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise LoadFailed(f"the load generator ended with {self._process.wait()}") from None


def _correctness(said: dict[str, Any]) -> Correctness:
    names = ("lost", "duplicated", "reordered", "misrouted", "ended")
    return Correctness(**{name: said.pop(name) for name in names if name in said})


@contextmanager
def load(plan: Plan) -> Iterator[Load]:
    """A load generator on its core, for the time of the block."""
    executable = native.load_generator()
    with cores.on(cores.LOAD):
        process = subprocess.Popen(
            [str(executable)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    try:
        yield Load(process, plan)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
