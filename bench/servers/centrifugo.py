"""Centrifugo 5.4.9, built once from its source by Go: one core, JSON, anonymous clients."""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from bench import native
from bench.plan import Connection, Crowd, Plan, Wire
from bench.servers.base import Missing, free_port, fresh_folder, process
from bench.servers.messages import passed_on

VERSION: Final = "v5.4.9"
MODULE: Final = f"github.com/centrifugal/centrifugo/v5@{VERSION}"
BUILD_TIMEOUT_S: Final = 900

WIRE: Final = Wire(ready='"id":2,', ping="{}", pong="{}")


class Centrifugo:
    """Centrifugo: whoever is in a channel publishes to it. It joins what it writes."""

    name = "Centrifugo"
    is_ours = False

    def prepare(self) -> None:
        """Build it where it was not built yet. Raises `Missing`."""
        _binary()

    @contextmanager
    def serve(self, crowd: Crowd) -> Iterator[Plan]:
        """Run it for the time of the block; the plan connects and seats everyone."""
        port = free_port()
        with fresh_folder() as data:
            config = data / "config.json"
            config.write_text(json.dumps(_settings(port)))
            with process(
                [str(_binary()), "--config", str(config)],
                port=port,
                log=data / "server.log",
                env={**os.environ, "GOMAXPROCS": "1"},
            ) as pid:
                yield Plan(
                    port=port,
                    pids=[pid],
                    crowd=crowd,
                    connections=[
                        _seat(room, number < crowd.senders)
                        for room in range(crowd.rooms)
                        for number in range(crowd.members)
                    ],
                )


def _settings(port: int) -> dict[str, object]:
    return {
        "address": "127.0.0.1",
        "port": port,
        "log_level": "error",
        "allowed_origins": ["*"],
        "allow_anonymous_connect_without_token": True,
        "allow_subscribe_for_anonymous": True,
        "allow_subscribe_for_client": True,
        "allow_publish_for_anonymous": True,
        "allow_publish_for_subscriber": True,
    }


def _seat(room: int, posts: bool) -> Connection:
    channel = f"room{room}"
    published = f'{{"id":3,"publish":{{"channel":"{channel}","data":{passed_on()}}}}}'
    return Connection(
        room=room,
        wire=WIRE,
        path="/connection/websocket",
        hello=f'{{"id":1,"connect":{{}}}}\n{{"id":2,"subscribe":{{"channel":"{channel}"}}}}',
        message=published if posts else None,
    )


@lru_cache
def _binary() -> Path:
    built = native.cache_dir() / f"centrifugo-{VERSION}"
    with (native.cache_dir() / "centrifugo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            _build(built)
    return built


def _build(built: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise Missing("no Go to build Centrifugo with")
    with tempfile.TemporaryDirectory(dir=built.parent, prefix="build-") as work:
        source = Path(work) / "source"
        module = json.loads(_run([go, "mod", "download", "-json", MODULE], Path(work)))
        # The module cache is read-only.
        shutil.copytree(module["Dir"], source, copy_function=shutil.copyfile)
        for each in (source, *(path for path in source.rglob("*") if path.is_dir())):
            each.chmod(0o755)
        done = Path(work) / "centrifugo"
        _run([go, "build", "-o", str(done), "."], source)
        done.replace(built)


def _run(arguments: list[str], where: Path) -> str:
    try:
        return subprocess.run(
            arguments,
            cwd=where,
            env={**os.environ, "CGO_ENABLED": "0"},
            check=True,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
        ).stdout
    except subprocess.TimeoutExpired as error:
        raise Missing(f"building Centrifugo: {error}") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip()[-300:]
        raise Missing(f"building Centrifugo failed: {said}") from None
