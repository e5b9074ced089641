"""`chat-gateway serve`: how it starts, and what it says when it cannot."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import chat_gateway, environment, said_in_one_line
from tests.parts.server import ServerProcess, free_port


def test_the_installed_command_shows_what_it_can_do(tmp_path: Path) -> None:
    command = shutil.which("chat-gateway", path=str(Path(sys.executable).parent))
    assert command is not None
    done = subprocess.run(
        [command, "--help"], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )

    assert done.returncode == 0
    for name in ("serve", "demo", "token", "check-config"):
        assert name in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "variables", "named"),
    [
        (["--port", "80a"], {}, "--port is '80a'"),
        ([], {"CHAT_PORT": "80a"}, "CHAT_PORT is '80a'"),
        ([], {"CHAT_PROT": "8080"}, "CHAT_PROT"),
        ([], {"CHAT_JWT_SECRET": "sesame"}, "CHAT_JWT_SECRET"),
        (["--jwt-algorithm", "RS256", "--jwt-key-file", "nowhere.pem"], {}, "nowhere.pem"),
        (["--data-dir", "/dev/null/data"], {}, "/dev/null/data"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    tmp_path: Path, arguments: list[str], variables: dict[str, str], named: str
) -> None:
    line = said_in_one_line(chat_gateway("serve", *arguments, cwd=tmp_path, **variables), 2)

    assert named in line
    assert "sesame" not in line


def test_an_unknown_flag_stops_the_start(tmp_path: Path) -> None:
    done = chat_gateway("serve", "--prot", "8080", cwd=tmp_path)

    assert done.returncode == 2
    assert "--prot" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = chat_gateway("serve", "--port", str(port), cwd=tmp_path)

    line = said_in_one_line(done, 1)
    assert f"cannot listen on localhost port {port}" in line


def test_a_host_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    done = chat_gateway("serve", "--host", "203.0.113.5", cwd=tmp_path)

    assert "cannot listen on 203.0.113.5" in said_in_one_line(done, 1)


def test_a_store_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "chat.db").mkdir()

    done = chat_gateway(
        "serve", "--port", str(free_port()), "--store", "sqlite:///chat.db", cwd=tmp_path
    )

    assert "the store does not answer" in said_in_one_line(done, 1)


async def test_it_serves_with_settings_of_its_variables_and_stops_when_told(
    server_process: Callable[..., ServerProcess],
) -> None:
    process = server_process(CHAT_LOG_FORMAT="json")
    await process.start()

    assert any('"event":"Chat gateway attached"' in line for line in process.lines)
    process.terminate()

    assert await process.stopped() == 0
    process.assert_quiet()
