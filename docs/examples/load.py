"""The smallest load test: many connections in one session, and what each of them got.

    python load.py 'ws://localhost:8080/ws/chat?sessionId=…&token=…' [CONNECTIONS] [MESSAGES]

Opens 100 connections and sends 20 messages unless told otherwise. Needs aiohttp, which the
environment of the service has. Exit code 1 where anything was lost, doubled, or out of order,
2 where a connection was refused.
"""

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

HANDSHAKES_AT_ONCE = 20
MESSAGES_PER_S = 10
PATIENCE_S = 15.0
"""How long after the last message was sent all of them may take to arrive."""


class Refused(Exception):
    """The server does not let a connection in; the text says why."""


class Client:
    """One connection: the seq of each message that it got, and how long each took."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.seqs: list[int] = []
        self.latencies_s: list[float] = []

    async def joined(self) -> None:
        """Wait until the connection is in the session."""
        while (said := await self._next())["type"] != "joined":
            if said["type"] == "error":
                raise Refused(f"refused: {said['code']}: {said['message']}")

    async def listen(self, sent_s: dict[str, float], last: str) -> None:
        """Note the messages whose keys are in `sent_s`, until the `last` one has come."""
        key = ""
        while key != last:
            said = await self._next()
            key = str(said.get("clientMessageId"))
            if said["type"] == "message" and key in sent_s:
                self.seqs.append(said["seq"])
                self.latencies_s.append(time.monotonic() - sent_s[key])

    async def send(self, key: str, content: str) -> None:
        """Send a message."""
        message = {"type": "message", "content": content, "clientMessageId": key}
        await self._socket.send_str(json.dumps(message))

    async def _next(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(await self._socket.receive_str())
        return said


async def connect_all(http: aiohttp.ClientSession, url: str, count: int) -> list[Client]:
    """Open connections, a few handshakes at a time."""
    turns = asyncio.Semaphore(HANDSHAKES_AT_ONCE)

    async def connect() -> Client:
        async with turns:
            client = Client(await http.ws_connect(url))
            await client.joined()
            return client

    return list(await asyncio.gather(*(connect() for _ in range(count))))


async def run(url: str, connections: int, messages: int) -> int:
    """Do all of it and print what came out; returns the exit code."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        began_s = time.monotonic()
        clients = await connect_all(http, url, connections)
        print(f"connected   {len(clients)} in {time.monotonic() - began_s:.2f} s")

        keys = [f"load-{time.time_ns()}-{number}" for number in range(1, messages + 1)]
        sent_s: dict[str, float] = {}
        listening = [asyncio.create_task(each.listen(sent_s, keys[-1])) for each in clients]
        for number, key in enumerate(keys, 1):
            sent_s[key] = time.monotonic()
            await clients[0].send(key, f"부하 테스트 {number}")
            await asyncio.sleep(1 / MESSAGES_PER_S)
        _, late = await asyncio.wait(listening, timeout=PATIENCE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    return report(clients, messages)


def report(clients: list[Client], messages: int) -> int:
    """Print the outcome; returns the exit code."""
    lost = sum(messages - len(set(client.seqs)) for client in clients)
    doubled = sum(len(client.seqs) - len(set(client.seqs)) for client in clients)
    disordered = sum(client.seqs != sorted(client.seqs) for client in clients)
    latencies_ms = sorted(each * 1000 for client in clients for each in client.latencies_s)
    print(f"sent        {messages} messages")
    print(f"delivered   {len(latencies_ms)} of {messages * len(clients)}")
    print(f"lost        {lost}")
    print(f"doubled     {doubled}")
    print(f"disordered  {disordered} connections")
    if latencies_ms:
        middle, late = (latencies_ms[int(len(latencies_ms) * part)] for part in (0.5, 0.99))
        print(f"latency     median {middle:.1f} ms, 99 % within {late:.1f} ms")
    return 1 if lost or doubled or disordered else 0


def main(url: str, connections: str = "100", messages: str = "20") -> int:
    """Run the test with what the command line says; returns the exit code."""
    try:
        return asyncio.run(run(url, int(connections), int(messages)))
    except (Refused, aiohttp.ClientError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
