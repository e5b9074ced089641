"""The store for many nodes: a MongoDB database, or a server that speaks its protocol."""

from chat_gateway.store.mongo_accounts import MongoAccounts
from chat_gateway.store.mongo_sessions import MongoSessions


class MongoStore(MongoAccounts, MongoSessions):
    """`Store` over the database that a `mongodb://` URL names (`chat_gateway` if none).

    Other processes may use the same database at the same time.
    """
