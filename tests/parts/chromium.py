"""A real browser: Chromium on the PATH, else Debian's package.

Where neither is to be had, the tests marked `browser` are skipped with one loud line; with
`CI=true` they fail.
"""

import os
import shutil
import subprocess
from typing import Final

import pytest

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
INSTALL_TIMEOUT_S: Final = 600
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Flags of a browser that asks nobody but the service under test."""


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install it before the first test, whose time limit is too short for that."""
    wanted = any(item.get_closest_marker("browser") for item in session.items)
    may_install = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if not wanted or session.config.option.collectonly or _on_path() or not may_install:
        return
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run(
            ["apt-get", "--quiet", *command],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.DEVNULL,
            check=False,
            timeout=INSTALL_TIMEOUT_S,
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser."""
    path = _on_path()
    if path is None:
        missing = "NO CHROMIUM: neither on the PATH nor to be had from Debian"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path
