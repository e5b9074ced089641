"""Settings: where they come from, and what stops a start."""

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from chat_gateway.cli.flags import SAYS
from chat_gateway.config import (
    Settings,
    SettingsError,
    flag_of,
    read_settings,
    variable_of,
    without_password,
)

LONG_SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell of whoever runs the tests has set is of no concern."""
    for name in os.environ:
        if name.startswith("CHAT_"):
            monkeypatch.delenv(name)


def refusal(**flags: Any) -> str:
    """The one line that says what is wrong."""
    with pytest.raises(SettingsError) as error:
        read_settings(**flags)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_without_any_setting_there_are_defaults_for_a_laptop() -> None:
    assert read_settings() == Settings(
        host="localhost",
        port=8080,
        data_dir=Path("data"),
        store="sqlite:///data/chat.db",
        log_level="info",
        log_format="text",
        public_url="http://localhost:8080",
        allowed_origins=("localhost", "https://websocketking.com"),
        rate_limits=True,
        connections_per_account=200,
        connections_per_address=1000,
        token_lifetime_s=3600,
        refresh_lifetime_s=30 * 24 * 3600,
        jwt_algorithm="HS256",
        jwt_secret=None,
        jwt_key_file=None,
        jwt_jwks_url=None,
        jwt_audience=None,
        heartbeat_s=25.0,
        drain_s=10.0,
    )


GOOD: dict[str, tuple[str, Any]] = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("9000", 9000),
    "data_dir": ("/srv/chat", Path("/srv/chat")),
    "store": ("mongodb://db:27017/chat", "mongodb://db:27017/chat"),
    "log_level": ("DEBUG", "debug"),
    "log_format": ("json", "json"),
    "public_url": ("https://chat.example.com/", "https://chat.example.com"),
    "allowed_origins": (
        "localhost, HTTPS://Chat.Example.com:443,http://a:81",
        ("localhost", "https://chat.example.com", "http://a:81"),
    ),
    "rate_limits": ("off", False),
    "connections_per_account": ("5", 5),
    "connections_per_address": ("6", 6),
    "token_lifetime_s": ("60", 60),
    "refresh_lifetime_s": ("7200", 7200),
    "jwt_algorithm": ("hs256", "HS256"),
    "jwt_secret": (LONG_SECRET, LONG_SECRET),
    "jwt_audience": ("chat", "chat"),
    "heartbeat_s": ("2.5", 2.5),
    "drain_s": ("0", 0.0),
}


@pytest.mark.parametrize("name", GOOD)
def test_each_setting_comes_from_its_variable_or_its_flag_and_the_flag_wins(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, value = GOOD[name]

    assert getattr(read_settings(**{name: text}), name) == value

    monkeypatch.setenv(variable_of(name), text)
    assert getattr(read_settings(), name) == value
    assert getattr(read_settings(**{name: None}), name) == value

    monkeypatch.setenv(variable_of(name), "\n")
    assert getattr(read_settings(**{name: text}), name) == value


def test_every_setting_but_the_secret_has_a_flag() -> None:
    """Whoever may list the processes of a machine reads command lines."""
    assert {field.name for field in fields(Settings)} - set(SAYS) == {"jwt_secret"}
    assert variable_of("data_dir") == "CHAT_DATA_DIR"
    assert flag_of("data_dir") == "--data-dir"


def test_the_embedded_store_stands_in_the_data_dir_and_the_public_url_has_the_port() -> None:
    settings = read_settings(data_dir="/srv/chat", port="9000")

    assert settings.store == "sqlite:////srv/chat/chat.db"
    assert settings.sqlite_path == Path("/srv/chat/chat.db")
    assert settings.public_url == "http://localhost:9000"


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in fields(Settings):
        monkeypatch.setenv(variable_of(field.name), "")

    assert read_settings().port == 8080
    assert read_settings().jwt_secret is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [("CHAT_PROT", "CHAT_PORT"), ("CHAT_JWT_SECRETS", "CHAT_JWT_SECRET"), ("CHAT_X", "--help")],
)
def test_an_unknown_variable_stops_the_start_and_its_value_is_not_shown(
    name: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "sesame")

    text = refusal()

    assert name in text
    assert hint in text
    assert "sesame" not in text


def test_variables_of_the_tests_and_of_others_are_none_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHAT_TEST_MONGO_URL", "mongodb://localhost")
    monkeypatch.setenv("CHATTER", "1")

    read_settings()


BAD: dict[str, tuple[str, ...]] = {
    "host": (" ", "a\nb"),
    "port": ("80a", "-1", "65536", "1_0", "١٢", "8080.0", "1e3", "9" * 400, " "),
    "data_dir": (" ", "a\x00b"),
    "store": ("sqlite:///", "sqlite://x", "postgres://db/chat", "mongodb://", "chat.db"),
    "log_level": ("loud", "10"),
    "log_format": ("xml",),
    "public_url": (
        "chat.example.com",
        "ftp://example.com",
        "http://",
        "http://h?x=1",
        "http://h:99999",
        "http://u:p@h",
    ),
    "allowed_origins": (
        ",",
        "example.com",
        "https://a/b",
        "https://*.example.com",
        "https://a b",
        "https://u@h",
        "https://bücher.example",
        "https://h:x",
    ),
    "rate_limits": ("yes", "1", "true"),
    "connections_per_account": ("0", "-5", "many"),
    "connections_per_address": ("0", "1.5"),
    "token_lifetime_s": ("0", "1h", "-1", "999999999999"),
    "refresh_lifetime_s": ("0", "30d"),
    "jwt_algorithm": ("none", "HS512", "RS512"),
    "jwt_jwks_url": ("file:///etc/passwd", "jwks.json", "https://"),
    "heartbeat_s": ("0", "nan", "inf", "-1", "1e3", "99999"),
    "drain_s": ("-1", "nan", "forever"),
}


@pytest.mark.parametrize(
    ("name", "text"), [(n, text) for n, texts in BAD.items() for text in texts]
)
def test_a_value_that_cannot_be_stops_the_start_and_is_named(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusal(**{name: text}).startswith(f"{flag_of(name)} is ")
    if "\x00" not in text:
        monkeypatch.setenv(variable_of(name), text)
        line = refusal()
        assert line.startswith(f"{variable_of(name)} is ")
        assert "must be" in line


@pytest.mark.parametrize(
    "secret",
    ["short", "x" * 31, "-----BEGIN PRIVATE KEY-----\n" + "x" * 100],
)
def test_a_weak_secret_stops_the_start_and_is_not_shown(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_JWT_SECRET", secret)

    line = refusal()

    assert line.startswith("CHAT_JWT_SECRET ")
    assert "32 bytes" in line
    assert secret not in line


def test_a_secret_counts_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_JWT_SECRET", "비밀" * 6)

    assert read_settings().jwt_secret == "비밀" * 6


def test_no_secret_and_no_password_stands_in_the_settings_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHAT_JWT_SECRET", LONG_SECRET)
    monkeypatch.setenv("CHAT_STORE", "mongodb://mina:sesame@db/chat")

    assert LONG_SECRET not in repr(read_settings())
    assert "sesame" not in repr(read_settings())


def test_a_password_in_a_refused_url_is_not_shown() -> None:
    assert "sesame" not in refusal(store="mongo://mina:sesame@db/chat")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://mina:se:sa@me@db/chat", "mongodb://mina:***@db/chat"),
        ("mongodb://:sesame@a,b/chat", "mongodb://:***@a,b/chat"),
        ("mongodb://db:27017/chat", "mongodb://db:27017/chat"),
        ("sqlite:///data/a:b@c.db", "sqlite:///data/a:b@c.db"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"jwt_key_file": "key.pem"}, "CHAT_JWT_ALGORITHM"),
        ({"jwt_jwks_url": "https://id.example/jwks"}, "CHAT_JWT_ALGORITHM"),
        ({"jwt_algorithm": "RS256"}, "CHAT_JWT_KEY_FILE"),
        (
            {
                "jwt_algorithm": "ES256",
                "jwt_key_file": "key.pem",
                "jwt_jwks_url": "https://id.example/jwks",
            },
            "exactly one",
        ),
        (
            {"jwt_algorithm": "EdDSA", "jwt_key_file": "key.pem", "jwt_secret": LONG_SECRET},
            "CHAT_JWT_SECRET",
        ),
        ({"token_lifetime_s": "7200", "refresh_lifetime_s": "3600"}, "CHAT_REFRESH_LIFETIME_S"),
    ],
)
def test_settings_that_do_not_go_together_stop_the_start(flags: dict[str, str], named: str) -> None:
    assert named in refusal(**flags)


def test_keys_go_with_their_algorithm() -> None:
    by_file = read_settings(jwt_algorithm="rs256", jwt_key_file="key.pem")
    assert (by_file.jwt_algorithm, by_file.jwt_key_file) == ("RS256", Path("key.pem"))
    by_url = read_settings(jwt_algorithm="EdDSA", jwt_jwks_url="https://id.example/jwks?v=1")
    assert by_url.jwt_jwks_url == "https://id.example/jwks?v=1"


def test_the_example_file_lists_every_setting_and_is_itself_valid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (Path(__file__).parents[2] / ".env.example").read_text()
    listed = {}
    for line in text.splitlines():
        name, equals, value = line.removeprefix("#").partition("=")
        if equals and name.startswith("CHAT_"):
            listed[name] = value
            if not line.startswith("#"):
                monkeypatch.setenv(name, value)

    assert set(listed) == {variable_of(field.name) for field in fields(Settings)}
    read_settings()
    for name, value in listed.items():
        if "JWT" not in name:
            monkeypatch.setenv(name, value)
    read_settings()
