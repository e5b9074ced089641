"""The driver: the one file that imports Motor.

Motor gets only critical fixes until May 2027, and PyMongo's own async client takes its place. The
other files call nothing that this client does not have under the same name, so that the move is
this file: `AsyncMongoClient` for `AsyncIOMotorClient`, and `await client.close()`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo.errors import PyMongoError

from chat_gateway.store.base import StoreUnavailable

Document: TypeAlias = dict[str, Any]
Client: TypeAlias = "AsyncIOMotorClient[Document]"
Database: TypeAlias = "AsyncIOMotorDatabase[Document]"
Collection: TypeAlias = "AsyncIOMotorCollection[Document]"

DATABASE_NAME: Final = "chat_gateway"
"""The database where the URL names none."""

SERVER_SELECTION_TIMEOUT_MS: Final = 1500
SOCKET_TIMEOUT_MS: Final = 5000
ANSWER_TIMEOUT_S: Final = 8.0
"""An operation is given up after this time, whatever it waits for."""


def connect(url: str) -> Client:
    """A client whose writes are on disk on a majority of servers before they return.

    It connects when it is first used. Reads see only what such a majority has, so that nothing
    that was read can be undone by a failover.
    """
    return AsyncIOMotorClient(
        url,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT_MS,
        connectTimeoutMS=SERVER_SELECTION_TIMEOUT_MS,
        socketTimeoutMS=SOCKET_TIMEOUT_MS,
        appname="chat-gateway",
    )


async def disconnect(client: Client) -> None:
    """Close all connections. Motor says good-bye to the server meanwhile, hence the thread."""
    await asyncio.to_thread(client.close)


@asynccontextmanager
async def answering(within_s: float = ANSWER_TIMEOUT_S) -> AsyncIterator[None]:
    """What the server refuses, or does not answer in time, is `StoreUnavailable`."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except PyMongoError as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
    except TimeoutError:
        raise StoreUnavailable(f"no answer within {within_s} s") from None
