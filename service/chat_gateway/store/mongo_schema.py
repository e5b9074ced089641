"""Collections, their indexes and validators.

Only what a standalone mongod, a replica set and the wire-compatible servers have: no TTL and no
partial index. `_id` is what single documents are asked for by.
"""

from typing import Final

import structlog
from pymongo.errors import OperationFailure

from chat_gateway.store.mongo_client import Database, Document

log = structlog.get_logger()

NAMESPACE_EXISTS: Final = 48
NOT_IMPLEMENTED: Final = frozenset({59, 115, 238})
"""CommandNotFound, CommandNotSupported, NotImplemented."""

_TEXT: Final = {"bsonType": "string"}
_WHOLE: Final = {"bsonType": ["int", "long"], "minimum": 0}

_SCHEMAS: Final[dict[str, Document]] = {
    "Account": {
        "bsonType": "object",
        "required": ["_id", "displayName", "createdAtMs"],
        "properties": {
            "_id": _TEXT,
            "email": _TEXT,
            "displayName": _TEXT,
            "passwordHash": _TEXT,
            "createdAtMs": _WHOLE,
        },
    },
    "ChatSession": {
        "bsonType": "object",
        "required": ["_id", "slot", "title", "createdAtMs"],
        "properties": {"_id": _TEXT, "slot": _TEXT, "title": _TEXT, "createdAtMs": _WHOLE},
    },
    "Message": {
        "bsonType": "object",
        "required": [
            "_id",
            "sessionId",
            "seq",
            "type",
            "senderId",
            "clientMessageId",
            "createdAt",
            "wire",
        ],
        "properties": {
            "_id": _TEXT,
            "sessionId": _TEXT,
            "seq": {"bsonType": ["int", "long"], "minimum": 1},
            "type": _TEXT,
            "senderId": _TEXT,
            "clientMessageId": _TEXT,
            "createdAt": _TEXT,
            "content": _TEXT,
            "wire": {"bsonType": "binData"},
        },
    },
}

_UNIQUE: Final = {
    "Account": ("email",),
    "ChatSession": ("slot",),
    "Message": ("sessionId seq", "sessionId senderId clientMessageId"),
}

_ORDINARY: Final = {
    "Member": ("accountId", "sessionId joinedAtMs accountId"),
    "Invite": ("sessionId", "expiresAtMs"),
    "Login": ("expiresAtMs",),
    "Ticket": ("expiresAtMs",),
}

_SPARSE: Final = frozenset({"email"})
"""An account of another issuer has no email; such accounts do not collide."""


async def prepare(database: Database) -> None:
    """Make collections and indexes where they are missing."""
    validated = [await _create(database, name, schema) for name, schema in _SCHEMAS.items()]
    if not all(validated):
        log.info("This MongoDB server has no schema validators; going on without")
    for name, indexes in _UNIQUE.items():
        for fields in indexes:
            await database[name].create_index(
                [(field, 1) for field in fields.split()], unique=True, sparse=fields in _SPARSE
            )
    for name, indexes in _ORDINARY.items():
        for fields in indexes:
            await database[name].create_index([(field, 1) for field in fields.split()])


async def _create(database: Database, name: str, schema: Document) -> bool:
    """Make a collection, or put the validator on the one there; whether it has one now."""
    validator = {"$jsonSchema": schema}
    try:
        try:
            await database.create_collection(name, validator=validator, check_exists=False)
        except OperationFailure as error:
            if error.code != NAMESPACE_EXISTS:
                raise
            await database.command("collMod", name, validator=validator)
    except OperationFailure as error:
        if error.code not in NOT_IMPLEMENTED:
            raise
        return False
    return True
