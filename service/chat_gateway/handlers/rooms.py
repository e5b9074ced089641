"""Join and leave: a connection in and out of a session's room."""

import structlog

from chat_gateway.domain.caller import Caller
from chat_gateway.handlers.membership import Membership
from chat_gateway.hub.hub import Hub
from chat_gateway.hub.peer import Peer
from chat_gateway.store.base import Store
from chat_protocol import limits
from chat_protocol.errors import ProtocolError
from chat_protocol.events import Joined

log = structlog.get_logger()


class Rooms:
    """Use cases of a connection's rooms."""

    def __init__(self, *, store: Store, hub: Hub, membership: Membership) -> None:
        self._store = store
        self._hub = hub
        self._membership = membership

    async def join(self, peer: Peer, caller: Caller, session_id: str, last_seq: int | None) -> int:
        """Say `joined`, then what came after `last_seq`, then enter the room; returns the head.

        A connection that has joined already joins anew. A `last_seq` beyond the head (the client
        has seen another log) recovers nothing and is told so. Raises `not_a_member`,
        `session_not_found`, `store_unavailable`.
        """
        await self._membership.of(session_id, caller.account_id)
        roster = await self._membership.roster(session_id)
        self._hub.leave(peer, session_id)
        room = await self._hub.hold(session_id)
        try:
            # Who was removed while this read must not slip in: from here to the next line that
            # waits, the connection is in `peer.rooms`, where a removal finds it.
            if not self._membership.is_known(session_id, caller.account_id):
                await self._membership.of(session_id, caller.account_id)
            head = room.seq
            recovered = last_seq is not None and last_seq <= head
            peer.rooms.add(session_id)
            peer.say(
                Joined(
                    session_id=session_id,
                    seq=head,
                    recovered=recovered,
                    members=roster.members,
                    online=room.online(caller.account_id, limits.MEMBERS_SHOWN_MAX),
                    receipts=roster.receipts,
                )
            )
            log.info(
                "Client registered",
                account=caller.account_id,
                session=session_id,
                connection=peer.id,
                wire=peer.wire,
                last_seq=last_seq,
            )
            await self._hub.catch_up(
                peer, room, last_seq if last_seq is not None and recovered else head
            )
            return head
        except ProtocolError:
            # It was told `joined`; now it is told that it has to join again.
            self._hub.leave(peer, session_id)
            raise
        finally:
            self._hub.release(room)

    async def leave(self, peer: Peer, caller: Caller, session_id: str) -> int:
        """Leave the room (membership stays); returns the log's head."""
        await self._membership.of(session_id, caller.account_id)
        self._hub.leave(peer, session_id)
        return await self._store.head(session_id)
