"""A network that fails: a relay on loopback between a store and its server."""

import asyncio
from types import TracebackType
from urllib.parse import urlsplit


class Relay:
    """Passes bytes both ways until it is told to fail; `cut` makes it good again."""

    def __init__(self, target_url: str) -> None:
        target = urlsplit(target_url)
        self._target = (target.hostname, target.port or 27017)
        self._database = target.path
        self._server: asyncio.Server | None = None
        self._sockets: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._good = asyncio.Event()
        self._good.set()
        self._losing = False
        self.url = ""

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"mongodb://127.0.0.1:{port}{self._database}?directConnection=true"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._passing, return_exceptions=True)
        await self._server.wait_closed()

    def hang(self) -> None:
        """Pass nothing more, and keep the connections."""
        self._good.clear()

    def lose_answers(self) -> None:
        """Pass what clients say; when the server answers, close instead of passing it."""
        self._losing = True

    def cut(self) -> None:
        """Close all connections; new ones work."""
        self._losing = False
        self._good.set()
        for writer in self._sockets:
            writer.close()
        self._sockets.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        self._sockets |= {writer, back}
        for source, sink, is_answer in ((reader, back, False), (there, writer, True)):
            task = asyncio.create_task(self._pass(source, sink, is_answer=is_answer))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool
    ) -> None:
        try:
            while data := await source.read(65536):
                await self._good.wait()
                if is_answer and self._losing:
                    break
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()
