"""Settings: every flag has a `CHAT_*` variable, and a wrong one stops the start with one line.

What is allowed is decided here, before anything is opened; the rest of the service gets a frozen
`Settings` and checks nothing again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PREFIX: Final = "CHAT_"
SECRET_MIN_BYTES: Final = 32
ALGORITHMS: Final = ("HS256", "RS256", "ES256", "EdDSA")


class SettingsError(Exception):
    """A setting that is unknown or cannot be; the text is one line for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. `docs/operations.md` explains each."""

    host: str
    port: int
    data_dir: Path
    store: str
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
    jwt_secret: str | None
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

    Raises `SettingsError` for an unknown `CHAT_*` variable or a value that cannot be.
    """
    raise NotImplementedError
