"""What stands in MongoDB: readable, indexed, and finished after a crash."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from motor import motor_asyncio
from pymongo import MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.database import Database

import chat_gateway
from chat_gateway.domain.model import Invite, Role
from chat_gateway.store.mongo import MongoStore
from tests.store.making import T0_MS, add_session, make_joined, make_member, make_message

SOURCES = sorted(Path(chat_gateway.__file__).parent.rglob("*.py"))
DRIVER = "mongo_client.py"

PAIRS: list[tuple[type, type]] = [
    (motor_asyncio.AsyncIOMotorClient, AsyncMongoClient),
    (motor_asyncio.AsyncIOMotorDatabase, AsyncDatabase),
    (motor_asyncio.AsyncIOMotorCollection, AsyncCollection),
    (motor_asyncio.AsyncIOMotorCursor, AsyncCursor),
]


@pytest.fixture
def database(mongo_url: str) -> Iterator[Database[dict[str, Any]]]:
    """The database of the test, as an operator looks at it."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        yield client.get_default_database()


@pytest.mark.mongo
async def test_an_operator_can_read_a_message(
    mongo_url: str, database: Database[dict[str, Any]]
) -> None:
    store = MongoStore(mongo_url)
    await store.open()
    message = make_message("s", "테스트 메시지", key="$key.with.dots")
    await store.append([message, make_joined("s")])
    await store.close()

    stored = database["Message"].find_one({"content": "테스트 메시지"})
    assert stored is not None
    assert orjson.loads(stored.pop("wire"))["content"] == "테스트 메시지"
    assert stored == {
        "_id": message.id,
        "sessionId": "s",
        "seq": 1,
        "type": "message",
        "senderId": "alice",
        "senderName": "Alice",
        "clientMessageId": "$key.with.dots",
        "content": "테스트 메시지",
        "createdAt": message.created_at,
        "mentions": [],
        "attachments": [],
    }


@pytest.mark.mongo
async def test_the_promises_rest_on_unique_indexes(
    mongo_url: str, database: Database[dict[str, Any]]
) -> None:
    store = MongoStore(mongo_url)
    await store.open()
    await store.close()

    def unique(collection: str) -> set[tuple[str, ...]]:
        indexes = database[collection].index_information().values()
        return {tuple(k for k, _ in index["key"]) for index in indexes if index.get("unique")}

    assert {"Account", "ChatSession", "Message"} <= set(database.list_collection_names())
    assert ("sessionId", "seq") in unique("Message")
    assert ("sessionId", "senderId", "clientMessageId") in unique("Message")
    assert ("email",) in unique("Account")
    assert ("slot",) in unique("ChatSession")


@pytest.mark.mongo
async def test_a_deletion_that_a_crash_cut_short_is_finished_at_the_next_start(
    mongo_url: str, database: Database[dict[str, Any]]
) -> None:
    store = MongoStore(mongo_url)
    await store.open()
    session, other = await add_session(store), await add_session(store)
    await store.add_member(make_member(session.id, "bob", Role.MEMBER))
    await store.create_invite(
        Invite(code="c", session_id=session.id, created_by="alice", expires_at_ms=T0_MS)
    )
    await store.append([make_message(session.id), make_message(other.id)])
    # The mark is the first thing that a deletion writes.
    database["ChatSession"].update_one(
        {"_id": session.id}, {"$set": {"slot": f"gone:{session.id}"}}
    )
    assert await store.session(session.id) is None
    assert [one.session for one in await store.summaries("alice")] == [other]
    assert not await store.rename_session(session.id, "x")
    assert not await store.delete_session(session.id)
    await store.close()

    await store.open()
    assert await store.member(session.id, "bob") is None
    assert await store.invite("c") is None
    assert await store.head(session.id) == 0
    assert await store.head(other.id) == 1
    await store.close()
    assert database["ChatSession"].find_one({"_id": session.id}) is None


# --- the driver ---------------------------------------------------------------------------------


def test_one_file_imports_motor() -> None:
    importing = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(module.split(".")[0] == "motor" for module in modules):
                importing.append(path.name)
    assert importing == [DRIVER]


def test_pymongos_own_client_has_every_call_under_the_same_name() -> None:
    used: set[str] = set()
    for path in SOURCES:
        if path.name.startswith("mongo"):
            used |= {
                node.attr
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Attribute)
            }
    assert {"insert_many", "find_one", "to_list", "get_default_database"} <= used
    for motors, pymongos in PAIRS:
        ours = {name for name in used if hasattr(motors, name)}
        assert not {name for name in ours if not hasattr(pymongos, name)}


def test_what_pymongos_own_client_has_to_be_awaited_for_is_awaited() -> None:
    to_await = {
        name
        for _, pymongos in PAIRS
        for name, method in inspect.getmembers(pymongos, inspect.iscoroutinefunction)
    }
    not_to_await = {
        name
        for _, pymongos in PAIRS
        for name, method in inspect.getmembers(pymongos, inspect.isfunction)
        if not inspect.iscoroutinefunction(method)
    } - to_await
    wrong: list[str] = []
    for path in SOURCES:
        if not path.name.startswith("mongo"):
            continue
        tree = ast.parse(path.read_text())
        awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = node.func.attr
                if (name in to_await and id(node) not in awaited) or (
                    name in not_to_await and id(node) in awaited
                ):
                    wrong.append(f"{path.name}:{node.lineno} {name}")
    assert wrong == []
