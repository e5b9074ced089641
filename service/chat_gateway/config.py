"""Settings: every flag has a `CHAT_*` variable, and a wrong one stops the start with one line.

What is allowed is decided here, before anything is opened; the rest of the service gets a frozen
`Settings` and checks nothing again.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from environs import Env

PREFIX: Final = "CHAT_"
TEST_PREFIX: Final = "CHAT_TEST_"
"""Variables of the project's own tests; no settings of the service."""

SECRET_MIN_BYTES: Final = 32
ALGORITHMS: Final = ("HS256", "RS256", "ES256", "EdDSA")
LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
LOG_FORMATS: Final = ("text", "json")

LOCALHOST_ORIGINS: Final = "localhost"
"""Stands for http(s)://localhost, 127.0.0.1 and [::1] with any port."""

TESTERS_ORIGINS: Final = (LOCALHOST_ORIGINS, "https://websocketking.com")
"""Pages under development, and the page that many test by hand with. A page gets nothing by being
let in: whoever uses it brings the token.
"""

ANY_ORIGIN: Final = "*"

DAY_S: Final = 24 * 3600


class SettingsError(Exception):
    """A setting that is unknown or cannot be; the text is one line for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. `docs/operations.md` explains each."""

    host: str
    port: int
    data_dir: Path
    store: str = field(repr=False)
    log_level: str
    log_format: str
    public_url: str
    allowed_origins: tuple[str, ...]
    rate_limits: bool
    connections_per_account: int
    connections_per_address: int
    token_lifetime_s: int
    refresh_lifetime_s: int
    jwt_algorithm: str
    jwt_secret: str | None = field(repr=False)
    jwt_key_file: Path | None
    jwt_jwks_url: str | None
    jwt_audience: str | None
    heartbeat_s: float
    drain_s: float

    @property
    def sqlite_path(self) -> Path:
        """The file of the embedded store; only where `store` is a sqlite URL."""
        return Path(self.store.removeprefix("sqlite:///"))


def read_settings(**flags: Any) -> Settings:
    """Settings from flags (those that are not None), else `CHAT_*` variables, else defaults.

    A flag is named as its field and is text, as on the command line. An empty variable is as good
    as none. Raises `SettingsError` for an unknown `CHAT_*` variable or a value that cannot be.
    """
    _refuse_unknown(os.environ)
    env = Env(prefix=PREFIX)
    values: dict[str, Any] = {}
    for name, rule in _RULES.items():
        flag = flags.get(name)
        text = env.str(name.upper(), "") if flag is None else str(flag)
        if flag is None and not text:
            values[name] = rule.default
            continue
        try:
            values[name] = rule.parse(text)
        except ValueError:
            said = variable_of(name) if flag is None else flag_of(name)
            shown = "has a value that cannot be" if rule.secret else f"is {_shown(text)}"
            raise SettingsError(f"{said} {shown}: it must be {rule.allowed}") from None
    if values["store"] is None:
        values["store"] = f"sqlite:///{values['data_dir'] / 'chat.db'}"
    if values["public_url"] is None:
        values["public_url"] = f"http://localhost:{values['port']}"
    settings = Settings(**values)
    _check_together(settings)
    return settings


def variable_of(name: str) -> str:
    """The variable of a setting: `data_dir` → `CHAT_DATA_DIR`."""
    return PREFIX + name.upper()


def flag_of(name: str) -> str:
    """The flag of a setting: `data_dir` → `--data-dir`."""
    return "--" + name.replace("_", "-")


def without_password(url: str) -> str:
    """A URL as it may be shown: the password in it, if any, is starred out."""
    return re.sub(r"(?<=://)([^/@]*?):[^/]*@", r"\1:***@", url)


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {variable_of(name) for name in _RULES}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name.startswith(TEST_PREFIX) or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        hint = f"did you mean {near[0]}?" if near else "`chat-gateway serve --help` lists them all"
        raise SettingsError(f"{name} is no setting: {hint}")


def _check_together(settings: Settings) -> None:
    if settings.refresh_lifetime_s < settings.token_lifetime_s:
        raise SettingsError(
            f"CHAT_REFRESH_LIFETIME_S is {settings.refresh_lifetime_s}: it must be no less than"
            f" CHAT_TOKEN_LIFETIME_S, which is {settings.token_lifetime_s}"
        )
    elsewhere = {
        "CHAT_JWT_KEY_FILE": settings.jwt_key_file is not None,
        "CHAT_JWT_JWKS_URL": settings.jwt_jwks_url is not None,
    }
    given = [name for name, is_given in elsewhere.items() if is_given]
    if settings.jwt_algorithm == "HS256":
        if given:
            raise SettingsError(
                f"{given[0]} is set and CHAT_JWT_ALGORITHM is HS256: it must be RS256, ES256 or"
                " EdDSA then"
            )
    elif settings.jwt_secret is not None:
        raise SettingsError(
            f"CHAT_JWT_SECRET is set and CHAT_JWT_ALGORITHM is {settings.jwt_algorithm}: a secret"
            " is for HS256 only"
        )
    elif len(given) != 1:
        raise SettingsError(
            f"CHAT_JWT_ALGORITHM is {settings.jwt_algorithm}: exactly one of CHAT_JWT_KEY_FILE and"
            " CHAT_JWT_JWKS_URL must be set"
        )


# --- what each may be ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """How a setting is read; `parse` raises ValueError for what is not `allowed`."""

    default: Any
    parse: Callable[[str], Any]
    allowed: str
    secret: bool = False


def _shown(text: str) -> str:
    shown = without_password(text)
    return repr(shown if len(shown) <= 80 else shown[:77] + "...")


