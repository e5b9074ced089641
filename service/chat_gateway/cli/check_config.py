"""`chat-gateway check-config`: what a start would use, and whether it would work."""

import asyncio
from dataclasses import fields
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from chat_gateway.cli.flags import settings_flags
from chat_gateway.clock import SystemClock
from chat_gateway.config import Settings, read_settings, variable_of, without_password
from chat_gateway.identity.secret import FILE_NAME
from chat_gateway.identity.sources import load_keys
from chat_gateway.logs import REDACTED


@click.command(name="check-config")
@settings_flags()
def check_config(**flags: Any) -> None:
    """Show the settings in effect, without secrets, and whether keys and store can be had.

    Does what a start does: it makes the data dir, the secret and the store's tables where they
    are missing. Exit code 2 for a wrong setting, 1 where the store does not answer.
    """
    settings = read_settings(**flags)
    table = Table("Setting", Column("Value", overflow="fold"))
    for field in fields(settings):
        # As Text: in plain strings rich would take `[redacted]` for one of its tags.
        table.add_row(variable_of(field.name), Text(_shown(settings, field.name)))
    Console().print(table)
    keys = load_keys(settings, SystemClock())
    does = "made and verified" if keys.signing is not None else "made elsewhere, verified"
    click.echo(f"Tokens are {does} here with {settings.jwt_algorithm}.")
    asyncio.run(_ask_store(settings))
    click.echo("The store answers.")


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    match name:
        case "jwt_secret" if value is not None:
            return REDACTED
        case "jwt_secret" if settings.jwt_algorithm == "HS256":
            return f"kept in {settings.data_dir / FILE_NAME}"
        case "store":
            return without_password(value)
        case "allowed_origins":
            return ", ".join(value)
        case "rate_limits":
            return "on" if value else "off"
    return "" if value is None else str(value)


async def _ask_store(settings: Settings) -> None:
    from chat_gateway.app import make_store

    store = make_store(settings)
    await store.open()
    try:
        await store.ping()
    finally:
        await store.close()
