"""Accounts, logins and tickets in MongoDB."""

from chat_gateway.domain.model import Account, Login, Ticket
from chat_gateway.store.mongo_client import Document, answering
from chat_gateway.store.mongo_database import MongoDatabase


class MongoAccounts(MongoDatabase):
    """`AccountStore` over one MongoDB database."""

    async def create_account(self, account: Account) -> bool:
        """Store an account; False where its id or email is taken."""
        document: Document = {
            "_id": account.id,
            "displayName": account.display_name,
            "createdAtMs": account.created_at_ms,
        }
        if account.email is not None:
            document["email"] = account.email
        if account.password_hash is not None:
            document["passwordHash"] = account.password_hash
        async with answering():
            return await self._insert_new("Account", document)

    async def account(self, account_id: str) -> Account | None:
        """The account of this id."""
        return await self._find_account({"_id": account_id})

    async def account_by_email(self, email: str) -> Account | None:
        """The account of this email, given lower-case."""
        return await self._find_account({"email": email})

    async def create_login(self, login: Login) -> None:
        """Store a login."""
        async with answering():
            await self._insert_new(
                "Login",
                {
                    "_id": login.id,
                    "accountId": login.account_id,
                    "refreshHash": login.refresh_hash,
                    "expiresAtMs": login.expires_at_ms,
                },
            )

    async def login(self, login_id: str) -> Login | None:
        """The login of this id, also when it has expired."""
        async with answering():
            document = await self._collection("Login").find_one({"_id": login_id})
        if document is None:
            return None
        return Login(
            id=document["_id"],
            account_id=document["accountId"],
            refresh_hash=document["refreshHash"],
            expires_at_ms=document["expiresAtMs"],
        )

    async def rotate_login(
        self, login_id: str, *, old_hash: str, new_hash: str, expires_at_ms: int
    ) -> bool:
        """Put `new_hash` where `old_hash` stands, atomically; False where it does not."""
        async with answering():
            result = await self._collection("Login").update_one(
                {"_id": login_id, "refreshHash": old_hash},
                {"$set": {"refreshHash": new_hash, "expiresAtMs": expires_at_ms}},
            )
        return result.matched_count > 0

    async def delete_login(self, login_id: str) -> bool:
        """Forget a login; False where there was none."""
        async with answering():
            result = await self._collection("Login").delete_one({"_id": login_id})
        return result.deleted_count > 0

    async def create_ticket(self, ticket: Ticket) -> None:
        """Store a ticket."""
        async with answering():
            await self._insert_new(
                "Ticket",
                {
                    "_id": ticket.hash,
                    "accountId": ticket.account_id,
                    "loginId": ticket.login_id,
                    "tokenExpiresAtMs": ticket.token_expires_at_ms,
                    "expiresAtMs": ticket.expires_at_ms,
                },
            )

    async def take_ticket(self, ticket_hash: str) -> Ticket | None:
        """Take a ticket out, so that of all callers one gets it."""
        async with answering():
            document = await self._collection("Ticket").find_one({"_id": ticket_hash})
            if document is None:
                return None
            # Not every server finds and deletes in one step; a deletion counts once on all.
            deleted = await self._collection("Ticket").delete_one({"_id": ticket_hash})
        if deleted.deleted_count == 0:
            return None
        return Ticket(
            hash=document["_id"],
            account_id=document["accountId"],
            login_id=document["loginId"],
            token_expires_at_ms=document["tokenExpiresAtMs"],
            expires_at_ms=document["expiresAtMs"],
        )

    async def delete_expired(self, now_ms: int) -> None:
        """Forget logins, tickets and invites that expired before `now_ms`."""
        async with answering():
            for name in ("Login", "Ticket", "Invite"):
                await self._collection(name).delete_many({"expiresAtMs": {"$lt": now_ms}})

    async def _find_account(self, query: Document) -> Account | None:
        async with answering():
            document = await self._collection("Account").find_one(query)
        if document is None:
            return None
        return Account(
            id=document["_id"],
            email=document.get("email"),
            display_name=document["displayName"],
            password_hash=document.get("passwordHash"),
            created_at_ms=document["createdAtMs"],
        )
