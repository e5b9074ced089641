"""One change at a time of what belongs together."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """A lock for each session that somebody is changing; a quiet one costs nothing.

    Within its turn a use case reads facts, decides, stores and appends its event, so that two
    changes cannot both rest on a fact that one of them undoes, and events come in the order of the
    changes.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, session_id: str) -> asyncio.Lock:
        """The session's lock; hold it by `async with`."""
        lock = self._locks.get(session_id)
        if lock is None:
            lock = self._locks[session_id] = asyncio.Lock()
        return lock
