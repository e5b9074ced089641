"""This service, as operators run it, with a fresh data dir and its members in the store."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from bench.plan import Connection, Crowd, Plan, Wire
from bench.servers import messages, seeding
from bench.servers.base import free_port, fresh_folder, process
from bench.servers.mongo import find, mongo_server
from bench.servers.seeding import Seat

Way = Literal["raw", "socketio", "polling"]

RAW: Final = Wire(ready='"type":"joined"')
SOCKETIO: Final = Wire(first='0{"sid"', ready='42["joined"', ping="2", pong="3")
POLLING: Final = Wire(polls=True, ready='42["joined"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """`chat-gateway serve`. Members come by `ways` in turn.

    `history` messages stand in every room's log before anybody comes, and members who come ask
    for all of them.
    """

    ways: tuple[Way, ...] = ("raw",)
    store: Literal["sqlite", "mongo"] = "sqlite"
    log_level: str = "warning"
    history: int = 0

    is_ours = True

    @property
    def name(self) -> str:
        """What its rows are called."""
        parts = ["chat-gateway", "+".join(dict.fromkeys(self.ways))]
        if self.store != "sqlite":
            parts.append(self.store)
        if self.log_level != "warning":
            parts.append(f"log {self.log_level}")
        return ", ".join(parts)

    def prepare(self) -> None:
        """See that there is a database. Raises `Missing`."""
        if self.store == "mongo":
            find()

    @contextmanager
    def serve(self, crowd: Crowd) -> Iterator[Plan]:
        """Run it for the time of the block; the plan connects and seats everyone."""
        with ExitStack() as running:
            folder = running.enter_context(fresh_folder())
            if self.store == "mongo":
                store = running.enter_context(mongo_server(folder / "mongo"))
                seats = seeding.seed(folder, store, crowd, self.history)
            else:
                store, seats = seeding.seed_sqlite(folder, crowd, self.history)
            port = free_port()
            pid = running.enter_context(
                process(
                    [sys.executable, "-m", "chat_gateway.cli.main", "serve"],
                    port=port,
                    log=folder / "server.log",
                    env=self._environment(folder, store, port),
                )
            )
            yield Plan(
                port=port,
                pids=[pid],
                crowd=crowd,
                connections=[self._connection(crowd, *each) for each in enumerate(seats)],
                expecting=self.history,
                # FerretDB takes half a second to seat one, and the driver gives up after eight.
                at_a_time=200 if self.store == "sqlite" else 4,
            )

    def _environment(self, folder: Path, store: str, port: int) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
        return {
            **kept,
            "CHAT_HOST": "127.0.0.1",
            "CHAT_PORT": str(port),
            "CHAT_DATA_DIR": str(folder),
            "CHAT_STORE": store,
            "CHAT_RATE_LIMITS": "off",
            "CHAT_LOG_LEVEL": self.log_level,
        }

    def _connection(self, crowd: Crowd, number: int, seat: Seat) -> Connection:
        way = self.ways[number % len(self.ways)]
        last_seq = 0 if self.history else None
        posts = number % crowd.members < crowd.senders
        if way == "raw":
            asked = "" if last_seq is None else f"&lastSeq={last_seq}"
            return Connection(
                room=seat.room,
                wire=RAW,
                path=f"/ws/chat?sessionId={seat.session_id}&token={quote(seat.token)}{asked}",
                message=f'{{"type":"message",{messages.command()}}}' if posts else None,
            )
        asked = "" if last_seq is None else f',"lastSeq":{last_seq}'
        hello = f'40{{"token":"{seat.token}","sessionId":"{seat.session_id}"{asked}}}'
        if way == "polling":
            return Connection(
                room=seat.room,
                wire=POLLING,
                path="/socket.io/?EIO=4&transport=polling",
                hello=hello,
            )
        return Connection(
            room=seat.room,
            wire=SOCKETIO,
            path="/socket.io/?EIO=4&transport=websocket",
            hello=hello,
            message=f'42["message",{{{messages.command()}}}]' if posts else None,
        )
