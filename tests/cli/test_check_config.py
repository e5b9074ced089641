"""`chat-gateway check-config`: what would be used, without secrets, and whether it would work."""

from dataclasses import fields
from pathlib import Path

from chat_gateway.config import Settings, variable_of
from tests.cli.commands import chat_gateway, said_in_one_line
from tests.parts.server import free_port

SECRET = "a secret that nobody may see on a screen"


def test_it_shows_every_setting_in_effect_and_no_secret(tmp_path: Path) -> None:
    done = chat_gateway(
        "check-config", "--port", "9999", cwd=tmp_path, CHAT_JWT_SECRET=SECRET, CHAT_DRAIN_S="3"
    )

    assert done.returncode == 0, done
    rows = {
        cells[1].strip(): cells[2].strip()
        for cells in (line.split("│") for line in done.stdout.splitlines())
        if len(cells) == 4
    }
    assert set(rows) == {variable_of(field.name) for field in fields(Settings)}
    assert rows["CHAT_PORT"] == "9999"
    assert rows["CHAT_DRAIN_S"] == "3.0"
    assert rows["CHAT_PUBLIC_URL"] == "http://localhost:9999"
    assert rows["CHAT_JWT_SECRET"] == "[redacted]"
    assert SECRET not in done.stdout + done.stderr
    assert "The store answers." in done.stdout
    assert "made and verified here with HS256" in done.stdout


def test_where_the_secret_is_kept_it_says_where(tmp_path: Path) -> None:
    done = chat_gateway("check-config", cwd=tmp_path)

    assert done.returncode == 0, done
    assert "kept in data/jwt-secret" in done.stdout
    assert (tmp_path / "data" / "jwt-secret").read_text() not in done.stdout


def test_a_wrong_setting_is_one_line_and_exit_code_two(tmp_path: Path) -> None:
    done = chat_gateway("check-config", cwd=tmp_path, CHAT_RATE_LIMITS="maybe")

    assert "CHAT_RATE_LIMITS is 'maybe'" in said_in_one_line(done, 2)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_cannot_be_used_is_exit_code_two(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("nonsense")

    done = chat_gateway(
        *("check-config", "--jwt-algorithm", "ES256", "--jwt-key-file", "key.pem"), cwd=tmp_path
    )

    assert done.returncode == 2
    assert "key.pem" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_does_not_answer_is_said_and_its_password_is_not(tmp_path: Path) -> None:
    url = f"mongodb://mina:sesame@127.0.0.1:{free_port()}/chat?serverSelectionTimeoutMS=500"

    done = chat_gateway("check-config", "--store", url, cwd=tmp_path)

    assert done.returncode == 1, done
    assert "mongodb://mina:***@127.0.0.1" in done.stdout
    assert "the store does not answer" in done.stderr
    assert "sesame" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
