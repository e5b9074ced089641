"""The clients of a load test: as little as a client of each wire can be.

Socket.IO is spoken in packets by hand, since hundreds of whole clients in one process would be
slower than the server.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

import aiohttp
import orjson

from chat_gateway.cli.load_tally import Tally, View

JOIN_TIMEOUT_S: Final = 30.0
MAX_FRAME_BYTES: Final = 16 * 1024 * 1024


class CannotConnect(Exception):
    """A connection was refused; the text is one line that says by what."""


class LoadClient(ABC):
    """One connection. Whatever it hears goes to the tally."""

    wire: ClassVar[str]

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._view: View | None = None
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listening: asyncio.Task[None] | None = None
        self._closing = False
        self._socket: aiohttp.ClientWebSocketResponse

    async def open(
        self, http: aiohttp.ClientSession, url: str, token: str, session_id: str
    ) -> None:
        """Connect, and return when the session is joined. Raises `CannotConnect`."""
        try:
            self._socket = await http.ws_connect(
                self._address(url, token, session_id), max_msg_size=MAX_FRAME_BYTES
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CannotConnect(f"{url}: {error or 'no answer in time'}") from None
        self._listening = asyncio.create_task(self._listen(token, session_id))
        try:
            await asyncio.wait_for(asyncio.shield(self._joined), JOIN_TIMEOUT_S)
        except TimeoutError:
            raise CannotConnect(f"{url}: the session was not joined in time") from None

    async def close(self) -> None:
        """Leave."""
        self._closing = True
        if self._listening is not None:
            await self._socket.close()
            await self._listening
            if self._joined.done() and not self._joined.cancelled():
                self._joined.exception()  # whoever gave up does not ask for it any more

    async def post(self, message_id: str, content: str) -> None:
        """Send a message and ask for its ack; one that cannot be sent is not answered."""
        self._tally.post(message_id, time.perf_counter())
        try:
            await self._socket.send_str(self._command(message_id, content))
        except ConnectionError:
            return

    async def _listen(self, token: str, session_id: str) -> None:
        async for frame in self._socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                await self._hear(frame.data, token, session_id)
        self._over()

    def _over(self) -> None:
        code = self._socket.close_code
        if not self._joined.done():
            self._joined.set_exception(CannotConnect(f"closed with {code} before it had joined"))
        elif not self._closing:
            self._tally.ended.append(f"closed with {code}")

    def _said(self, said: Mapping[str, Any]) -> None:
        """Take an object that is no answer to a message."""
        kind = said["type"]
        if kind == "joined":
            self._view = View(said["seq"])
            self._tally.views.append(self._view)
            if not self._joined.done():
                self._joined.set_result(None)
        elif kind == "error":
            self._refused(dict(said))
        elif self._view is not None:
            self._tally.hear(self._view, dict(said), time.perf_counter())

    def _refused(self, said: dict[str, Any]) -> None:
        if self._joined.done():
            self._tally.error(said)
        else:
            self._joined.set_exception(
                CannotConnect(f"refused: {said.get('code')}: {said.get('message')}")
            )

    @abstractmethod
    def _address(self, url: str, token: str, session_id: str) -> str:
        """Where to connect."""

    @abstractmethod
    def _command(self, message_id: str, content: str) -> str:
        """A message as it is sent."""

    @abstractmethod
    async def _hear(self, text: str, token: str, session_id: str) -> None:
        """A text came."""


class RawClient(LoadClient):
    """A plain WebSocket."""

    wire = "raw"

    def _address(self, url: str, token: str, session_id: str) -> str:
        return f"{url}/ws/chat?sessionId={quote(session_id)}&token={quote(token)}"

    def _command(self, message_id: str, content: str) -> str:
        command = {
            "type": "message",
            "content": content,
            "clientMessageId": message_id,
            "ref": message_id,
        }
        return orjson.dumps(command).decode()

    async def _hear(self, text: str, token: str, session_id: str) -> None:
        said = orjson.loads(text)
        if said.get("ref") is not None:
            self._tally.answer(said["ref"], said, time.perf_counter())
        else:
            self._said(said)


class SocketIoClient(LoadClient):
    """Socket.IO over a WebSocket."""

    wire = "socketio"

    def __init__(self, tally: Tally) -> None:
        super().__init__(tally)
        self._asked: list[str] = []
        """The client message ids, by the number of the acknowledgement."""

    def _address(self, url: str, token: str, session_id: str) -> str:
        return f"{url}/socket.io/?EIO=4&transport=websocket"

    def _command(self, message_id: str, content: str) -> str:
        self._asked.append(message_id)
        arguments = ["message", {"content": content, "clientMessageId": message_id}]
        return f"42{len(self._asked) - 1}{orjson.dumps(arguments).decode()}"

    async def _hear(self, text: str, token: str, session_id: str) -> None:
        if text == "2":
            await self._socket.send_str("3")
        elif text[:1] == "0":
            auth = {"token": token, "sessionId": session_id}
            await self._socket.send_str(f"40{orjson.dumps(auth).decode()}")
        elif text.startswith("44"):
            self._refused(orjson.loads(text[2:])["data"])
        elif text.startswith("43"):
            number, bracket, answer = text[2:].partition("[")
            (said,) = orjson.loads(bracket + answer)
            self._tally.answer(self._asked[int(number)], said, time.perf_counter())
        elif text.startswith("42"):
            _, said = orjson.loads(text[2:])
            self._said(said)
