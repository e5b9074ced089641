"""Plain WebSocket clients by aiohttp: one that chats, and one that only moves frames."""

import asyncio
import json
import socket
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

import aiohttp

from tests.parts.clients import WAIT_S, ChatClient, RefusedByHttp, Said

BROKEN = 1006
"""The close code of a connection that ended without one (RFC 6455, section 7.1.5)."""


class RawSocket:
    """Frames in, frames out; for what no proper client would send."""

    def __init__(self, http: aiohttp.ClientSession, opened: aiohttp.ClientWebSocketResponse):
        self._http = http
        self.socket = opened

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        protocols: tuple[str, ...] = (),
        autoping: bool = True,
        receive_buffer_bytes: int | None = None,
    ) -> "RawSocket":
        """Connect; raises `RefusedByHttp`.

        Without `autoping` it answers no ping. `receive_buffer_bytes` keeps the kernel from taking
        megabytes for a client that reads nothing.
        """

        def make_socket(address: aiohttp.AddrInfoType) -> socket.socket:
            made = socket.socket(*address[:3])
            if receive_buffer_bytes is not None:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
            return made

        http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=make_socket))
        try:
            opened = await http.ws_connect(
                url,
                headers=headers,
                protocols=protocols,
                max_msg_size=0,
                autoping=autoping,
                timeout=aiohttp.ClientWSTimeout(ws_close=WAIT_S),
            )
        except aiohttp.WSServerHandshakeError as error:
            await http.close()
            raise RefusedByHttp(error.status, error.message) from None
        except BaseException:
            await http.close()
            raise
        return cls(http, opened)

    async def send_text(self, text: str | bytes) -> None:
        """One text frame; bytes go out as they are, valid UTF-8 or not."""
        if isinstance(text, str):
            text = text.encode()
        await self.socket.send_frame(text, aiohttp.WSMsgType.TEXT)

    async def receive(self, *, timeout_s: float = WAIT_S) -> str | int:
        """The next text frame, or the close code."""
        message = await self.socket.receive(timeout=timeout_s)
        while message.type is aiohttp.WSMsgType.PING:
            message = await self.socket.receive(timeout=timeout_s)
        if message.type is aiohttp.WSMsgType.TEXT:
            text: str = message.data
            return text
        assert message.type in (
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSING,
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.ERROR,
        ), message
        return self.socket.close_code or BROKEN

    async def receive_object(self, kind: str | None = None, *, timeout_s: float = WAIT_S) -> Said:
        """The next object, or the next of this kind; fails where the connection ends before."""
        async with asyncio.timeout(timeout_s):
            while True:
                text = await self.receive(timeout_s=timeout_s)
                assert isinstance(text, str), f"closed with {text} before {kind}"
                said: Said = json.loads(text)
                if kind is None or said["type"] == kind:
                    return said

    async def close_code(self, *, timeout_s: float = WAIT_S) -> tuple[Said | None, int]:
        """Read to the end: the last object before it, and the close code."""
        last: Said | None = None
        async with asyncio.timeout(timeout_s):
            while True:
                heard = await self.receive(timeout_s=timeout_s)
                if isinstance(heard, int):
                    return last, heard
                last = json.loads(heard)

    async def drop(self) -> None:
        """Cut the connection without a word."""
        connection = self.socket._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        await self.close()

    async def close(self) -> None:
        """Close it if it is open."""
        await self.socket.close()
        await self._http.close()


class RawClient(ChatClient):
    """A plain WebSocket client that speaks the protocol."""

    wire: ClassVar[str] = "raw"

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self._socket: RawSocket | None = None
        self._reading: asyncio.Task[None] | None = None
        self.unanswered: list[Said] = []

    async def _open(self, opening: Mapping[str, Any]) -> None:
        url = f"{self.base_url.replace('http', 'ws', 1)}/ws/chat?{urlencode(opening)}"
        self._socket = await RawSocket.open(url)
        self._reading = asyncio.create_task(self._read(self._socket))

    async def _read(self, frames: RawSocket) -> None:
        while True:
            heard = await frames.receive(timeout_s=3600)
            if isinstance(heard, int):
                self._over(heard)
                return
            said: Said = json.loads(heard)
            ref = said.get("ref")
            if ref in self._pending:
                self._answered(ref, said)
            elif said["type"] in ("ack", "pong"):
                self.unanswered.append(said)
            else:
                self._heard(said)

    async def _ask(
        self, command: str, name: str, fields: Said, answer: asyncio.Future[Said]
    ) -> None:
        ref = fields.pop("ref", name)
        self._expect(ref, command, answer)
        await self.tell(command, ref=ref, **fields)

    async def tell(self, command: str, **fields: Any) -> None:
        """Send a command without asking for an answer."""
        assert self._socket is not None
        if self.ending is None:
            await self._socket.send_text(json.dumps({"type": command, **fields}))

    async def close(self) -> None:
        """Close the socket and stop reading."""
        if self._socket is None or self._reading is None:
            return
        await self._socket.close()
        await self._put_away()

    async def drop(self) -> None:
        """Cut the connection without a word."""
        assert self._socket is not None
        self._over(BROKEN)
        connection = self._socket.socket._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        await self._put_away()

    async def _put_away(self) -> None:
        assert self._socket is not None
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait([self._reading])
        if not self._reading.cancelled() and (error := self._reading.exception()):
            raise error
        await self._socket.close()
