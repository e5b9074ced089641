"""A real server of the MongoDB protocol, found or started for the run of the tests.

In this order: `CHAT_TEST_MONGO_URL`, a `mongod` on the PATH, a working Docker, FerretDB built from
its source. Where none is to be had, the tests marked `mongo` are skipped with one loud line; with
`CI=true` they fail.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
from pymongo import MongoClient

from tests.parts import ferretdb
from tests.parts.server import free_port

START_TIMEOUT_S: Final = 30.0
DOCKER_IMAGE: Final = "mongo:7"


class MongoServer(Protocol):
    """A server; `url` names no database. Blocks, so call it from a thread where a loop runs."""

    url: str
    owned: bool
    """Whether `kill` and `start` can be called: not with a server that somebody else runs."""

    def start(self) -> None:
        """Run it, on the same port and data as before; returns when it answers."""
        ...

    def kill(self) -> None:
        """End it as a power cut would; what it said was stored has to be there afterwards."""
        ...


class OthersServer:
    """One that was there before the tests."""

    owned = False

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self) -> None:
        """Somebody else's business."""

    def kill(self) -> None:
        """Refused."""
        raise AssertionError("this server is not ours to kill")


class OwnProcess:
    """A process that keeps its data in a folder."""

    owned = True

    def __init__(self, command: Callable[[Path, int], list[str]], folder: Path) -> None:
        self._port = free_port()
        self._command = command(folder / "data", self._port)
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"mongodb://127.0.0.1:{self._port}"
        (folder / "data").mkdir()

    def start(self) -> None:
        """Run it, if it does not run; returns when it answers."""
        if self._process is not None:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        give_up_s = time.monotonic() + START_TIMEOUT_S
        while not _listens(self._port):
            try:
                self._process.wait(0.02)
            except subprocess.TimeoutExpired:
                if time.monotonic() < give_up_s:
                    continue
            raise AssertionError(f"no server: {self._command}\n{self._log.read_text()[-2000:]}")
        _wait_for_answer(self.url)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class OwnContainer:
    """A container of MongoDB's own image."""

    owned = True

    def __init__(self) -> None:
        port = free_port()
        self.url = f"mongodb://127.0.0.1:{port}"
        self._id = _docker("create", "-p", f"127.0.0.1:{port}:27017", DOCKER_IMAGE)

    def start(self) -> None:
        """Run it, if it does not run; returns when it answers."""
        _docker("start", self._id)
        _wait_for_answer(self.url)

    def kill(self) -> None:
        """SIGKILL."""
        _docker("kill", self._id)

    def remove(self) -> None:
        """End it, and forget its data."""
        _docker("rm", "--force", "--volumes", self._id)


# --- finding one --------------------------------------------------------------------------------

_found = pytest.StashKey["Found"]()


class Found:
    """How this run gets its server, or why it gets none."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.url = os.environ.get("CHAT_TEST_MONGO_URL")
        self.mongod: str | None = None
        self.docker = False
        self.ferretdb: Path | None = None
        self.missing: str | None = None
        if self.url is not None:
            return
        self.mongod = shutil.which("mongod")
        if self.mongod is not None:
            return
        self.docker = _docker_has_image()
        if self.docker:
            return
        try:
            self.ferretdb = ferretdb.binary(say)
        except ferretdb.CannotBuild as error:
            self.missing = f"no CHAT_TEST_MONGO_URL, no mongod, no Docker, and {error}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for a server before the first test, since a build takes longer than a test may."""
    if session.config.option.collectonly:
        return
    if any(item.get_closest_marker("mongo") for item in session.items):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        session.config.stash[_found] = Found(reporter.write_line if reporter else print)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say loudly that the tests of a whole store did not run."""
    found = config.stash.get(_found, None)
    if found is not None and found.missing is not None:
        terminalreporter.section("THE TESTS OF MONGODB DID NOT RUN", red=True)
        terminalreporter.line(found.missing)


@pytest.fixture(scope="session")
def mongo_server(request: pytest.FixtureRequest) -> Iterator[MongoServer]:
    """The server of this run. For tests marked `mongo` only."""
    found = request.config.stash[_found]
    if found.missing is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(found.missing)
        pytest.skip(found.missing)
    if found.url is not None:
        yield OthersServer(found.url.rstrip("/"))
    elif found.docker:
        container = OwnContainer()
        try:
            container.start()
            yield container
        finally:
            container.remove()
    else:
        with tempfile.TemporaryDirectory(prefix="chat-mongo-") as folder:
            process = OwnProcess(_command(found), Path(folder))
            try:
                process.start()
                yield process
            finally:
                process.kill()


@pytest.fixture
def mongo_url(mongo_server: MongoServer) -> Iterator[str]:
    """The URL of a database that no other test has; the server runs, whatever a test did to it."""
    mongo_server.start()
    name = f"chat_test_{uuid.uuid4().hex[:16]}"
    yield f"{mongo_server.url}/{name}"
    if not mongo_server.owned:
        with MongoClient[dict[str, Any]](mongo_server.url) as client:
            client.drop_database(name)


def _command(found: Found) -> Callable[[Path, int], list[str]]:
    if found.ferretdb is not None:
        executable = found.ferretdb
        return lambda data_dir, port: ferretdb.command(executable, data_dir, port)
    mongod = str(found.mongod)
    return lambda data_dir, port: [
        mongod,
        f"--dbpath={data_dir}",
        f"--port={port}",
        "--bind_ip=127.0.0.1",
        "--nounixsocket",
        "--quiet",
    ]


def _docker_has_image() -> bool:
    """Whether a Docker engine works here and has, or can get, the image."""
    if shutil.which("docker") is None:
        return False
    try:
        _docker("info", timeout_s=20)
        try:
            _docker("image", "inspect", DOCKER_IMAGE)
        except subprocess.CalledProcessError:
            _docker("pull", "--quiet", DOCKER_IMAGE)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


def _docker(*arguments: str, timeout_s: float = 300) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, check=True, text=True, timeout=timeout_s
    )
    return done.stdout.strip()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _wait_for_answer(url: str) -> None:
    timeout_ms = int(START_TIMEOUT_S * 1000)
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=timeout_ms) as client:
        client.admin.command("ping")