def _text(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError(text)
    return text.strip()


def _path(text: str) -> Path:
    return Path(_text(text)).expanduser()


def _whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        # int() also takes `1_0` and digits of other scripts.
        if not re.fullmatch(r"[0-9]{1,15}", text.strip()):
            raise ValueError(text)
        value = int(text)
        if not minimum <= value <= maximum:
            raise ValueError(text)
        return value

    return parse


def _seconds(minimum: float, maximum: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text.strip()):
            raise ValueError(text)
        value = float(text)
        if not minimum <= value <= maximum:
            raise ValueError(text)
        return value

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        found = [choice for choice in choices if choice.lower() == text.strip().lower()]
        return found[0] if found else _refused(text)

    return parse


def _refused(text: str) -> str:
    raise ValueError(text)


def _on_off(text: str) -> bool:
    return _one_of("on", "off")(text) == "on"


def _http_url(text: str) -> str:
    url = urlsplit(_text(text))
    if url.scheme not in {"http", "https"} or not url.hostname or url.fragment:
        raise ValueError(text)
    if url.port == 0 or url.username is not None:
        raise ValueError(text)
    return url.geturl()


def _public_url(text: str) -> str:
    url = _http_url(text)
    if "?" in url:
        raise ValueError(text)
    return url.rstrip("/")


def _store_url(text: str) -> str:
    text = _text(text)
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    url = urlsplit(text)
    if url.scheme in {"mongodb", "mongodb+srv"} and url.netloc:
        return text
    raise ValueError(text)


def _origins(text: str) -> tuple[str, ...]:
    found = tuple(_origin(each.strip()) for each in text.split(",") if each.strip())
    if not found:
        raise ValueError(text)
    return found


_ORIGIN: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[a-zA-Z0-9._:\[\]-]+")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def _origin(text: str) -> str:
    """An origin as browsers write it: lower-case, without the port that goes without saying."""
    if text.lower() in {LOCALHOST_ORIGINS, ANY_ORIGIN}:
        return text.lower()
    url = urlsplit(text)
    if not _ORIGIN.fullmatch(text) or not url.hostname:
        raise ValueError(text)
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    port = "" if url.port in {None, _DEFAULT_PORTS.get(url.scheme)} else f":{url.port}"
    return f"{url.scheme}://{host}{port}"


def _secret(text: str) -> str:
    if len(text.encode()) < SECRET_MIN_BYTES or "-----BEGIN" in text:
        raise ValueError
    return text


_RULES: Final[Mapping[str, _Rule]] = {
    # Only this machine until told otherwise: a laptop in a café should not serve its neighbours.
    # The Docker image sets 0.0.0.0, where the published port decides.
    "host": _Rule(default="localhost", parse=_text, allowed="a host name or address to listen on"),
    "port": _Rule(
        default=8080,
        parse=_whole(0, 65535),
        allowed="a whole number from 0 (any free port) to 65535",
    ),
    "data_dir": _Rule(default=Path("data"), parse=_path, allowed="a folder that can be written"),
    "store": _Rule(
        default=None,
        parse=_store_url,
        allowed="sqlite:///PATH, mongodb://… or mongodb+srv://…",
    ),
    "log_level": _Rule(
        default="info", parse=_one_of(*LOG_LEVELS), allowed=f"one of {', '.join(LOG_LEVELS)}"
    ),
    "log_format": _Rule(default="text", parse=_one_of(*LOG_FORMATS), allowed="text or json"),
    "public_url": _Rule(
        default=None,
        parse=_public_url,
        allowed="the http(s) URL under which clients reach this service, without a query",
    ),
    "allowed_origins": _Rule(
        default=TESTERS_ORIGINS,
        parse=_origins,
        allowed=(
            "origins such as https://chat.example.com, separated by commas; `localhost` stands for"
            " every localhost origin, `*` for any"
        ),
    ),
    "rate_limits": _Rule(default=True, parse=_on_off, allowed="on or off"),
    "connections_per_account": _Rule(
        default=200, parse=_whole(1, 1_000_000), allowed="a whole number from 1 to 1000000"
    ),
    "connections_per_address": _Rule(
        default=1000, parse=_whole(1, 1_000_000), allowed="a whole number from 1 to 1000000"
    ),
    "token_lifetime_s": _Rule(
        default=3600,
        parse=_whole(1, 365 * DAY_S),
        allowed=f"whole seconds from 1 to {365 * DAY_S} (a year)",
    ),
    "refresh_lifetime_s": _Rule(
        default=30 * DAY_S,
        parse=_whole(1, 3650 * DAY_S),
        allowed=f"whole seconds from 1 to {3650 * DAY_S} (ten years)",
    ),
    "jwt_algorithm": _Rule(
        default="HS256", parse=_one_of(*ALGORITHMS), allowed=f"one of {', '.join(ALGORITHMS)}"
    ),
    "jwt_secret": _Rule(
        default=None,
        parse=_secret,
        allowed=f"{SECRET_MIN_BYTES} bytes or more, and no PEM key",
        secret=True,
    ),
    "jwt_key_file": _Rule(default=None, parse=_path, allowed="a PEM file"),
    "jwt_jwks_url": _Rule(default=None, parse=_http_url, allowed="an http(s) URL of a JWK Set"),
    "jwt_audience": _Rule(default=None, parse=_text, allowed="the `aud` that tokens must have"),
    "heartbeat_s": _Rule(
        default=25.0, parse=_seconds(0.1, 3600), allowed="seconds from 0.1 to 3600"
    ),
    "drain_s": _Rule(default=10.0, parse=_seconds(0, 600), allowed="seconds from 0 to 600"),
}
