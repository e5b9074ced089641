"""Sessions: made, listed, renamed and deleted."""

from chat_gateway.clock import Clock
from chat_gateway.domain import rules
from chat_gateway.domain.caller import Caller
from chat_gateway.domain.ids import new_id
from chat_gateway.domain.model import ChatSession, Member, Role, SessionSummary
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.handlers.membership import Membership
from chat_gateway.hub.connections import Connections
from chat_gateway.log.appender import Log
from chat_gateway.store.base import Store
from chat_protocol.errors import ProtocolError
from chat_protocol.events import SessionUpdated


class Sessions:
    """Use cases of sessions. Strangers get `not_a_member`, for what is not there
    `session_not_found`.
    """

    def __init__(
        self,
        *,
        store: Store,
        log: Log,
        connections: Connections,
        membership: Membership,
        clock: Clock,
    ) -> None:
        self._store = store
        self._log = log
        self._connections = connections
        self._membership = membership
        self._clock = clock

    async def create(self, caller: Caller, title: str | None) -> SessionSummary:
        """Make a session that the caller owns; without a title it bears the caller's name."""
        session_id = new_id(self._clock.now_ms())
        return await self._create(caller, session_id, session_id, title)

    async def own(self, caller: Caller) -> SessionSummary:
        """The caller's own session, made on the first call however many come at once."""
        session_id = new_id(self._clock.now_ms())
        return await self._create(caller, session_id, rules.own_slot(caller.account_id), None)

    async def _create(
        self, caller: Caller, session_id: str, slot: str, title: str | None
    ) -> SessionSummary:
        now_ms = self._clock.now_ms()
        session = await self._store.create_session(
            ChatSession(
                id=session_id,
                slot=slot,
                title=title or caller.display_name,
                created_at_ms=now_ms,
            ),
            Member(
                session_id=session_id,
                account_id=caller.account_id,
                display_name=caller.display_name,
                role=Role.OWNER,
                joined_at_ms=now_ms,
            ),
        )
        self._membership.forget(session.id, caller.account_id)
        return await self._summary(caller, session.id)

    async def list(self, caller: Caller) -> list[SessionSummary]:
        """All sessions of the caller, the one with the newest event first."""
        return await self._store.summaries(caller.account_id)

    async def get(self, caller: Caller, session_id: str) -> SessionSummary:
        """One session of the caller."""
        await self._membership.of(session_id, caller.account_id)
        return await self._summary(caller, session_id)

    async def rename(self, caller: Caller, session_id: str, title: str) -> SessionSummary:
        """Give a session another title; the one it has changes nothing. Raises `forbidden`."""
        async with self._membership.turns.of(session_id):
            member = await self._membership.of(session_id, caller.account_id)
            rules.authorize_rename(member.role)
            before = await self._store.session(session_id)
            if before is None or not await self._store.rename_session(session_id, title):
                raise ProtocolError("session_not_found")
            if before.title != title:
                now_ms = self._clock.now_ms()
                await self._log.append(
                    SessionUpdated(
                        session_id=session_id,
                        id=new_id(now_ms),
                        sender_id=caller.account_id,
                        created_at=rfc3339(now_ms),
                        title=title,
                    )
                )
            return await self._summary(caller, session_id)

    async def delete(self, caller: Caller, session_id: str) -> None:
        """Delete a session with all that is in it; its connections are closed (4504) or told.

        Raises `forbidden`.
        """
        async with self._membership.turns.of(session_id):
            member = await self._membership.of(session_id, caller.account_id)
            rules.authorize_delete(member.role)
            deleted = await self._store.delete_session(session_id)
            self._membership.forget_session(session_id)
            self._connections.end_session(session_id)
            if not deleted:
                raise ProtocolError("session_not_found")

    async def _summary(self, caller: Caller, session_id: str) -> SessionSummary:
        summary = await self._store.summary(session_id, caller.account_id)
        if summary is None:
            # It went between two reads.
            self._membership.forget(session_id, caller.account_id)
            await self._membership.of(session_id, caller.account_id)
            raise ProtocolError("session_not_found")
        return summary
