"""Members of a session: listed, added, invited, given roles, and removed.

What is stored comes first, then the cache of facts is told, then everyone in the session (a
`member` event), and last the connections of who was removed.
"""

import secrets
from typing import Final, Literal

from chat_gateway.clock import Clock
from chat_gateway.domain import rules
from chat_gateway.domain.caller import Caller
from chat_gateway.domain.emails import normal_email
from chat_gateway.domain.ids import new_id
from chat_gateway.domain.model import Invite, Member, Role, SessionSummary
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.handlers.membership import Membership
from chat_gateway.hub.connections import Connections
from chat_gateway.log.appender import Log
from chat_gateway.store.base import Store
from chat_protocol.errors import ProtocolError
from chat_protocol.events import MemberChanged

INVITE_LIFETIME_MS: Final = 7 * 24 * 3600 * 1000
"""An invite may be accepted for a week, by any number of accounts."""

_CODE_BYTES: Final = 16

_Action = Literal["joined", "left", "removed", "role"]


class Members:
    """Use cases of memberships. Strangers get `not_a_member`, for what is not there
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

    async def list(self, caller: Caller, session_id: str) -> list[Member]:
        """All members, the longest-standing first."""
        await self._membership.of(session_id, caller.account_id)
        return await self._store.members(session_id)

    async def add(self, caller: Caller, session_id: str, email: str) -> Member:
        """Make the account of this email a member.

        Raises `forbidden`, `account_not_found`, `already_a_member`.
        """
        async with self._membership.turns.of(session_id):
            rules.authorize_add((await self._membership.of(session_id, caller.account_id)).role)
            account = await self._store.account_by_email(normal_email(email))
            if account is None:
                raise ProtocolError("account_not_found")
            member = self._new_member(session_id, account.id, account.display_name)
            if not await self._add(caller, member):
                raise ProtocolError("already_a_member")
            return member

    async def change_role(
        self, caller: Caller, session_id: str, account_id: str, role: Role
    ) -> Member:
        """Give a member another role; the one they have changes nothing.

        Raises `forbidden`, `member_not_found`, `last_owner`.
        """
        async with self._membership.turns.of(session_id):
            actor = await self._membership.of(session_id, caller.account_id)
            rules.authorize_change_role(actor.role)
            target = await self._target(session_id, account_id)
            if target.role is role:
                return target
            await self._keep_owners(target)
            if not await self._store.set_role(session_id, account_id, role):
                raise ProtocolError("member_not_found")
            self._membership.forget(session_id, account_id)
            await self._tell(caller, target, role, "role")
            return await self._target(session_id, account_id)

    async def remove(self, caller: Caller, session_id: str, account_id: str) -> None:
        """Remove a member, or leave where it is the caller; live connections go with it (4503).

        Raises `forbidden`, `member_not_found`, `last_owner`.
        """
        async with self._membership.turns.of(session_id):
            actor = await self._membership.of(session_id, caller.account_id)
            target = await self._target(session_id, account_id)
            leaves = account_id == caller.account_id
            if not leaves:
                rules.authorize_remove(actor.role, target.role)
            await self._keep_owners(target)
            if not await self._store.remove_member(session_id, account_id):
                raise ProtocolError("member_not_found")
            self._membership.forget(session_id, account_id)
            try:
                await self._tell(caller, target, target.role, "left" if leaves else "removed")
            finally:
                self._connections.end_membership(session_id, account_id)

    async def invite(self, caller: Caller, session_id: str) -> Invite:
        """Make an invite. Raises `forbidden`."""
        rules.authorize_invite((await self._membership.of(session_id, caller.account_id)).role)
        invite = Invite(
            code=secrets.token_urlsafe(_CODE_BYTES),
            session_id=session_id,
            created_by=caller.account_id,
            expires_at_ms=self._clock.now_ms() + INVITE_LIFETIME_MS,
        )
        await self._store.create_invite(invite)
        return invite

    async def accept(self, caller: Caller, code: str) -> SessionSummary:
        """Become a member by an invite; a member stays what they are.

        Raises `invite_not_found` for a code that is unknown or has expired, and where the one who
        made it may not invite any more.
        """
        invite = await self._store.invite(code)
        if invite is None or invite.expires_at_ms <= self._clock.now_ms():
            raise ProtocolError("invite_not_found")
        session_id = invite.session_id
        async with self._membership.turns.of(session_id):
            try:
                inviter = await self._membership.of(session_id, invite.created_by)
                rules.authorize_invite(inviter.role)
            except ProtocolError as refusal:
                if refusal.spec.http_status >= 500:
                    raise
                raise ProtocolError("invite_not_found") from None
            await self._add(
                caller, self._new_member(session_id, caller.account_id, caller.display_name)
            )
        summary = await self._store.summary(session_id, caller.account_id)
        if summary is None:
            raise ProtocolError("not_a_member")
        return summary

    def _new_member(self, session_id: str, account_id: str, display_name: str) -> Member:
        return Member(
            session_id=session_id,
            account_id=account_id,
            display_name=display_name,
            role=Role.MEMBER,
            joined_at_ms=self._clock.now_ms(),
        )

    async def _add(self, caller: Caller, member: Member) -> bool:
        if not await self._store.add_member(member):
            return False
        self._membership.forget(member.session_id, member.account_id)
        await self._tell(caller, member, member.role, "joined")
        return True

    async def _target(self, session_id: str, account_id: str) -> Member:
        target = await self._store.member(session_id, account_id)
        if target is None:
            raise ProtocolError("member_not_found")
        return target

    async def _keep_owners(self, target: Member) -> None:
        if target.role is not Role.OWNER:
            return
        session = await self._store.session(target.session_id)
        if session is None:
            raise ProtocolError("session_not_found")
        rules.keep_an_owner(target.role, await self._store.owners(target.session_id))
        rules.keep_own_session(session.slot, target.account_id)

    async def _tell(self, caller: Caller, member: Member, role: Role, action: _Action) -> None:
        now_ms = self._clock.now_ms()
        await self._log.append(
            MemberChanged(
                session_id=member.session_id,
                id=new_id(now_ms),
                sender_id=caller.account_id,
                created_at=rfc3339(now_ms),
                account_id=member.account_id,
                display_name=member.display_name,
                role=role.value,
                action=action,
            )
        )
