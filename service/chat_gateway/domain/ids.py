"""New ids: unguessable, and in the order of their making so that an index grows at its end."""

import os
from typing import Final

_RANDOM_BYTES: Final = 10
_AT_A_TIME: Final = 256


def new_id(now_ms: int) -> str:
    """32 hex digits: 48 bits of time, 80 random bits (the layout of a ULID)."""
    return f"{now_ms:012x}{_random_hex()}"


_drawn: list[str] = []
"""Random parts that nobody has been given yet; asking the kernel for each would cost more."""


def _random_hex() -> str:
    if not _drawn:
        digits = os.urandom(_RANDOM_BYTES * _AT_A_TIME).hex()
        step = _RANDOM_BYTES * 2
        _drawn.extend(digits[at : at + step] for at in range(0, len(digits), step))
    return _drawn.pop()
