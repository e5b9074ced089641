"""The counters that `/metrics` shows, in Prometheus' words.

One object per service, with a registry of its own, so that two services in one process (the
tests) do not share numbers. `docs/operations.md` says what to watch.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_APPEND_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


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
        self.commands = Counter(
            "chat_commands", "Commands taken from sockets.", ["type"], registry=self.registry
        )
        self.errors = Counter(
            "chat_errors", "Refusals told to clients, by code.", ["code"], registry=self.registry
        )
        self.events = Counter(
            "chat_events", "Durable events stored by this node.", ["type"], registry=self.registry
        )
        self.deliveries = Counter(
            "chat_deliveries",
            "Durable events written to live connections.",
            registry=self.registry,
        )
        self.append_seconds = Histogram(
            "chat_append_seconds",
            "From asking for an append to its being durable.",
            buckets=_APPEND_BUCKETS_S,
            registry=self.registry,
        )
        self.append_batch_events = Histogram(
            "chat_append_batch_events",
            "Events that one write of the store carried.",
            buckets=_BATCH_BUCKETS,
            registry=self.registry,
        )
        self._commands: dict[str, Counter] = {}
        self._events: dict[str, Counter] = {}
        self.requests = Counter(
            "chat_http_requests",
            "REST requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )

    def command(self, kind: str) -> None:
        """Count a command."""
        _child(self._commands, self.commands, kind).inc()

    def stored(self, kind: str) -> None:
        """Count an event that was stored."""
        _child(self._events, self.events, kind).inc()

    def exposition(self) -> bytes:
        """All of them in Prometheus' text format, version 0.0.4."""
        return generate_latest(self.registry)


def _child(known: dict[str, Counter], parent: Counter, label: str) -> Counter:
    """The counter of one label, looked up without the lock that `labels` takes each time."""
    child = known.get(label)
    if child is None:
        child = known[label] = parent.labels(label)
    return child
