"""A room: the live connections of one session, and what it is about to say to them."""

from itertools import islice

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
        "_online",
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
        self._online: dict[str, int] = {}

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

    def enter(self, peer: Peer) -> None:
        """Take a peer in."""
        self.peers[peer] = None
        if peer.caller is not None:
            account_id = peer.caller.account_id
            self._online[account_id] = self._online.get(account_id, 0) + 1

    def leave(self, peer: Peer) -> None:
        """Let a peer out."""
        del self.peers[peer]
        if peer.caller is not None:
            account_id = peer.caller.account_id
            self._online[account_id] -= 1
            if not self._online[account_id]:
                del self._online[account_id]

    def online(self, last: str, limit: int) -> list[str]:
        """Account ids of those in the room, each once, then `last`; no more than `limit`."""
        others = (account_id for account_id in self._online if account_id != last)
        return [*islice(others, limit - 1), last]
