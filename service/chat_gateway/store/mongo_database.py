"""One MongoDB database."""

from collections.abc import Mapping
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from chat_gateway.store.base import StoreUnavailable
from chat_gateway.store.mongo_client import (
    DATABASE_NAME,
    Client,
    Collection,
    Database,
    answering,
    connect,
    disconnect,
)
from chat_gateway.store.mongo_schema import prepare

PING_TIMEOUT_S: Final = 1.8
OPEN_TIMEOUT_S: Final = 60.0
"""Making an index over a log that is there already takes its time."""


class MongoDatabase:
    """What the parts of the store share.

    `_heads` are the heads of logs as this process last left them. Another process may have
    appended since; then the next append collides with its event and reads the head anew.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None
        self._heads: dict[str, int] = {}

    async def open(self) -> None:
        """Connect, and make collections and indexes where they are missing."""
        try:
            async with answering(OPEN_TIMEOUT_S):
                self._client = connect(self._url)
                await self._database.command("ping")
                await prepare(self._database)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of all connections."""
        client, self._client = self._client, None
        if client is not None:
            await disconnect(client)

    async def ping(self) -> None:
        """Return when the server that takes writes answers; `StoreUnavailable` within 2 s."""
        async with answering(PING_TIMEOUT_S):
            await self._database.command("ping")

    @property
    def _database(self) -> Database:
        if self._client is None:
            raise StoreUnavailable("the store is closed")
        return self._client.get_default_database(DATABASE_NAME)

    def _collection(self, name: str) -> Collection:
        return self._database[name]

    async def _insert_new(self, collection: str, document: Mapping[str, Any]) -> bool:
        """Insert a document; False where a unique value of it is taken."""
        try:
            await self._collection(collection).insert_one(dict(document))
        except DuplicateKeyError:
            return False
        return True
