"""What the operating system says of the memory of a server's processes."""

import time
from collections.abc import Sequence
from pathlib import Path


def rss_kib(pids: Sequence[int]) -> int:
    """Memory that they hold now (resident set), in KiB."""
    return sum(_status_kib(pid, "VmRSS:") for pid in pids)


def settled_rss_kib(pids: Sequence[int], *, within_s: float) -> int:
    """What they hold once it has not changed by more than 1 % for a second, or the time is up."""
    give_up_s = time.monotonic() + within_s
    before = rss_kib(pids)
    while time.monotonic() < give_up_s:
        time.sleep(1.0)
        now = rss_kib(pids)
        if abs(now - before) <= before // 100:
            return now
        before = now
    return before


def _status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
