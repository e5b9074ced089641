"""aiohttp's WebSockets with one `send_str` for each peer, on uvloop; the path names the room."""

import sys

import uvloop
from aiohttp import WSMsgType, web

rooms: dict[str, set[web.WebSocketResponse]] = {}


async def chat(request: web.Request) -> web.WebSocketResponse:
    """Pass on what a peer says to everyone in its room."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    room = rooms.setdefault(request.match_info["room"], set())
    room.add(socket)
    try:
        async for said in socket:
            if said.type is WSMsgType.TEXT:
                for peer in list(room):
                    await peer.send_str(said.data)
    finally:
        room.discard(socket)
    return socket


def main() -> None:
    """Serve on the port given."""
    app = web.Application()
    app.router.add_get("/{room}", chat)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, backlog=4096)


if __name__ == "__main__":
    main()
