"""`chat-gateway demo`: what it prints works when pasted."""

import asyncio
import json
import shlex
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from tests.cli.commands import COMMAND, chat_gateway, environment, said_in_one_line
from tests.identity.key_files import key_file, new_private_key, public_pem
from tests.parts.node import CLIENTS, _find
from tests.parts.people import Api, Person
from tests.parts.raw_clients import RawSocket
from tests.parts.server import ServerProcess, free_port


def after(lines: list[str], heading: str) -> list[str]:
    """The lines under a heading, up to the next empty one."""
    at = next(number for number, line in enumerate(lines) if line.startswith(heading))
    below = lines[at + 1 :]
    return below[: below.index("")] if "" in below else below


async def test_on_a_running_server_every_line_works_when_pasted(
    server: ServerProcess, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    done = await asyncio.to_thread(chat_gateway, "demo", "--url", server.url, cwd=tmp_path)
    assert done.returncode == 0, done
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()

    (mina_url,) = after(lines, "Mina's socket")
    (jun_url,) = after(lines, "Jun's socket")
    (said,) = after(lines, "Send this from either")
    assert shlex.split(after(lines, "In a terminal as Mina")[0]) == ["wscat", "-c", mina_url]

    mina, jun = await RawSocket.open(mina_url), await RawSocket.open(jun_url)
    for socket_ in (mina, jun):
        await socket_.receive_object("joined")
    await mina.send_text(said)
    assert (await jun.receive_object("message"))["content"] == "테스트 메시지"

    curl = shlex.split(after(lines, "Over REST as Jun")[0])
    assert curl[0] == "curl"
    options = list(pairwise(curl))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    (body,) = [value for option, value in options if option == "-d"]
    (url,) = [word for word in curl if word.startswith("http")]
    async with http.post(url, data=body, headers=headers) as response:
        assert response.status == 201
    assert (await jun.receive_object("message"))["content"] == json.loads(body)["content"]

    api = Api(http, server.url)
    for credentials in after(lines, "Log in again"):
        logged = await api.call("POST", "/api/auth/login", json.loads(credentials))
        person = Person(account_id=logged["account"]["id"], name="", token=logged["token"])
        (session,) = (await api.call("GET", "/api/sessions", by=person))["sessions"]
        assert len(session["members"]) == 2
    assert f"{server.url}/docs" in lines[1]
    await mina.close()
    await jun.close()


@asynccontextmanager
async def node_script(script: str) -> AsyncIterator[None]:
    """A module that runs where `ws` and `socket.io-client` can be imported; killed at the end."""
    path, _ = _find()
    running = await asyncio.create_subprocess_exec(
        *(path, "--input-type=module", "-e", script), cwd=CLIENTS, stdout=PIPE, stderr=PIPE
    )
    try:
        yield
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


@pytest.mark.node
@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    ("heading", "said"),
    [("Socket.IO as Jun", "안녕하세요, Socket.IO"), ("Node as Mina", "안녕하세요, Node")],
)
async def test_the_scripts_run_in_node_as_they_are(
    server: ServerProcess, tmp_path: Path, heading: str, said: str
) -> None:
    done = await asyncio.to_thread(chat_gateway, "demo", "--url", server.url, cwd=tmp_path)
    lines = done.stdout.splitlines()
    (mina_url,) = after(lines, "Mina's socket")
    mina = await RawSocket.open(mina_url)
    await mina.receive_object("joined")

    async with node_script("\n".join(after(lines, heading))):
        message = await mina.receive_object("message")

    assert message["content"] == said
    await mina.close()


@asynccontextmanager
async def started_demo(*arguments: str, cwd: Path) -> AsyncIterator[Process]:
    """A demo that goes on running; killed at the end if it still does."""
    demo = await asyncio.create_subprocess_exec(
        *COMMAND, "demo", *arguments, cwd=cwd, env=environment(), stdout=PIPE, stderr=PIPE
    )
    try:
        yield demo
    finally:
        if demo.returncode is None:
            demo.kill()
        await demo.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_where_no_server_answers_it_starts_one_and_stops_it_again(
    tmp_path: Path, http: aiohttp.ClientSession, number: signal.Signals
) -> None:
    port = free_port()
    url = f"http://localhost:{port}"
    async with started_demo("--url", url, "--data-dir", "mine", cwd=tmp_path) as demo:
        assert demo.stdout is not None
        while b"Ctrl-C" not in (line := await demo.stdout.readline()):
            assert line, await demo.communicate()
        async with http.get(f"{url}/healthz") as response:
            assert response.status == 200
        assert (tmp_path / "mine" / "chat.db").exists()

        demo.send_signal(number)
        _, log = await demo.communicate()

    assert demo.returncode == 0, log
    assert b"Traceback" not in log
    assert b"Chat gateway stopped" in log
    with socket.socket() as free:
        assert free.connect_ex(("127.0.0.1", port)) != 0


def test_a_far_server_that_does_not_answer_is_not_started_here(tmp_path: Path) -> None:
    done = chat_gateway("demo", "--url", "http://chat.invalid:1", cwd=tmp_path)

    assert "no server answers at http://chat.invalid:1" in said_in_one_line(done, 1)


async def test_a_server_that_refuses_is_quoted(
    server_process: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    path = key_file(tmp_path, public_pem(new_private_key("ES256")))
    process = server_process(
        CHAT_JWT_ALGORITHM="ES256", CHAT_JWT_KEY_FILE=str(path), CHAT_JWT_SECRET=""
    )
    await process.start()

    done = await asyncio.to_thread(chat_gateway, "demo", "--url", process.url, cwd=tmp_path)

    assert "answered 403: Accounts are kept by another service." in said_in_one_line(done, 1)


@pytest.mark.parametrize("url", ["localhost:8080", "ws://localhost:8080", ""])
def test_a_url_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    done = chat_gateway("demo", "--url", url, cwd=tmp_path)

    assert done.returncode == 2
    assert "--url" in done.stderr
