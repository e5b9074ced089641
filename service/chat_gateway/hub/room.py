"""A room: the live connections of one session, and what it is about to say to them."""

from itertools import islice

from chat_gateway.domain.model import Record
from chat_gateway.hub import fanout
from chat_gateway.hub.frames import Batch, Wire
from chat_gateway.hub.peer import Peer


class Room:
    """The peers of one session on this node.

    Everyone in it has been given, or is about to be given in this tick, every event up to
    `seq`. `highest` is the highest seq that the log is known to hold; where it is ahead of `seq`,
    events are missing and are being read from the store. `doubted` says that the log may hold more
    than that, and `known` that its head was read; nobody enters before. `users` counts who needs
    the room kept: its peers and those still catching up.
    """

    __slots__ = (
        "_online",
        "_peers",
        "doubted",
        "filling",
        "highest",
        "known",
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
        self._peers: dict[Wire, dict[Peer, None]] = {}
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
        batch = Batch(records)
        recipients = 0
        for wire, peers in list(self._peers.items()):
            recipients += len(peers)
            fanout.deliver(batch, wire, list(peers))
        return recipients

    def __contains__(self, peer: Peer) -> bool:
        return peer in self._peers.get(peer.wire, ())

    def is_empty(self) -> bool:
        """Whether nobody is in it."""
        return not self._peers

    def enter(self, peer: Peer) -> None:
        """Take a peer in."""
        self._peers.setdefault(peer.wire, {})[peer] = None
        if peer.caller is not None:
            account_id = peer.caller.account_id
            self._online[account_id] = self._online.get(account_id, 0) + 1

    def leave(self, peer: Peer) -> None:
        """Let a peer out."""
        peers = self._peers[peer.wire]
        del peers[peer]
        if not peers:
            del self._peers[peer.wire]
        if peer.caller is not None:
            account_id = peer.caller.account_id
            self._online[account_id] -= 1
            if not self._online[account_id]:
                del self._online[account_id]

    def online(self, last: str, limit: int) -> list[str]:
        """Account ids of those in the room, each once, then `last`; no more than `limit`."""
        others = (account_id for account_id in self._online if account_id != last)
        return [*islice(others, limit - 1), last]
