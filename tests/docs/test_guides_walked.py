"""The testing guide, followed word by word against a real server with the clients it names."""

import asyncio
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.docs.pages import DOCS, GUIDE, block, blocks
from tests.parts.node import CLIENTS, Node
from tests.parts.server import ServerProcess

EXAMPLES = DOCS / "examples"
LOCAL = "http://localhost:8080"
SAYS_WITHIN_S = 30.0


class Script:
    """A program of the guide that runs; what it prints is waited for, and lines are typed in."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def says(self, pattern: str) -> str:
        """The next line that the pattern is found in."""
        assert self._process.stdout is not None
        async with asyncio.timeout(SAYS_WITHIN_S):
            while line := (await self._process.stdout.readline()).decode().rstrip("\n"):
                self.lines.append(line)
                if re.search(pattern, line):
                    return line
        raise AssertionError(f"it ended without saying {pattern!r}: {self.lines}")

    def type(self, line: str) -> None:
        """What a tester types, and Enter."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def ended(self) -> int:
        """Wait until it has ended by itself; all that it says is in `lines` then."""
        async with asyncio.timeout(SAYS_WITHIN_S):
            said, _ = await self._process.communicate()
        self.lines += said.decode().splitlines()
        assert self._process.returncode is not None
        return self._process.returncode


@asynccontextmanager
async def running(*command: str, folder: Path) -> AsyncIterator[Script]:
    """Run a program; it is ended after the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Script(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def run(*command: str, folder: Path) -> list[str]:
    """Run a program to its end, which has to be a good one; returns its lines."""
    async with running(*command, folder=folder) as script:
        assert await script.ended() == 0, script.lines
        return script.lines


class Demo:
    """What `chat-gateway demo` printed."""

    def __init__(self, lines: list[str]) -> None:
        self.mina, self.jun = [line for line in lines if line.startswith("ws://")]
        self.curl = next(line for line in lines if line.startswith("curl "))
        self.accounts = [json.loads(line) for line in lines if line.startswith('{"email"')]

    def variables(self) -> str:
        """The guide's lines that put the addresses into variables, with these addresses."""
        shell = block(GUIDE, "run: variables")
        for name, address in (("MINA", self.mina), ("JUN", self.jun)):
            shell = re.sub(rf"^{name}='.*'$", f"{name}='{address}'", shell, flags=re.MULTILINE)
        return shell


@pytest.fixture
async def demo(server: ServerProcess, tmp_path: Path) -> Demo:
    command = (sys.executable, "-m", "chat_gateway.cli.main", "demo", "--url", server.url)
    return Demo(await run(*command, folder=tmp_path))


