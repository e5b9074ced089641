"""What a server under test is to a scenario, and how its process is run."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol

from bench import cores
from bench.plan import Crowd, Plan

START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 2.0
"""What a server keeps is thrown away, so it need not take its time."""


class Missing(Exception):
    """A server cannot be had on this machine; the text says what it needs."""


class Contender(Protocol):
    """A server that can be started for a crowd."""

    @property
    def name(self) -> str:
        """What its rows are called."""
        ...

    @property
    def is_ours(self) -> bool:
        """Whether it is this service, which stores every message before anybody gets it."""
        ...

    def prepare(self) -> None:
        """Build or install what it needs. Raises `Missing`."""
        ...

    def serve(self, crowd: Crowd) -> AbstractContextManager[Plan]:
        """Run it for the time of the block; the plan connects and seats everyone."""
        ...


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A fresh folder, gone after the block."""
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as made:
        yield Path(made)


@contextmanager
def process(
    command: Sequence[str],
    *,
    port: int,
    log: Path,
    core: set[int] = cores.SERVER,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run a server on its core until the block ends; its process id, once it listens."""
    with log.open("wb") as out:
        with cores.on(core):
            started = subprocess.Popen(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            _until_listening(started, port, log)
            yield started.pid
        finally:
            started.terminate()
            try:
                started.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def _until_listening(started: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    give_up_s = time.monotonic() + START_TIMEOUT_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if started.poll() is not None or time.monotonic() > give_up_s:
            said = log.read_text(errors="replace")[-1500:]
            raise Missing(f"{started.args!r} does not listen: {said}")
        time.sleep(0.05)
