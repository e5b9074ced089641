"""`chat-gateway load`: connections that post and listen, and what became of every message."""

import asyncio
import secrets
import signal
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from chat_gateway.cli.load_clients import CannotConnect, LoadClient, RawClient, SocketIoClient
from chat_gateway.cli.load_tally import Tally, percentile

ANSWER_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
CONNECT_AT_A_TIME: Final = 50
LAST_WITHIN_S: Final = 10.0
"""What has not come so long after the last message is lost."""

LOOK_EVERY_S: Final = 0.02
BUSY_SHARE: Final = 0.9
CONTENT: Final = "A message of the load test, about as long as what people write to each other."
WIRES: Final[dict[str, tuple[type[LoadClient], ...]]] = {
    "raw": (RawClient,),
    "socketio": (SocketIoClient,),
    "both": (RawClient, SocketIoClient),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the load is to be."""

    url: str
    token: str | None
    session_id: str | None
    connections: int
    clients: tuple[type[LoadClient], ...]
    per_s: float
    seconds: float

    @property
    def messages(self) -> int:
        """How many will be posted in all."""
        return max(round(self.per_s * self.seconds), 1)


@click.command()
@click.option("--url", default="http://localhost:8080", show_default=True, help="The server.")
@click.option("--token", help="Whose connections they are. Default: an account made for this.")
@click.option("--session", "session_id", metavar="ID", help="Default: a session made for this.")
@click.option(
    "--connections",
    type=click.IntRange(1, 50_000),
    default=100,
    show_default=True,
    metavar="NUMBER",
    help="Clients that join the session.",
)
@click.option(
    "--wire",
    type=click.Choice(list(WIRES)),
    default="both",
    show_default=True,
    help="How they connect.",
)
@click.option(
    "--per-second",
    "per_s",
    type=click.FloatRange(0.1, 100_000),
    default=20.0,
    show_default=True,
    metavar="NUMBER",
    help="Messages posted each second, by the clients in turn.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 86_400),
    default=10.0,
    show_default=True,
    metavar="NUMBER",
    help="How long to post.",
)
def load(
    url: str,
    token: str | None,
    session_id: str | None,
    connections: int,
    wire: str,
    per_s: float,
    seconds: float,
) -> None:
    """Let many clients chat in one session of a running server, and count what arrives.

    Prints how late messages come, and how many were lost, doubled or out of order; where any were,
    the exit code is 1. Ctrl-C ends the posting early. One account may have 200 connections, one
    address 1,000, and each connection post 20 messages a second, unless the server runs with
    CHAT_RATE_LIMITS=off.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        raise click.UsageError(f"--url is {url!r}: it must be an http(s) URL.")
    if session_id is not None and token is None:
        raise click.UsageError("--session needs the --token of a member.")
    wanted = Wanted(
        url=url.rstrip("/"),
        token=token,
        session_id=session_id,
        connections=connections,
        clients=WIRES[wire],
        per_s=per_s,
        seconds=seconds,
    )
    tally = Tally()
    begun_s, used_s = time.perf_counter(), time.process_time()
    try:
        uvloop.run(_load(wanted, tally))
    except CannotConnect as error:
        raise click.ClickException(str(error)) from None
    busy = (time.process_time() - used_s) / (time.perf_counter() - begun_s)
    _show(tally, busy)
    if tally.went_wrong:
        raise SystemExit(1)


async def _load(wanted: Wanted, tally: Tally) -> None:
    async with AsyncExitStack() as open_now:
        connector = aiohttp.TCPConnector(limit=0)
        http = await open_now.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=ANSWER_TIMEOUT)
        )
        progress = open_now.enter_context(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                console=Console(stderr=True),
            )
        )
        token = wanted.token or await _sign_up(http, wanted.url)
        session_id = wanted.session_id or await _new_session(http, wanted.url, token)
        clients = [
            wanted.clients[number % len(wanted.clients)](tally)
            for number in range(wanted.connections)
        ]
        open_now.push_async_callback(_close, clients)
        await _connect(clients, http, wanted.url, token, session_id, progress)
        await _post(clients, wanted, tally, progress)