@pytest.fixture
def example(node: Node, tmp_path: Path) -> Callable[..., Any]:
    """Runs an example of the guide with Node, as in a folder where `npm install` was done."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules")

    def run_example(name: str, *arguments: str) -> Any:
        return running(node.executable, name, *arguments, folder=folder)

    return run_example


def expected(start: str) -> str:
    """The listing of the guide that begins so."""
    return next(each.text for each in blocks(GUIDE) if each.text.startswith(start))


@pytest.mark.node
async def test_two_people_talk_over_both_wires_and_rest(
    server: ServerProcess, demo: Demo, example: Callable[..., Any], tmp_path: Path
) -> None:
    closed = sum("Connection closed" in line for line in server.lines)
    async with AsyncExitStack() as stack:
        mina = await stack.enter_async_context(example("chat-ws.mjs", demo.mina))
        await mina.says('"type":"joined"')
        jun = await stack.enter_async_context(example("chat-io.mjs", demo.jun))
        await jun.says("^joined ")
        third = await stack.enter_async_context(example("chat-ws.mjs", demo.mina))
        await third.says('"type":"joined"')

        mina.type("안녕하세요")
        # It leaves with the event and before it; the protocol promises neither.
        await mina.says('"type":"ack"')
        seqs = {
            json.loads(await mina.says('"type":"message".*안녕하세요'))["seq"],
            json.loads((await jun.says("^message .*안녕하세요")).removeprefix("message "))["seq"],
            json.loads(await third.says('"type":"message".*안녕하세요'))["seq"],
        }
        assert len(seqs) == 1

        jun.type("잘 보입니다")
        await mina.says('"type":"message".*잘 보입니다')
        await jun.says("^ack .*seq")

        curl = expected("curl -sS").replace(LOCAL, server.url)
        said = await run("bash", "-euc", f"{demo.variables()}\n{curl}", folder=tmp_path)
        assert json.loads(said[-1])["content"] == "A message over REST"
        await mina.says('"type":"message".*A message over REST')
        await jun.says("^message .*A message over REST")
    await server.logged("Connection closed", times=closed + 3)

    for line in [*expected("2026-11-24T09:30:04").splitlines(), expected("2026-11-24T09:30:00")]:
        assert any(shape(each) == shape(line) for each in server.lines), line
    assert not any("eyJ" in line for line in server.lines)


def shape(line: str) -> tuple[str, str, list[str]]:
    """Level, text, and names of the facts of a log line."""
    match = re.match(r"\S+ \[(\w+) *\] (.*?)(?: +(?=\w+=)|$)", line)
    if match is None:
        return "", line, []
    return match[1], match[2], re.findall(r"(?<= )(\w+)=", line)


async def test_two_accounts_are_made_with_curl(server: ServerProcess, tmp_path: Path) -> None:
    shell = block(GUIDE, "run: two-accounts").replace(LOCAL, server.url)
    addresses = [
        line
        for line in await run("bash", "-euc", shell, folder=tmp_path)
        if line.startswith("ws://")
    ]
    assert len(addresses) == 2
    async with aiohttp.ClientSession() as http:
        for address in addresses:
            async with http.ws_connect(address) as socket:
                assert (await socket.receive_json())["type"] == "ready"
                assert len((await socket.receive_json())["members"]) == 2


@pytest.mark.node
async def test_a_message_is_shown_confirmed_and_not_doubled(
    demo: Demo, example: Callable[..., Any]
) -> None:
    async with example("optimistic.mjs", demo.mina) as script:
        assert await script.ended() == 0
    said = "\n".join(script.lines)
    assert re.sub(r"\d+", "12", said) == expected("안녕하세요 | sending")
    first, again = re.findall(r"\d+", said)
    assert first == again


@pytest.mark.node
async def test_the_chat_screen_connects_by_itself_to_the_same_session(
    server: ServerProcess, demo: Demo, example: Callable[..., Any]
) -> None:
    sessions = []
    for _ in range(2):
        account = demo.accounts[0]
        async with example(
            "open-screen.mjs", server.url, account["email"], account["password"]
        ) as script:
            sessions.append(await script.says("^session "))
            await script.says('"type":"ready"')
            await script.says('"type":"joined"')
    assert sessions[0] == sessions[1]


@pytest.mark.node
async def test_a_client_comes_back_by_itself_and_misses_nothing(
    server_process: Callable[..., ServerProcess], example: Callable[..., Any], tmp_path: Path
) -> None:
    server = server_process()
    await server.start()
    command = (sys.executable, "-m", "chat_gateway.cli.main", "demo", "--url", server.url)
    demo = Demo(await run(*command, folder=tmp_path))
    async with example("reconnect.mjs", demo.jun) as script:
        await script.says("^joined ")

        server.terminate()
        await script.says("^error .*server_draining")
        await script.says("^connection lost: 4012")
        await server.stopped()
        await server.start()
        await run("bash", "-euc", demo.curl, folder=tmp_path)
        await script.says("^message .*A message over REST")

        await run("bash", "-euc", demo.curl, folder=tmp_path)
        await script.says("^message .*A message over REST")
        server.kill()
        await script.says("^connection lost: 1006")
        await server.start()
        await run("bash", "-euc", demo.curl, folder=tmp_path)
        await script.says("^message .*A message over REST")
    seqs = [line.split()[1] for line in script.lines if line.startswith("message ")]
    assert seqs == ["2", "3", "4"]


@pytest.mark.node
async def test_a_client_that_is_not_to_come_back_stays_away(
    server: ServerProcess, demo: Demo, example: Callable[..., Any]
) -> None:
    async with example("reconnect.mjs", demo.jun + "x") as script:
        assert await script.ended() == 0
    assert script.lines == ["error  invalid_token", "closed for good: 4501"]


async def test_a_hundred_connections_lose_and_double_nothing(demo: Demo, tmp_path: Path) -> None:
    said = await run(
        sys.executable, str(EXAMPLES / "load.py"), demo.mina, "100", "5", folder=tmp_path
    )
    shown = expected("connected   100").splitlines()
    assert [line.split()[0] for line in said] == [line.split()[0] for line in shown]
    assert said[2:6] == [
        "delivered   500 of 500",
        "lost        0",
        "doubled     0",
        "disordered  0 connections",
    ]


async def test_a_load_test_that_is_refused_says_why(demo: Demo, tmp_path: Path) -> None:
    async with running(
        sys.executable, str(EXAMPLES / "load.py"), demo.mina + "x", folder=tmp_path
    ) as script:
        assert await script.ended() == 2
    assert script.lines == ["refused: invalid_token: The token is not valid."]


async def test_a_server_that_does_not_start_says_what_the_guide_shows(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (sys.executable, "-m", "chat_gateway.cli.main", "serve")
    unknown, taken = expected("Error: CHAT_PROT").splitlines()
    async with running(*command, "--port", str(server.port), folder=tmp_path) as script:
        assert await script.ended() == 1
    assert script.lines == [taken.replace("8080", str(server.port))]
    monkeypatch.setenv("CHAT_PROT", "1")
    async with running(*command, folder=tmp_path) as script:
        assert await script.ended() == 2
    assert script.lines == [unknown]
