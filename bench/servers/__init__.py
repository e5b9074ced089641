"""The servers that are measured: this service, its peers, and the floor."""

from typing import Final

from bench.servers.base import Contender
from bench.servers.centrifugo import Centrifugo
from bench.servers.gateway import Gateway
from bench.servers.peers import (
    NODE,
    Peer,
    floor_command,
    mostly_polling,
    node_command,
    plain,
    python_command,
    socketio,
)

FLOOR: Final[Contender] = Peer(name="floor: C send() loop", command=floor_command, seat=plain)

GATEWAYS: Final[list[Contender]] = [Gateway(ways=("raw",)), Gateway(ways=("socketio",))]
GATEWAY_LOGGING: Final[Contender] = Gateway(ways=("raw",), log_level="info")
GATEWAYS_MONGO: Final[list[Contender]] = [
    Gateway(ways=("raw",), store="mongo"),
    Gateway(ways=("socketio",), store="mongo"),
]

GATEWAY_MIXED: Final[Contender] = Gateway(ways=("raw", "socketio"))
GATEWAY_POLLING: Final[Contender] = Gateway(ways=("polling", "polling", "polling", "socketio"))

NODE_WS: Final[Contender] = Peer(
    name="Node ws", command=node_command("ws.mjs"), seat=plain, cwd=NODE
)
NODE_SOCKETIO: Final[Contender] = Peer(
    name="Node socket.io", command=node_command("socketio.mjs"), seat=socketio, cwd=NODE
)
PYTHON_SOCKETIO: Final[Contender] = Peer(
    name="python-socketio", command=python_command("python_socketio"), seat=socketio
)
AIOHTTP: Final[Contender] = Peer(
    name="aiohttp", command=python_command("aiohttp_broadcast"), seat=plain
)
CENTRIFUGO: Final[Contender] = Centrifugo()

PEERS: Final[list[Contender]] = [NODE_WS, NODE_SOCKETIO, PYTHON_SOCKETIO, AIOHTTP, CENTRIFUGO]
POLLING_PEERS: Final[list[Contender]] = [
    Peer(
        name="Node socket.io", command=node_command("socketio.mjs"), seat=mostly_polling, cwd=NODE
    ),
    Peer(name="python-socketio", command=python_command("python_socketio"), seat=mostly_polling),
]
