"""What the load generator is to do: whom to connect, as what, and which of them post."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

SENDERS_MAX: Final = 128
"""Members of a room that post; the others listen."""

MARK: Final = "%M"
"""Stands for the mark in a message: room, sender, number and time, 34 characters."""

CONTENT: Final = f"{MARK} Shall we meet at the station at seven and walk along the river?"
"""About a hundred characters once the mark is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Who is to be there: so many rooms of so many members each."""

    rooms: int
    members: int

    @property
    def senders(self) -> int:
        """Members of a room that post."""
        return min(self.members, SENDERS_MAX)

    @property
    def connections(self) -> int:
        """All of them."""
        return self.rooms * self.members


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How a connection comes to be ready.

    After the handshake a text with `first` in it is awaited (none where that is empty), then the
    connection's `hello` is sent, and a text with `ready` in it ends the wait. A text that is
    `ping` is answered by `pong`.
    """

    polls: bool = False
    first: str = ""
    ready: str = ""
    ping: str = ""
    pong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection. `message` is what it posts, with `MARK` in it; None: it only listens."""

    room: int
    wire: Wire
    path: str
    hello: str = ""
    message: str | None = None
    receive_buffer_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the load generator is told before it connects."""

    port: int
    pids: Sequence[int]
    crowd: Crowd
    connections: Sequence[Connection]
    expecting: int = 0
    """Messages after which a connection is done; 0 where that is not asked."""
    at_a_time: int = 200
    """Handshakes under way at once."""

    wires: Sequence[Wire] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wires", list(dict.fromkeys(c.wire for c in self.connections)))

    def lines(self) -> str:
        """As the load generator reads it: fields between tabs."""
        crowd = self.crowd
        lines = [
            ("server", "127.0.0.1", self.port),
            ("pids", " ".join(map(str, self.pids))),
            ("rooms", crowd.rooms, crowd.senders),
        ]
        lines += [
            ("wire", "poll" if w.polls else "ws", w.first, w.ready, w.ping, w.pong)
            for w in self.wires
        ]
        numbers = {wire: number for number, wire in enumerate(self.wires)}
        lines += [
            (
                "connection",
                c.room,
                numbers[c.wire],
                c.receive_buffer_bytes,
                c.path,
                c.hello,
                c.message or "",
            )
            for c in self.connections
        ]
        text = "".join("\t".join(map(_field, line)) + "\n" for line in lines)
        return text + f"expecting {self.expecting}\n"


def _field(value: object) -> str:
    return str(value).replace("\n", "\x1f")
