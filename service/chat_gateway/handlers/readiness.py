"""Whether this node should be sent traffic."""

from chat_gateway.store.base import Store
from chat_protocol.errors import ProtocolError


class Readiness:
    """`draining` is set once, when the node begins to stop; nothing is accepted after."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.draining = False

    async def check(self) -> dict[str, str]:
        """Name of each part to `ok` or to what is wrong with it."""
        parts = {"node": "draining" if self.draining else "ok"}
        try:
            await self._store.ping()
        except ProtocolError as error:
            parts["store"] = error.message
        else:
            parts["store"] = "ok"
        return parts
