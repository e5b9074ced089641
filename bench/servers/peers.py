"""The peers and the floor, as contenders: how each is had, started, and spoken to.

None of them stores anything.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from bench import native
from bench.plan import Connection, Crowd, Plan, Wire
from bench.servers.base import Missing, free_port, fresh_folder, process
from bench.servers.messages import passed_on

HERE: Final = Path(__file__).parent.parent
NODE: Final = HERE / "peers" / "node"

PLAIN: Final = Wire()
"""Ready with the handshake."""

SOCKETIO: Final = Wire(first='0{"sid"', ready="40{", ping="2", pong="3")
POLLING: Final = Wire(polls=True, ready="40{")


Seat = Callable[[int, int, bool], Connection]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server of others that is started by one command and passes on what it is sent.

    `command` makes the command for a port, or raises `Missing`. `seat` makes a connection from
    its room's number, its own number in the room, and whether it posts.
    """

    name: str
    command: Callable[[int], Sequence[str]]
    seat: Seat
    cwd: Path = HERE.parent

    is_ours = False

    def prepare(self) -> None:
        """Build or install what it needs. Raises `Missing`."""
        self.command(0)

    @contextmanager
    def serve(self, crowd: Crowd) -> Iterator[Plan]:
        """Run it for the time of the block; the plan connects and seats everyone."""
        port = free_port()
        with (
            fresh_folder() as data,
            process(self.command(port), port=port, log=data / "server.log", cwd=self.cwd) as pid,
        ):
            yield Plan(
                port=port,
                pids=[pid],
                crowd=crowd,
                connections=[
                    self.seat(room, number, number < crowd.senders)
                    for room in range(crowd.rooms)
                    for number in range(crowd.members)
                ],
            )


# --- how each is spoken to ----------------------------------------------------------------------


def plain(room: int, _: int, posts: bool) -> Connection:
    """A WebSocket whose path is its room."""
    return Connection(
        room=room, wire=PLAIN, path=f"/{room}", message=passed_on() if posts else None
    )


def socketio(room: int, _: int, posts: bool) -> Connection:
    """Socket.IO over a WebSocket."""
    return Connection(
        room=room,
        wire=SOCKETIO,
        path=f"/socket.io/?EIO=4&transport=websocket&room={room}",
        hello="40",
        message=f'42["message",{passed_on()}]' if posts else None,
    )


def mostly_polling(room: int, number: int, posts: bool) -> Connection:
    """Socket.IO by polling for three of four, who listen; over a WebSocket for the fourth."""
    if number % 4 == 3:
        return socketio(room, number, posts)
    return Connection(
        room=room,
        wire=POLLING,
        path=f"/socket.io/?EIO=4&transport=polling&room={room}",
        hello="40",
    )


# --- how each is had ----------------------------------------------------------------------------


def floor_command(port: int) -> Sequence[str]:
    """The floor, compiled."""
    try:
        return [str(native.floor_server()), str(port)]
    except native.CannotCompile as error:
        raise Missing(str(error)) from None


def node_command(script: str) -> Callable[[int], Sequence[str]]:
    """A script of `peers/node` by Node.js."""
    return lambda port: [_node(), script, str(port)]


def python_command(module: str) -> Callable[[int], Sequence[str]]:
    """A module of `peers` by this Python."""
    return lambda port: [sys.executable, "-m", f"bench.peers.{module}", str(port)]


@lru_cache
def _node() -> str:
    """Node.js, with the packages of the lock file installed. Raises `Missing`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Missing("no node and npm on the PATH")
    wanted = (NODE / "package-lock.json").read_text()
    stamp = NODE / "node_modules" / ".installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=NODE,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Missing(f"npm ci failed: {done.stderr.strip()[-300:]}")
        stamp.write_text(wanted)
    return node


def node_versions() -> dict[str, str]:
    """The versions of the Node packages that are measured."""
    lock = json.loads((NODE / "package-lock.json").read_text())
    return {
        f"Node {name}": lock["packages"][f"node_modules/{name}"]["version"]
        for name in ("ws", "socket.io")
    }
