"""Passwords: argon2id, off the event loop, and never more at a time than the machine can bear."""

import asyncio
import base64
import os
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chat_protocol.errors import ProtocolError

# OWASP's first choice for argon2id: 20 ms of one core and 19 MiB each, so that a storm of log-ins
# costs neither the memory nor both cores of a small machine.
TIME_COST: Final = 2
MEMORY_KIB: Final = 19 * 1024
PARALLELISM: Final = 1

AT_A_TIME: Final = max(1, min(4, (os.cpu_count() or 2) - 1))
"""One core stays free for the event loop."""

WAITING_MAX: Final = 500
"""Log-ins that may wait for their turn: some ten seconds of work."""

BUSY_RETRY_AFTER_MS: Final = 5000


class Turn:
    """The right to hash or verify one password."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher

    async def hash(self, password: str) -> str:
        """What is stored of a password: parameters, salt and hash in PHC form."""
        return await asyncio.to_thread(self._hasher.hash, _composed(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; with None it never is, and takes the same time to say so."""
        right = await asyncio.to_thread(
            self._is_right, password_hash or _NOBODYS_HASH, _composed(password)
        )
        return right and password_hash is not None

    def _is_right(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


class Passwords:
    """Gives turns to hash or verify a password."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM
        )
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait for a turn. Raises `rate_limited` where too many wait already."""
        if self._waiting >= WAITING_MAX:
            raise ProtocolError("rate_limited", retry_after_ms=BUSY_RETRY_AFTER_MS)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield Turn(self._hasher)
        finally:
            self._turns.release()


def _composed(password: str) -> str:
    """The password in NFC: keyboards differ in how they compose, people do not."""
    return unicodedata.normalize("NFC", password)


def _phc(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


_PARAMETERS: Final = f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p={PARALLELISM}"

_NOBODYS_HASH: Final = f"{_PARAMETERS}${_phc(bytes(16))}${_phc(bytes(32))}"
"""Stands in where there is no account, so that the answer takes as long."""