async def _close(clients: list[LoadClient]) -> None:
    await asyncio.gather(*(client.close() for client in clients))


async def _connect(
    clients: list[LoadClient],
    http: aiohttp.ClientSession,
    url: str,
    token: str,
    session_id: str,
    progress: Progress,
) -> None:
    bar = progress.add_task("connected", total=len(clients))
    for start in range(0, len(clients), CONNECT_AT_A_TIME):
        group = clients[start : start + CONNECT_AT_A_TIME]
        done = await asyncio.gather(
            *(client.open(http, url, token, session_id) for client in group),
            return_exceptions=True,
        )
        for number, refusal in enumerate(done, start + 1):
            if isinstance(refusal, CannotConnect):
                raise CannotConnect(f"connection {number} of {len(clients)}: {refusal}")
            if refusal is not None:
                raise refusal
        progress.advance(bar, len(group))


async def _post(
    clients: list[LoadClient], wanted: Wanted, tally: Tally, progress: Progress
) -> None:
    run = secrets.token_hex(8)
    bar = progress.add_task("messages posted", total=wanted.messages)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    begun_s = time.perf_counter()
    for number in range(wanted.messages):
        ahead_s = begun_s + number / wanted.per_s - time.perf_counter()
        if ahead_s > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), ahead_s)
        if stop.is_set():
            break
        await clients[number % len(clients)].post(f"load-{run}-{number}", CONTENT)
        progress.advance(bar)
    give_up_s = time.perf_counter() + LAST_WITHIN_S
    # Asking at every delivery whether it was the last would cost more than looking now and then.
    while not tally.is_settled and time.perf_counter() < give_up_s:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_EVERY_S)


# --- who and where ------------------------------------------------------------------------------


async def _sign_up(http: aiohttp.ClientSession, url: str) -> str:
    body = {
        "email": f"load-{secrets.token_hex(6)}@example.com",
        "password": secrets.token_urlsafe(16),
        "displayName": "Load test",
    }
    return str((await _answer(http, f"{url}/api/auth/signup", None, body))["token"])


async def _new_session(http: aiohttp.ClientSession, url: str, token: str) -> str:
    made = await _answer(http, f"{url}/api/sessions", token, {"title": "Load test"})
    return str(made["id"])


async def _answer(
    http: aiohttp.ClientSession, url: str, token: str | None, body: dict[str, str]
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    try:
        async with http.post(url, json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise CannotConnect(f"{url}: {error or 'no answer in time'}") from None
    if response.status >= 300 or not isinstance(answer, dict):
        said = answer.get("detail") if isinstance(answer, dict) else answer
        raise CannotConnect(f"{url} answered {response.status}: {said}")
    return answer


# --- what is printed ----------------------------------------------------------------------------


def _show(tally: Tally, busy: float) -> None:
    console = Console(highlight=False)
    table = Table(title="milliseconds", title_justify="left")
    for heading in ("from posting to", "p50", "p99", "p99.9", "longest", "count"):
        table.add_column(heading, justify="left" if heading.startswith("from") else "right")
    for name, times_s in (("its ack", tally.ack_s), ("each client", tally.receive_s)):
        ordered = sorted(times_s)
        table.add_row(
            name,
            *(f"{percentile(ordered, share) * 1000:.1f}" for share in (0.5, 0.99, 0.999, 1)),
            f"{len(ordered):,}",
        )
    console.print(table)
    console.print(
        f"{len(tally.posted):,} posted, {len(tally.acked):,} acknowledged,"
        f" {len(tally.receive_s):,} deliveries to {len(tally.views):,} clients"
    )
    console.print(
        f"lost {tally.lost}, duplicated {tally.duplicated}, reordered {tally.reordered}",
        style="bold red" if tally.went_wrong else "bold green",
    )
    for code, count in sorted(tally.refused.items()):
        console.print(f"refused with {code}: {count:,}", style="yellow")
    if tally.unanswered:
        console.print(f"never answered: {tally.unanswered:,}", style="yellow")
    if tally.ended:
        console.print(f"connections that ended: {len(tally.ended)}, {tally.ended[0]}", style="red")
    if busy > BUSY_SHARE:
        console.print("This client was busy all the time: the server may be faster than this.")
