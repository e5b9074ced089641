"""Socket.IO clients in Python: python-socketio's own, and one that only moves packets."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import aiohttp
import socketio

from tests.parts.clients import WAIT_S, ChatClient, Refused, RefusedByHttp, Said
from tests.parts.raw_clients import RawSocket

Transports = Literal["websocket", "polling", "upgrade"]

TRANSPORTS: dict[str, list[str]] = {
    "websocket": ["websocket"],
    "polling": ["polling"],
    "upgrade": ["polling", "websocket"],
}


class _Http:
    """What python-engineio uses of an HTTP session; remembers every WebSocket that was opened.

    The library loses those that break before its first packet, and nobody closes them.
    """

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession()
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self.get = self._session.get
        self.post = self._session.post
        self.cookie_jar = self._session.cookie_jar

    @property
    def closed(self) -> bool:
        return self._session.closed

    async def ws_connect(self, url: str, **options: Any) -> aiohttp.ClientWebSocketResponse:
        socket: aiohttp.ClientWebSocketResponse = await self._session.ws_connect(url, **options)
        self._sockets.append(socket)
        return socket

    def abort_sockets(self) -> None:
        """Cut them off without a word."""
        for socket in self._sockets:
            socket._response.close()

    async def close(self) -> None:
        self.abort_sockets()
        await self._session.close()


class SocketIoClient(ChatClient):
    """python-socketio's client: websocket, polling, or polling upgraded to websocket."""

    wire: ClassVar[str] = "socketio"

    def __init__(self, base_url: str, transports: Transports) -> None:
        super().__init__(base_url)
        self._transports = transports
        self._http: _Http | None = None
        self._refusal: object = None
        self._client = socketio.AsyncClient(
            reconnection=False, handle_sigint=False, http_session=None
        )
        self._client.on("*", self._on_event)
        self._client.on("connect_error", self._on_refusal)
        self._client.on("disconnect", self._on_disconnect)

    def _on_event(self, name: str, *arguments: Any) -> None:
        (said,) = arguments
        assert said["type"] == name, (name, said)
        self._heard(said)

    def _on_refusal(self, refusal: object = None) -> None:
        self._refusal = refusal

    def _on_disconnect(self, _: str) -> None:
        # Events that came in the same poll are tasks that have yet to run.
        asyncio.get_running_loop().call_soon(self._over, None)

    async def upgraded(self) -> str:
        """What the connection goes over; python-socketio upgrades before it connects."""
        return str(self._client.transport())

    async def _open(self, opening: Mapping[str, Any]) -> None:
        self._http = self._client.eio.http = _Http()
        self._client.eio.external_http = True
        try:
            await self._client.connect(
                self.base_url,
                auth=dict(opening),
                transports=TRANSPORTS[self._transports],
                namespaces=["/"],
                wait_timeout=WAIT_S,
            )
        except socketio.exceptions.ConnectionError as error:
            await self._http.close()
            if isinstance(self._refusal, dict) and isinstance(self._refusal.get("data"), dict):
                said: Said = self._refusal["data"]
                raise Refused(said, None) from None
            raise RefusedByHttp(None, str(error)) from None

    async def _ask(
        self, command: str, name: str, fields: Said, answer: asyncio.Future[Said]
    ) -> None:
        self._expect(name, command, answer)
        if self.ending is None:
            await self._client.emit(
                command, fields, callback=lambda *said: self._called_back(name, said)
            )

    def _called_back(self, name: str, arguments: tuple[Any, ...]) -> None:
        (said,) = arguments
        self._answered(name, said)

    async def tell(self, command: str, **fields: Any) -> None:
        """Send a command without asking for an answer."""
        if self.ending is None:
            await self._client.emit(command, fields)

    async def close(self) -> None:
        """Disconnect as python-socketio does."""
        if self._http is None:
            return
        if self.ending is None:
            await self._client.disconnect()
        await self._put_away()

    async def drop(self) -> None:
        """Cut the WebSocket, or stop polling, without a word."""
        assert self._http is not None
        self._over(None)
        self._http.abort_sockets()
        await self._put_away()

    async def _put_away(self) -> None:
        assert self._http is not None
        engine = self._client.eio
        tasks = [task for task in (engine.read_loop_task, engine.write_loop_task) if task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._http.close()


class PacketSocket:
    """Engine.IO packets over a WebSocket, by hand; for what no proper client would send."""

    def __init__(self, socket: RawSocket) -> None:
        self.socket = socket

    @classmethod
    async def open(
        cls,
        base_url: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        protocols: tuple[str, ...] = (),
        receive_buffer_bytes: int | None = None,
    ) -> "PacketSocket":
        """Open the transport and take its OPEN packet; no Socket.IO CONNECT is sent."""
        url = f"{base_url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket&{query}"
        opened = cls(
            await RawSocket.open(
                url,
                headers=headers,
                protocols=protocols,
                receive_buffer_bytes=receive_buffer_bytes,
            )
        )
        packet = await opened.receive()
        assert isinstance(packet, str), packet
        assert packet[:1] == "0", packet
        return opened

    async def connect(self, auth_json: str) -> str | int:
        """Send CONNECT with this `auth`; returns the packet that answers."""
        await self.send(f"40{auth_json}")
        return await self.receive()

    async def send(self, packet: str | bytes) -> None:
        """One packet as a text frame."""
        await self.socket.send_text(packet)

    async def receive(self, *, timeout_s: float = WAIT_S) -> str | int:
        """The next packet that is not a PING (those are answered), or the close code."""
        while True:
            packet = await self.socket.receive(timeout_s=timeout_s)
            if packet != "2":
                return packet
            await self.socket.send_text("3")

    async def receive_starting(self, prefix: str, *, timeout_s: float = WAIT_S) -> str:
        """The next packet that starts so; fails where the connection ends before."""
        async with asyncio.timeout(timeout_s):
            while True:
                packet = await self.receive(timeout_s=timeout_s)
                assert isinstance(packet, str), f"closed with {packet} before {prefix}"
                if packet.startswith(prefix):
                    return packet

    async def closed(self, *, timeout_s: float = WAIT_S) -> tuple[list[str], int]:
        """Read to the end: the packets before it, and the close code."""
        packets: list[str] = []
        async with asyncio.timeout(timeout_s):
            while True:
                packet = await self.receive(timeout_s=timeout_s)
                if isinstance(packet, int):
                    return packets, packet
                packets.append(packet)

    async def close(self) -> None:
        """Close it if it is open."""
        await self.socket.close()


class PollingSession:
    """Engine.IO by long polling, by hand: polls and posts only when told to."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self.url = url

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, base_url: str) -> "PollingSession":
        """Do the handshake; no Socket.IO CONNECT is sent."""
        url = f"{base_url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as response:
            assert response.status == 200, await response.text()
            opened = json.loads((await response.text())[1:])
        return cls(http, f"{url}&sid={opened['sid']}")

    async def post(self, *packets: str) -> int:
        """Send packets in one request; returns the status."""
        async with self._http.post(self.url, data="\x1e".join(packets).encode()) as response:
            await response.read()
            return response.status

    async def poll(self) -> tuple[int, list[str]]:
        """One poll: the status, and the packets where there are any."""
        async with self._http.get(self.url) as response:
            text = await response.text()
            return response.status, text.split("\x1e") if response.status == 200 else []
