"""The two C programs: the load generator and the floor. Compiled when they are first needed."""

import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FLAGS: Final = ("-O2", "-Wall", "-Wextra", "-std=gnu11")
LOAD: Final = (
    "load.c",
    "plan.c",
    "net.c",
    "websocket.c",
    "polling.c",
    "tally.c",
    "usage.c",
)
FLOOR: Final = ("floor.c",)


class CannotCompile(Exception):
    """There is no C compiler, or it refuses; the text says which."""


def cache_dir() -> Path:
    """Where things that take long to build are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base) / "chat-gateway"
    path.mkdir(parents=True, exist_ok=True)
    return path


def load_generator() -> Path:
    """The load generator's executable. Raises `CannotCompile`."""
    return _compiled("load", LOAD)


def floor_server() -> Path:
    """The floor's executable. Raises `CannotCompile`."""
    return _compiled("floor", FLOOR)


def compiler() -> str | None:
    """The C compiler's path, or None."""
    configured = (sysconfig.get_config_var("CC") or "").split()
    return next(filter(None, map(shutil.which, ["cc", "gcc", "clang", *configured[:1]])), None)


def _compiled(name: str, sources: tuple[str, ...]) -> Path:
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for source in (*sources, "load.h"):
        digest.update((HERE / source).read_bytes())
    built = cache_dir() / f"bench-{name}-{digest.hexdigest()[:16]}"
    if built.exists():
        return built
    cc = compiler()
    if cc is None:
        raise CannotCompile("no C compiler (cc, gcc or clang) on the PATH")
    draft = built.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        [cc, *FLAGS, "-o", str(draft), *sources],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CannotCompile(done.stderr.strip()[-500:])
    draft.replace(built)
    return built
