"""The contract suite runs on every store, each test with a database of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pymongo import MongoClient

from chat_gateway.store.base import Store
from tests.parts.stores import make_store

OpenStore = Callable[[], Awaitable[Store]]


@pytest.fixture
async def open_store(store_url: str) -> AsyncIterator[OpenStore]:
    """Opens a store of its own on the same database each time, as one more process would."""
    async with AsyncExitStack() as opened:

        async def open_one() -> Store:
            store = make_store(store_url)
            await store.open()
            opened.push_async_callback(store.close)
            return store

        yield open_one


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    """An open, empty store."""
    return await open_store()


@pytest.fixture
def atomic_updates(store_url: str) -> None:
    """Needed by tests of updates that race: FerretDB 1 finds a document first, updates it then."""
    if store_url.startswith("mongodb://"):
        with MongoClient[dict[str, Any]](store_url) as client:
            if "ferretdbVersion" in client.admin.command("buildInfo"):
                pytest.skip("FerretDB 1 does not update a document atomically")
