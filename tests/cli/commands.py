"""The command as people run it: a process, with none of the caller's `CHAT_*` variables."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

TIMEOUT_S: Final = 50.0
COMMAND: Final = (sys.executable, "-m", "chat_gateway.cli.main")


def environment(**variables: str) -> dict[str, str]:
    """This process's variables without those of the service, and `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    return {**kept, "PYTHONIOENCODING": "utf-8", **variables}


def chat_gateway(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def said_in_one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line on standard error with which a command ended; nothing else was printed."""
    assert done.returncode == code, done
    assert done.stdout == "", done
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: "), done
    return line
