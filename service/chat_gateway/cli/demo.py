"""`chat-gateway demo`: two people in one session, and the lines that bring a tester in."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import click

from chat_gateway.cli import paste

START_TIMEOUT_S: Final = 30.0
ASK_EVERY_S: Final = 0.1
ANSWER_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@click.command()
@click.option("--url", default="http://localhost:8080", show_default=True, help="The server.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="For a server that is started here. Default: a folder that goes when it stops",
)
def demo(url: str, data_dir: Path | None) -> None:
    """Make two accounts that share a session, and print what to paste to chat as them.

    Where no server answers at the URL, one is started, and runs until Ctrl-C.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        raise click.UsageError(f"--url is {url!r}: it must be an http(s) URL.")
    asyncio.run(_demo(url.rstrip("/"), data_dir))


async def _demo(url: str, data_dir: Path | None) -> None:
    async with aiohttp.ClientSession(timeout=ANSWER_TIMEOUT) as http:
        if await _answers(http, url):
            paste.show(await _introduce(http, url))
            return
        async with _fresh_server(http, url, data_dir) as server:
            paste.show(await _introduce(http, url))
            click.echo("\nThe server runs here; Ctrl-C stops it.")
            await _until_stopped(server)


# --- the two people ---------------------------------------------------------------------------


async def _introduce(http: aiohttp.ClientSession, url: str) -> paste.Demo:
    """Make two accounts and a session that both are in."""
    mina = await _sign_up(http, url, "Mina")
    jun = await _sign_up(http, url, "Jun")
    session = await _post(http, f"{url}/api/sessions", mina.token, {"title": "Demo"})
    session_id = str(session["id"])
    invite = await _post(http, f"{url}/api/sessions/{session_id}/invites", mina.token, None)
    await _post(http, f"{url}/api/invites/{invite['code']}/accept", jun.token, None)
    return paste.Demo(url=url, session_id=session_id, people=(mina, jun))


async def _sign_up(http: aiohttp.ClientSession, url: str, name: str) -> paste.Person:
    email = f"{name.lower()}-{secrets.token_hex(4)}@example.com"
    password = secrets.token_urlsafe(12)
    body = {"email": email, "password": password, "displayName": name}
    made = await _post(http, f"{url}/api/auth/signup", None, body)
    return paste.Person(name=name, email=email, password=password, token=str(made["token"]))


async def _post(
    http: aiohttp.ClientSession, url: str, token: str | None, body: Any
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    try:
        async with http.post(url, json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
            if response.status < 300 and isinstance(answer, dict):
                return answer
            detail = answer.get("detail") if isinstance(answer, dict) else None
            raise click.ClickException(f"{url} answered {response.status}: {detail or answer}")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise click.ClickException(f"{url}: {error or 'no answer in time'}") from None


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether a chat gateway answers; False where nobody listens."""
    try:
        async with http.get(f"{url}/healthz") as response:
            if response.status == 200:
                return True
            raise click.ClickException(f"something else answers at {url}: use another --url")
    except aiohttp.ClientConnectorError:
        return False
    except (aiohttp.ClientError, TimeoutError) as error:
        raise click.ClickException(f"{url}: {error or 'no answer in time'}") from None


# --- a server of its own ------------------------------------------------------------------------


@asynccontextmanager
async def _fresh_server(
    http: aiohttp.ClientSession, url: str, data_dir: Path | None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A server that answers at `url` while the block runs, and is stopped after it."""
    parts = urlsplit(url)
    if parts.hostname not in LOCAL_HOSTS or parts.scheme != "http" or parts.path:
        raise click.ClickException(f"no server answers at {url}, and one can be started only here")
    with contextlib.ExitStack() as folders:
        if data_dir is None:
            data_dir = Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="chat-")))
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chat_gateway.cli.main", "serve"),
            *("--host", "127.0.0.1" if parts.hostname == "localhost" else str(parts.hostname)),
            *("--port", str(parts.port or 80), "--data-dir", str(data_dir)),
            env={**os.environ, "CHAT_PUBLIC_URL": url},
        )
        try:
            await _until_answering(http, url, server)
            yield server
        finally:
            if server.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    server.terminate()
            await server.wait()


async def _until_answering(
    http: aiohttp.ClientSession, url: str, server: asyncio.subprocess.Process
) -> None:
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not await _answers(http, url):
                if server.returncode is not None:
                    raise click.ClickException("the server did not start; its lines say why")
                await asyncio.sleep(ASK_EVERY_S)
    except TimeoutError:
        raise click.ClickException("the server takes too long to start") from None


async def _until_stopped(server: asyncio.subprocess.Process) -> None:
    """Return on Ctrl-C, on SIGTERM, or when the server has gone by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    ends = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(server.wait())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()
