"""Clients of Node.js (`ws` and `socket.io-client`) as `ChatClient`s; their other end is
`tests/clients/driver.mjs`."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from tests.parts.clients import WAIT_S, ChatClient, Gone, Refused, RefusedByHttp, Said
from tests.parts.node import Node
from tests.parts.raw_clients import BROKEN
from tests.parts.socketio_clients import TRANSPORTS, Transports

FIRST_OF_OURS = 4000
"""Close codes from here on are the protocol's own; others are how a transport ends by itself."""


class _NodeClient(ChatClient):
    """What both have in common: a name in the driver, and a first answer to wait for."""

    def __init__(self, base_url: str, node: Node, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(base_url)
        self._node = node
        self._headers = dict(headers or {})
        self._name = ""
        self._opened: asyncio.Future[None] | None = None

    async def _start(self, order: str, **facts: Any) -> None:
        self._opened = asyncio.get_running_loop().create_future()
        self._name = self._node.listen(self._happened)
        self._node.order(self._name, order, headers=self._headers, **facts)
        await asyncio.wait_for(self._opened, WAIT_S)

    def _happened(self, what: str, facts: dict[str, Any]) -> None:
        handle = getattr(self, f"_on_{what}", None)
        if handle is not None:
            handle(**facts)

    def _let_in(self, error: Exception | None = None) -> None:
        if self._opened is None or self._opened.done():
            return
        if error is None:
            self._opened.set_result(None)
        else:
            self._opened.set_exception(error)

    def _order(self, order: str, **facts: Any) -> None:
        if self.ending is None:
            self._node.order(self._name, order, **facts)

    async def _leave(self, order: str, **facts: Any) -> None:
        if self._opened is None:
            return
        if self.ending is None:
            self._order(order, **facts)
            await self.ended()
        self._node.forget(self._name)


class NodeRawClient(_NodeClient):
    """`ws`."""

    wire: ClassVar[str] = "raw"

    def __init__(
        self,
        base_url: str,
        node: Node,
        headers: Mapping[str, str] | None = None,
        protocols: tuple[str, ...] = (),
    ) -> None:
        super().__init__(base_url, node, headers)
        self._protocols = protocols
        self.protocol = ""

    async def _open(self, opening: Mapping[str, Any]) -> None:
        url = f"{self.base_url.replace('http', 'ws', 1)}/ws/chat?{urlencode(opening)}"
        await self._start("ws", url=url, protocols=list(self._protocols))

    def _on_open(self, protocol: str) -> None:
        self.protocol = protocol
        self._let_in()

    def _on_answered(self, status: int, body: str) -> None:
        self._over(None)
        self._let_in(RefusedByHttp(status, body))

    def _on_text(self, text: str) -> None:
        said: Said = json.loads(text)
        ref = said.get("ref")
        if ref in self._pending:
            self._answered(ref, said)
        elif said["type"] not in ("ack", "pong"):
            self._heard(said)

    def _on_closed(self, code: int, reason: str) -> None:
        self._over(code)
        self._let_in(Gone(self.ending) if self.ending else None)

    async def _ask(
        self, command: str, name: str, fields: Said, answer: asyncio.Future[Said]
    ) -> None:
        ref = fields.pop("ref", name)
        self._expect(ref, command, answer)
        await self.tell(command, ref=ref, **fields)

    async def tell(self, command: str, **fields: Any) -> None:
        """Send a command without asking for an answer."""
        self._order("text", text=json.dumps({"type": command, **fields}))

    def stop_reading(self) -> None:
        """Take nothing more off the network."""
        self._order("pause")

    def read_on(self) -> None:
        """Take everything that came meanwhile."""
        self._order("resume")

    async def close(self) -> None:
        """Close with 1000."""
        await self._leave("close", code=1000)

    async def drop(self) -> None:
        """Cut the connection without a word."""
        self._order("terminate")
        self._over(BROKEN)
        self._node.forget(self._name)


class NodeSocketIoClient(_NodeClient):
    """`socket.io-client`: websocket, polling, or polling upgraded to websocket."""

    wire: ClassVar[str] = "socketio"

    def __init__(
        self,
        base_url: str,
        node: Node,
        transports: Transports,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(base_url, node, headers)
        self._transports = transports
        self._upgraded: asyncio.Future[str] | None = None

    async def _open(self, opening: Mapping[str, Any]) -> None:
        self._upgraded = asyncio.get_running_loop().create_future()
        await self._start(
            "io",
            url=self.base_url,
            path="/socket.io/",
            transports=TRANSPORTS[self._transports],
            upgrade=self._transports == "upgrade",
            auth=dict(opening),
        )

    async def upgraded(self) -> str:
        """Wait until the connection goes over another transport; returns its name."""
        assert self._upgraded is not None
        return await asyncio.wait_for(asyncio.shield(self._upgraded), WAIT_S)

    def _on_upgraded(self, transport: str) -> None:
        assert self._upgraded is not None
        self._upgraded.set_result(transport)

    def _on_connected(self, id: str, transport: str) -> None:
        self._let_in()

    def _on_refused(self, message: str, data: Said | None, status: int | None) -> None:
        self._let_in(Refused(data, None) if data is not None else RefusedByHttp(status, message))
        self._over(None)

    def _on_event(self, event: str, args: list[Any]) -> None:
        (said,) = args
        assert said["type"] == event, (event, said)
        self._heard(said)

    def _on_reply(self, call: str, args: list[Any]) -> None:
        (said,) = args
        if call in self._pending:
            self._answered(call, said)

    def _on_disconnected(self, reason: str, code: int | None) -> None:
        self._over(code if code is not None and code >= FIRST_OF_OURS else None)

    async def _ask(
        self, command: str, name: str, fields: Said, answer: asyncio.Future[Said]
    ) -> None:
        self._expect(name, command, answer)
        self._order("emit", event=command, args=[fields], call=name)

    async def tell(self, command: str, **fields: Any) -> None:
        """Send a command without asking for an answer."""
        self._order("emit", event=command, args=[fields], call=None)

    async def close(self) -> None:
        """Disconnect as socket.io-client does."""
        await self._leave("disconnect")

    async def drop(self) -> None:
        """Cut the connection under Socket.IO."""
        self._order("drop")
        self._over(None)
        self._node.forget(self._name)
