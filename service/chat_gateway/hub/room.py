"""A room: the live connections of one session, and what it is about to say to them."""

from chat_gateway.domain.model import Record
from chat_gateway.hub.frames import Batch
from chat_gateway.hub.peer import Peer


class Room:
    """The peers of one session on this node.

    Everyone in `peers` has been given, or is about to be given in this tick, every event up to
    `seq`. `highest` is the highest seq that the log is known to hold; where it is ahead of `seq`,
    events are missing and are being read from the store. `doubted` says that the log may hold more
    than that, and `known` that its head was read; nobody enters before. `users` counts who needs
    the room kept: its peers and those still catching up.
    """

    __slots__ = (
        "doubted",
        "filling",
        "highest",
        "known",
        "peers",
        "seq",
        "session_id",
        "users",
        "waiting",
    )

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.known = False
        self.seq = 0
        self.highest = 0
        self.peers: dict[Peer, None] = {}
        self.users = 0
        self.waiting: list[Record] = []
        self.filling = False
        self.doubted = False

    def flush(self) -> int:
        """Write what waits to every peer, once; returns the number of recipients."""
        records = self.waiting
        if not records:
            return 0
        self.waiting = []
        peers = list(self.peers)
        batch = Batch(records)
        for peer in peers:
            peer.deliver(batch)
        return len(peers)

    def online(self) -> list[str]:
        """Account ids of those in the room, each once, in the order of their coming."""
        return list(dict.fromkeys(p.caller.account_id for p in self.peers if p.caller is not None))
