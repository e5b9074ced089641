"""The counters that `/metrics` shows, in Prometheus' words.

One object per service, with a registry of its own, so that two services in one process (the
tests) do not share numbers. `docs/operations.md` says what to watch.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

_APPEND_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Tally(Collector):
    """A counter for what happens with every message: an addition, without the library's lock.

    Only the event loop counts, and only the event loop reads.
    """

    def __init__(self, name: str, documentation: str, label: str | None = None) -> None:
        self._name = name
        self._documentation = documentation
        self._labelnames = [label] if label is not None else []
        self._counts: dict[str, int] = {} if label is not None else {"": 0}

    def add(self, count: int, label: str = "") -> None:
        """Count so many more, of this label's value."""
        self._counts[label] = self._counts.get(label, 0) + count

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What prometheus_client shows."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labelnames)
        for label, count in self._counts.items():
            family.add_metric([label] if self._labelnames else [], count)
        yield family


class Metrics:
    """All metrics of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.connections = Gauge(
            "chat_connections", "Live connections.", ["wire"], registry=self.registry
        )
        self.connections_opened = Counter(
            "chat_connections_opened", "Connections taken.", ["wire"], registry=self.registry
        )
        self.closes = Counter(
            "chat_closes",
            "Connections ended, by close code.",
            ["wire", "code"],
            registry=self.registry,
        )
        self.commands = Tally("chat_commands", "Commands taken from sockets.", "type")
        self.errors = Counter(
            "chat_errors", "Refusals told to clients, by code.", ["code"], registry=self.registry
        )
        self.events = Tally("chat_events", "Durable events stored by this node.", "type")
        self.deliveries = Tally("chat_deliveries", "Durable events written to live connections.")
        for tally in (self.commands, self.events, self.deliveries):
            self.registry.register(tally)
        self.append_seconds = Histogram(
            "chat_append_seconds",
            "From asking for an append to its being durable, for the one of a write that waited "
            "longest.",
            buckets=_APPEND_BUCKETS_S,
            registry=self.registry,
        )
        self.append_batch_events = Histogram(
            "chat_append_batch_events",
            "Events that one write of the store carried.",
            buckets=_BATCH_BUCKETS,
            registry=self.registry,
        )
        self.requests = Counter(
            "chat_http_requests",
            "REST requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )

    def exposition(self) -> bytes:
        """All of them in Prometheus' text format, version 0.0.4."""
        return generate_latest(self.registry)
