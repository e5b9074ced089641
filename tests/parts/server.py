"""The server as operators run it: a process of its own, which can be killed and started again.

Its log lines are read by a thread, so that one process can serve many tests.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.parts.clients import WAIT_S
from tests.parts.settings import SECRET

START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 20.0
ATTACHED: Final = "Chat gateway attached"


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """`chat-gateway serve` in a data folder, on a port that stays the same over restarts."""

    def __init__(self, data_dir: Path, *, store: str | None = None, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self._variables = {
            "CHAT_HOST": "127.0.0.1",
            "CHAT_PORT": str(self.port),
            "CHAT_DATA_DIR": str(data_dir),
            "CHAT_JWT_SECRET": SECRET,
            **({"CHAT_STORE": store} if store else {}),
            **variables,
        }
        self._process: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None
        self._news = threading.Condition()
        self._silent = True

    async def start(self) -> None:
        """Start it, and return when it takes connections."""
        await asyncio.to_thread(self.start_now)

    def start_now(self) -> None:
        """`start` for those who have no event loop."""
        begun = len(self.lines)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "default", "-m", "chat_gateway.cli.main", "serve"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**kept, **self._variables},
        )
        self._silent = False
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        try:
            self._wait_for(lambda: any(ATTACHED in line for line in self.lines[begun:]))
        except BaseException:
            self.kill()
            raise

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._silent = True
            self._news.notify_all()

    def _wait_for(self, true: Callable[[], bool], timeout_s: float = START_TIMEOUT_S) -> None:
        deadline_s = time.monotonic() + timeout_s
        with self._news:
            while not true():
                left_s = deadline_s - time.monotonic()
                assert not self._silent, "the server has ended: " + "\n".join(self.lines[-30:])
                assert left_s > 0, "nothing of the kind: " + "\n".join(self.lines[-30:])
                self._news.wait(left_s)

    async def logged(self, text: str, *, times: int = 1, timeout_s: float = WAIT_S) -> None:
        """Wait until so many log lines have this text."""
        await asyncio.to_thread(
            self._wait_for, lambda: sum(text in line for line in self.lines) >= times, timeout_s
        )

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def rss_bytes(self) -> int:
        """Memory that the process holds now (Linux)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        self._gone()

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM); `stopped` waits."""
        self._signal(signal.SIGTERM)

    async def stopped(self) -> int:
        """Wait until it has stopped by itself; returns its exit code."""
        return await asyncio.to_thread(self._gone)

    def stop_now(self) -> None:
        """Stop it if it runs."""
        if self._process is None or self._process.poll() is not None:
            return
        self.terminate()
        try:
            self._gone()
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _gone(self) -> int:
        assert self._process is not None
        assert self._process.stderr is not None
        assert self._reading is not None
        code = self._process.wait(STOP_TIMEOUT_S)
        self._reading.join(STOP_TIMEOUT_S)
        self._process.stderr.close()
        return code

    def assert_quiet(self, *, after: int = 0) -> None:
        """No line of the log tells of something unforeseen."""
        for line in self.lines[after:]:
            assert "Traceback" not in line, "\n".join(self.lines[after:])
            assert "[error" not in line, line
            assert "Warning:" not in line, line


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server process for the tests of a module."""
    # Whoever stopped polling without a word is not waited for when the tests are over.
    process = ServerProcess(tmp_path_factory.mktemp("server"), CHAT_DRAIN_S="0.5")
    process.start_now()
    yield process
    process.stop_now()


@pytest.fixture
def server_process(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Makes server processes for one test, not yet started; stops them after it."""
    made: list[ServerProcess] = []

    def make(**options: str) -> ServerProcess:
        data_dir = tmp_path / f"server-{len(made)}"
        data_dir.mkdir()
        made.append(ServerProcess(data_dir, **options))
        return made[-1]

    yield make
    for process in made:
        process.stop_now()
