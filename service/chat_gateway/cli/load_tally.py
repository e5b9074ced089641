"""What became of the messages of a load test, as its own connections saw it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

DURABLE = frozenset(
    {"message", "message.updated", "message.deleted", "reaction", "member", "session.updated"}
)


class View:
    """One connection's view of the session's log: every number must come once, and in order."""

    __slots__ = ("_last", "_missing", "duplicated", "mine", "reordered")

    def __init__(self, head: int) -> None:
        self._last = head
        self._missing: set[int] = set()
        self.mine = 0
        """Messages of the load test that came here."""
        self.duplicated = 0
        self.reordered = 0

    @property
    def holes(self) -> int:
        """Numbers before the last one that never came."""
        return len(self._missing)

    def heard(self, seq: int) -> bool:
        """An event came; whether it came for the first time."""
        if seq > self._last:
            self._missing.update(range(self._last + 1, seq))
            self._last = seq
        elif seq in self._missing:
            self._missing.discard(seq)
            self.reordered += 1
        else:
            self.duplicated += 1
            return False
        return True


@dataclass(slots=True)
class Tally:
    """All that happened: times in seconds, of the machine's monotonic clock."""

    posted: dict[str, float] = field(default_factory=dict)
    """When each message was posted, by its client message id."""
    acked: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)
    """How often the server answered with each error code."""
    ended: list[str] = field(default_factory=list)
    """Why connections ended that nobody had closed."""
    views: list[View] = field(default_factory=list)
    ack_s: list[float] = field(default_factory=list)
    receive_s: list[float] = field(default_factory=list)

    def post(self, message_id: str, at_s: float) -> None:
        """A message is about to be sent."""
        self.posted[message_id] = at_s

    def answer(self, message_id: str, said: dict[str, Any], at_s: float) -> None:
        """The server answered a message with an ack or an error."""
        if said["type"] == "ack":
            self.acked.add(message_id)
            self.ack_s.append(at_s - self.posted[message_id])
        else:
            self.error(said)

    def error(self, said: dict[str, Any]) -> None:
        """The server said an error."""
        code = str(said.get("code"))
        self.refused[code] = self.refused.get(code, 0) + 1

    def hear(self, view: View, said: dict[str, Any], at_s: float) -> None:
        """A connection got an event."""
        if said["type"] not in DURABLE or not view.heard(said["seq"]):
            return
        posted_s = self.posted.get(said.get("clientMessageId", ""))
        if posted_s is not None:
            view.mine += 1
            self.receive_s.append(at_s - posted_s)

    @property
    def is_settled(self) -> bool:
        """Whether everything posted was answered, and everything stored came everywhere."""
        return not self.unanswered and not self.lost

    @property
    def unanswered(self) -> int:
        """Messages that got neither an ack nor an error."""
        return len(self.posted) - len(self.acked) - sum(self.refused.values())

    @property
    def lost(self) -> int:
        """Deliveries of acknowledged messages that did not come, and holes in the log."""
        return sum(max(len(self.acked) - view.mine, view.holes) for view in self.views)

    @property
    def duplicated(self) -> int:
        """Events that came twice."""
        return sum(view.duplicated for view in self.views)

    @property
    def reordered(self) -> int:
        """Events that came after one with a higher number."""
        return sum(view.reordered for view in self.views)

    @property
    def went_wrong(self) -> bool:
        """Whether a promise was broken."""
        return bool(self.lost or self.duplicated or self.reordered)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so many (0 to 1) of the sorted values do not pass; 0.0 of none."""
    if not values:
        return 0.0
    return values[min(int(len(values) * share), len(values) - 1)]
