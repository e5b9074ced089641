"""`chat-gateway token`: a token for an account of the local data dir."""

import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import jwt
import pytest

from tests.cli.commands import chat_gateway, said_in_one_line
from tests.parts.people import Api, Person
from tests.parts.server import ServerProcess
from tests.parts.settings import SECRET


async def test_it_prints_a_token_that_a_running_server_takes_and_can_end(
    server_process: Callable[..., ServerProcess], http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    process = server_process()
    await process.start()
    api = Api(http, process.url)
    signed = await api.call(
        "POST",
        "/api/auth/signup",
        {"email": "Mina@example.com", "password": "long enough", "displayName": "Mina"},
    )
    account_id = signed["account"]["id"]
    data_dir = str(tmp_path / "server-0")

    for whose in (["--email", "mina@EXAMPLE.com"], ["--account", account_id]):
        done = chat_gateway(
            *("token", *whose, "--lifetime", "90", "--data-dir", data_dir),
            cwd=tmp_path,
            CHAT_JWT_SECRET=SECRET,
        )

        assert done.returncode == 0, done
        assert done.stderr == ""
        token = done.stdout.removesuffix("\n")
        person = Person(account_id=account_id, name="Mina", token=token)
        assert (await api.call("GET", "/api/me", by=person))["id"] == account_id
        claims = jwt.decode(token, options={"verify_signature": False})
        assert 80 < claims["exp"] - time.time() <= 91

        await api.call("POST", "/api/auth/logout", by=person)
        status, problem = await api.answer("GET", "/api/me", by=person)
        assert (status, problem["code"]) == (401, "token_revoked")

    first = Person(account_id=account_id, name="Mina", token=signed["token"])
    await api.call("GET", "/api/me", by=first)


def test_without_a_store_there_is_no_account_and_nothing_is_made(tmp_path: Path) -> None:
    done = chat_gateway("token", "--email", "mina@example.com", cwd=tmp_path)

    assert "there is no store at data/chat.db" in said_in_one_line(done, 1)
    assert list(tmp_path.iterdir()) == []


def test_an_account_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert chat_gateway("check-config", cwd=tmp_path).returncode == 0

    done = chat_gateway("token", "--account", "nobody", cwd=tmp_path)

    assert "there is no account nobody" in said_in_one_line(done, 1)


@pytest.mark.parametrize("whose", [[], ["--email", "a@b.c", "--account", "d"]])
def test_it_wants_to_know_whose(tmp_path: Path, whose: list[str]) -> None:
    done = chat_gateway("token", *whose, cwd=tmp_path)

    assert done.returncode == 2
    assert "--email or --account" in done.stderr


@pytest.mark.parametrize("lifetime", ["0", "-5", "soon", "99999999999"])
def test_a_lifetime_that_cannot_be_is_refused(tmp_path: Path, lifetime: str) -> None:
    done = chat_gateway(*("token", "--email", "a@b.c", "--lifetime", lifetime), cwd=tmp_path)

    assert done.returncode == 2
    assert "--lifetime" in done.stderr
