"""Sessions, their members and invites in MongoDB.

Without transactions, the order of writes keeps what readers see whole: a session appears after its
owner, and it is marked as gone before anything of it is deleted. A deletion that a crash cut short
is finished when a store is opened next.
"""

import asyncio
from typing import Final

from pymongo import ReturnDocument

from chat_gateway.domain.model import ChatSession, Invite, Member, Role, SessionSummary
from chat_gateway.domain.timestamps import rfc3339
from chat_gateway.store.mongo_client import Document, answering
from chat_gateway.store.mongo_events import MongoEvents
from chat_protocol import limits
from chat_protocol.codec import MESSAGE_TYPE

_GONE: Final = "gone:"
"""The slot of a session that is being deleted is this and its id."""

_BEYOND_GONE: Final = "gone;"
"""Sorts right behind all slots that begin with `_GONE`."""

_DELETED_AT_ONCE: Final = 2000
"""Events deleted by one command, so that no command takes longer than the driver waits."""


class MongoSessions(MongoEvents):
    """`SessionStore` over one MongoDB database."""

    async def open(self) -> None:
        """Connect, and finish the deletions that were cut short."""
        await super().open()
        async with answering():
            cursor = self._collection("ChatSession").find(
                {"slot": {"$gte": _GONE, "$lt": _BEYOND_GONE}}, {"_id": 1}
            )
            gone = await cursor.to_list(None)
        for document in gone:
            await self._delete_contents(document["_id"])

    async def create_session(self, session: ChatSession, owner: Member) -> ChatSession:
        """Store a session with its first member; where its slot is taken, return the one there."""
        async with answering():
            await self._insert_new("Member", _member_document(owner))
            while True:
                if await self._insert_new("ChatSession", _session_document(session)):
                    return session
                # None where its maker has not stored it on a majority yet.
                there = await self._find_session({"slot": session.slot})
                if there is not None:
                    break
            if there.id != session.id:
                await self._collection("Member").delete_one(
                    _member_key(session.id, owner.account_id)
                )
            return there

    async def session(self, session_id: str) -> ChatSession | None:
        """The session of this id."""
        async with answering():
            return await self._find_session({"_id": session_id})

    async def rename_session(self, session_id: str, title: str) -> bool:
        """Set the title; False where there is no such session."""
        async with answering():
            result = await self._collection("ChatSession").update_one(
                {"_id": session_id, "slot": {"$ne": _GONE + session_id}}, {"$set": {"title": title}}
            )
        return result.matched_count > 0

    async def delete_session(self, session_id: str) -> bool:
        """Delete a session with its members, invites and log; False where there was none."""
        async with answering():
            result = await self._collection("ChatSession").update_one(
                {"_id": session_id, "slot": {"$ne": _GONE + session_id}},
                {"$set": {"slot": _GONE + session_id}},
            )
        if result.matched_count == 0:
            return False
        await self._delete_contents(session_id)
        return True

    async def summaries(self, account_id: str) -> list[SessionSummary]:
        """All sessions that an account is a member of, the newest event (or session) first."""
        async with answering():
            own = await self._find_members({"accountId": account_id}, limit=None)
            found = await asyncio.gather(*map(self._summarise, own))
        dated = [one for one in found if one is not None]
        dated.sort(key=lambda one: (one[0], one[1].session.id), reverse=True)
        return [summary for _, summary in dated]

    async def summary(self, session_id: str, account_id: str) -> SessionSummary | None:
        """One session as a member sees it; None where they are not a member."""
        async with answering():
            own = await self._find_members(_member_key(session_id, account_id), limit=1)
            found = await self._summarise(own[0]) if own else None
        return None if found is None else found[1]

    async def add_member(self, member: Member) -> bool:
        """Add a member; False where they are one already (nothing is changed then)."""
        async with answering():
            return await self._insert_new("Member", _member_document(member))

    async def member(self, session_id: str, account_id: str) -> Member | None:
        """An account's membership."""
        async with answering():
            members = await self._find_members(_member_key(session_id, account_id), limit=1)
        return members[0] if members else None

    async def members(self, session_id: str, limit: int | None = None) -> list[Member]:
        """The members of a session, longest-standing first."""
        async with answering():
            return await self._find_members({"sessionId": session_id}, limit=limit)

    async def set_role(self, session_id: str, account_id: str, role: Role) -> bool:
        """Change a role; False where they are not a member."""
        async with answering():
            result = await self._collection("Member").update_one(
                _member_key(session_id, account_id), {"$set": {"role": role.value}}
            )
        return result.matched_count > 0

    async def remove_member(self, session_id: str, account_id: str) -> bool:
        """Remove a member; False where they were none."""
        async with answering():
            result = await self._collection("Member").delete_one(
                _member_key(session_id, account_id)
            )
        return result.deleted_count > 0

    async def owners(self, session_id: str) -> int:
        """How many owners a session has."""
        async with answering():
            return await self._count("Member", {"sessionId": session_id, "role": Role.OWNER.value})

    async def mark_read(self, session_id: str, account_id: str, seq: int) -> int:
        """Raise a member's `read_seq` to `seq`, never lower it; returns what stands then."""
        async with answering():
            document = await self._collection("Member").find_one_and_update(
                _member_key(session_id, account_id),
                {"$max": {"readSeq": seq}},
                return_document=ReturnDocument.AFTER,
            )
        return 0 if document is None else int(document["readSeq"])

    async def create_invite(self, invite: Invite) -> None:
        """Store an invite."""
        async with answering():
            await self._insert_new(
                "Invite",
                {
                    "_id": invite.code,
                    "sessionId": invite.session_id,
                    "createdBy": invite.created_by,
                    "expiresAtMs": invite.expires_at_ms,
                },
            )

    async def invite(self, code: str) -> Invite | None:
        """The invite of this code, also when it has expired."""
        async with answering():
            document = await self._collection("Invite").find_one({"_id": code})
        if document is None:
            return None
        return Invite(
            code=document["_id"],
            session_id=document["sessionId"],
            created_by=document["createdBy"],
            expires_at_ms=document["expiresAtMs"],
        )

    # --- parts of the above ---------------------------------------------------------------------

    async def _delete_contents(self, session_id: str) -> None:
        """Delete all of a session that is marked as gone, and the mark at last."""
        async with answering():
            await self._collection("Member").delete_many({"sessionId": session_id})
            await self._collection("Invite").delete_many({"sessionId": session_id})
        head = await self.head(session_id)
        for seq in range(_DELETED_AT_ONCE, head, _DELETED_AT_ONCE):
            async with answering():
                await self._collection("Message").delete_many(
                    {"sessionId": session_id, "seq": {"$lte": seq}}
                )
        async with answering():
            await self._collection("Message").delete_many({"sessionId": session_id})
            self._heads.pop(session_id, None)
            await self._collection("ChatSession").delete_one({"_id": session_id})

    async def _find_session(self, query: Document) -> ChatSession | None:
        document = await self._collection("ChatSession").find_one(query)
        if document is None or document["slot"].startswith(_GONE):
            return None
        return ChatSession(
            id=document["_id"],
            slot=document["slot"],
            title=document["title"],
            created_at_ms=document["createdAtMs"],
        )

    async def _find_members(self, query: Document, *, limit: int | None) -> list[Member]:
        cursor = self._collection("Member").find(
            query, sort=[("joinedAtMs", 1), ("accountId", 1)], limit=limit or 0
        )
        return [
            Member(
                session_id=document["sessionId"],
                account_id=document["accountId"],
                display_name=document["displayName"],
                role=Role(document["role"]),
                joined_at_ms=document["joinedAtMs"],
                read_seq=document["readSeq"],
            )
            for document in await cursor.to_list(limit)
        ]

    async def _count(self, collection: str, query: Document, *, limit: int = 0) -> int:
        """How many documents there are, counted up to `limit` (0: all).

        The driver's own `count_documents` is an aggregation, which not every server has.
        """
        answer = await self._database.command("count", collection, query=query, limit=limit)
        return int(answer["n"])

    async def _summarise(self, own: Member) -> tuple[str, SessionSummary] | None:
        """A session as a member sees it, and when its newest event was said."""
        session = await self._find_session({"_id": own.session_id})
        if session is None:
            return None
        newest = await self._newest(session.id)
        head = 0 if newest is None else int(newest["seq"])
        last, unread = None, 0
        if head > 0:
            last = await self._last_message(session.id)
        if head > own.read_seq:
            unread = await self._count(
                "Message",
                {
                    "sessionId": session.id,
                    "seq": {"$gt": own.read_seq},
                    "type": MESSAGE_TYPE,
                    "senderId": {"$ne": own.account_id},
                },
                limit=limits.UNREAD_COUNTED_MAX,
            )
        shown = await self._find_members({"sessionId": session.id}, limit=limits.MEMBERS_SHOWN_MAX)
        moved_at = rfc3339(session.created_at_ms) if newest is None else newest["createdAt"]
        return moved_at, SessionSummary(
            session=session,
            role=own.role,
            head=head,
            read_seq=own.read_seq,
            unread=unread,
            last_message=last,
            members=tuple(shown),
        )


def _session_document(session: ChatSession) -> Document:
    return {
        "_id": session.id,
        "slot": session.slot,
        "title": session.title,
        "createdAtMs": session.created_at_ms,
    }


def _member_document(member: Member) -> Document:
    return {
        **_member_key(member.session_id, member.account_id),
        "displayName": member.display_name,
        "role": member.role.value,
        "joinedAtMs": member.joined_at_ms,
        "readSeq": member.read_seq,
    }


def _member_key(session_id: str, account_id: str) -> Document:
    """What a membership is found by.

    The `_id` makes it unique and quick; the other two make it exact, since an account's id from
    another issuer may hold a space.
    """
    return {
        "_id": f"{session_id} {account_id}",
        "sessionId": session_id,
        "accountId": account_id,
    }
