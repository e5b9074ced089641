"""One live connection as rooms and use cases see it, whatever its transport.

A transport makes a `Peer` for each connection that it takes and implements the abstract methods.
When a connection's time is up (its proof of identity ran out, or it never gave one) is decided
here, from one number a peer: `due_s`.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Final

from chat_gateway.domain.caller import Caller
from chat_gateway.hub.frames import Batch, Wire
from chat_protocol import limits
from chat_protocol.errors import ProtocolError
from chat_protocol.events import ServerSays

BUFFER_MAX_BYTES: Final = 1 << 20
"""A peer for which more than this waits in this process when more is to be written is slow."""

CLOSE_GRACE_S: Final = 5.0
"""A peer that was told to go and does not read has so long before its transport is dropped."""

NEVER_S: Final = float("inf")

NO_SOCKET: Final = -1
"""The `fd` of a peer that has to be asked."""


class Peer(ABC):
    """One connection.

    `caller` is None until it is authenticated; `rooms` are the session ids it has joined.
    `opened_s` and `due_s` are on the clock's monotonic scale: at `due_s` the sweep (see
    `hub.connections`) calls `beat`.

    `fd` is the socket that takes ready-made frames as they are, kept up to date by the transport:
    `NO_SOCKET` wherever anything would have to go before them, or nothing may be said any more.
    """

    __slots__ = (
        "address",
        "caller",
        "due_s",
        "ended",
        "expires_s",
        "fd",
        "id",
        "opened_s",
        "rooms",
    )

    wire: ClassVar[Wire]

    def __init__(self, peer_id: str, *, address: str, opened_s: float) -> None:
        self.id = peer_id
        self.address = address
        self.opened_s = opened_s
        self.caller: Caller | None = None
        self.rooms: set[str] = set()
        self.ended = False
        self.fd = NO_SOCKET
        self.expires_s = opened_s + limits.AUTHENTICATE_WITHIN_S
        self.due_s = self.expires_s

    def authenticated(self, caller: Caller, *, now_s: float, now_ms: int) -> None:
        """Speak for `caller` from now on, until the proof runs out."""
        self.caller = caller
        self.expires_s = now_s + (caller.expires_at_ms - now_ms) / 1000
        self.due_s = min(self.expires_s, self.next_heartbeat_s(now_s))

    def beat(self, now_s: float) -> None:
        """Do what is due: end the connection whose time is up, else keep it alive."""
        if now_s >= self.expires_s:
            self.due_s = NEVER_S
            self.end(ProtocolError("token_expired" if self.caller else "unauthenticated"))
            return
        self.heartbeat(now_s)
        self.due_s = min(self.expires_s, self.next_heartbeat_s(now_s))

    @abstractmethod
    def deliver(self, batch: Batch, written_bytes: int = 0) -> None:
        """Write a room's events in one go, but for what its `fd` has been given of them already.

        Never blocks and never raises: a peer for which more than `BUFFER_MAX_BYTES` wait ends
        itself as a slow consumer, a closed one does nothing.
        """

    @abstractmethod
    def say(self, said: ServerSays) -> None:
        """Write one object that only this peer gets; bounded like `deliver`."""

    @abstractmethod
    async def drain(self, timeout_s: float) -> bool:
        """Wait until all that was written has left this process.

        False where that took longer than `timeout_s` or the connection is gone.
        """

    @abstractmethod
    def end(self, refusal: ProtocolError) -> None:
        """Say the error, then close with its code; drop the transport after `CLOSE_GRACE_S`.

        Sets `ended`; from then on nothing else is written. Calling it again does nothing.
        """

    @abstractmethod
    def heartbeat(self, now_s: float) -> None:
        """Ask the other side for a sign of life, or drop it if the last one stayed out."""

    @abstractmethod
    def next_heartbeat_s(self, now_s: float) -> float:
        """When to call `heartbeat` next; `NEVER_S` where the transport has its own."""
