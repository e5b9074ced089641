"""python-socketio with its own rooms, on aiohttp and uvloop; the query names the room."""

import sys
from typing import Any
from urllib.parse import parse_qs

import socketio
import uvloop
from aiohttp import web

sio = socketio.AsyncServer(async_mode="aiohttp")


@sio.event  # type: ignore[untyped-decorator]
async def connect(sid: str, environ: dict[str, Any], _: object) -> None:
    """Enter the room."""
    room = parse_qs(environ["QUERY_STRING"])["room"][0]
    await sio.save_session(sid, {"room": room})
    await sio.enter_room(sid, room)


@sio.event  # type: ignore[untyped-decorator]
async def message(sid: str, said: Any) -> None:
    """Pass on to everyone in the room."""
    session = await sio.get_session(sid)
    await sio.emit("message", said, room=session["room"])


def main() -> None:
    """Serve on the port given."""
    app = web.Application()
    sio.attach(app)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, backlog=4096)


if __name__ == "__main__":
    main()
