"""The flags of the settings, the same wherever a command takes them.

All are text here: what is allowed, and how a refusal reads, is decided by `config` alone. The JWT
secret has a variable and no flag, since every user of a machine can read its command lines.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from chat_gateway.config import flag_of, variable_of

Command = TypeVar("Command", bound=Callable[..., Any])

SAYS: Final[Mapping[str, tuple[str, str]]] = {
    "host": (
        "ADDRESS",
        "Listen here; 0.0.0.0 for all addresses. Default: localhost, both of its addresses",
    ),
    "port": ("NUMBER", "Listen on this port; 0 for any free one. Default: 8080"),
    "data_dir": ("FOLDER", "Keep the embedded store and the JWT secret here. Default: ./data"),
    "store": ("URL", "sqlite:///PATH or mongodb://… Default: chat.db in the data dir"),
    "log_level": ("LEVEL", "debug, info, warning, error or critical. Default: info"),
    "log_format": ("FORMAT", "text, or json for a collector. Default: text"),
    "public_url": ("URL", "Where clients reach this service. Default: http://localhost:PORT"),
    "allowed_origins": (
        "ORIGINS",
        "Which web pages may use this service, separated by commas; `localhost` stands for all of"
        " localhost, `*` for any. Default: localhost,https://websocketking.com",
    ),
    "rate_limits": ("on|off", "off lifts rate limits and caps, for a load test. Default: on"),
    "connections_per_account": ("NUMBER", "Open at a time. Default: 200"),
    "connections_per_address": ("NUMBER", "Open at a time. Default: 1000"),
    "token_lifetime_s": ("SECONDS", "How long a token lives. Default: 3600"),
    "refresh_lifetime_s": ("SECONDS", "How long a login lives unused. Default: 2592000 (30 days)"),
    "jwt_algorithm": ("NAME", "HS256, RS256, ES256 or EdDSA. Default: HS256"),
    "jwt_key_file": ("FILE", "PEM: a private key signs and verifies, a public one only verifies."),
    "jwt_jwks_url": ("URL", "Verify tokens by the keys that another issuer publishes here."),
    "jwt_audience": ("NAME", "The `aud` of tokens. Default: none, and no token may have one"),
    "heartbeat_s": ("SECONDS", "How often an idle connection is asked for a sign. Default: 25"),
    "drain_s": ("SECONDS", "How long a stop waits for what was begun. Default: 10"),
}
"""What stands for the value, and what the setting does."""


def settings_flags(*names: str) -> Callable[[Command], Command]:
    """Adds the flags of these settings, or of all."""

    def add(command: Command) -> Command:
        for name in reversed(names or tuple(SAYS)):
            metavar, says = SAYS[name]
            command = click.option(
                flag_of(name), name, metavar=metavar, help=f"{says}  [{variable_of(name)}]"
            )(command)
        return command

    return add
