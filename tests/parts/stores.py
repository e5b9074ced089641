"""Every store, for suites that have to pass on all of them."""

from pathlib import Path
from typing import Final

import pytest

from chat_gateway.store.base import Store
from chat_gateway.store.mongo import MongoStore
from chat_gateway.store.sqlite import SqliteStore

STORES: Final = ("sqlite", "mongo")

STORE_PARAMETERS: Final = ["sqlite", pytest.param("mongo", marks=pytest.mark.mongo)]
"""`STORES` as the parameters of a fixture; the MongoDB one carries its marker."""


@pytest.fixture(params=STORE_PARAMETERS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh store of each kind, as the setting `store` takes it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'chat.db'}"
    url: str = request.getfixturevalue("mongo_url")
    return url


def make_store(url: str) -> Store:
    """The store of a URL, not opened yet."""
    if url.startswith("sqlite:///"):
        return SqliteStore(Path(url.removeprefix("sqlite:///")))
    return MongoStore(url)
