"""Who runs where: the server on one core, everything else that a run needs on another.

A server that shares its core with the load generator would be measured with the other's work.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ALL: Final = sorted(os.sched_getaffinity(0))

SERVER: Final = {_ALL[0]}
LOAD: Final = {_ALL[-1]}

SHARED: Final = SERVER == LOAD
"""There is one core only: the figures mean little then."""


@contextmanager
def on(core: set[int]) -> Iterator[None]:
    """Processes that are started in the block run on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
