"""What the operating system says of a server's processes."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


def rss_kib(pids: Sequence[int]) -> int:
    """Memory that they hold now (resident set), in KiB."""
    return sum(_status_kib(pid, "VmRSS:") for pid in pids)


def cpu_s(pids: Sequence[int]) -> float:
    """User and system time that they have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS_A_SECOND


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
