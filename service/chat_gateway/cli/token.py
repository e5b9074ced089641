"""`chat-gateway token`: a token for an account, for whoever tests."""

import asyncio
import secrets
from typing import Any

import click

from chat_gateway.cli.flags import settings_flags
from chat_gateway.clock import SystemClock
from chat_gateway.config import Settings, read_settings
from chat_gateway.domain.emails import normal_email
from chat_gateway.domain.ids import new_id
from chat_gateway.domain.model import Account, Login
from chat_gateway.identity.sources import load_keys
from chat_gateway.identity.tokens import TokenCodec
from chat_gateway.store.base import Store


@click.command()
@click.option("--email", help="The account of this email.")
@click.option("--account", "account_id", metavar="ID", help="The account of this id.")
@click.option(
    "--lifetime",
    "lifetime_s",
    type=click.IntRange(1, 365 * 24 * 3600),
    metavar="SECONDS",
    help="How long the token lives. Default: as CHAT_TOKEN_LIFETIME_S says",
)
@settings_flags("data_dir", "store", "jwt_algorithm", "jwt_key_file", "jwt_audience")
def token(email: str | None, account_id: str | None, lifetime_s: int | None, **flags: Any) -> None:
    """Print a token for an account of the local data dir, and nothing else.

    It stands for a login of its own: logging out with it ends it and nothing more.
    """
    if (email is None) == (account_id is None):
        raise click.UsageError("Say whose token: --email or --account.")
    settings = read_settings(**flags)
    if settings.store.startswith("sqlite:") and not settings.sqlite_path.exists():
        raise click.ClickException(f"there is no store at {settings.sqlite_path}")
    click.echo(asyncio.run(_make(settings, email, account_id, lifetime_s)))


async def _make(
    settings: Settings, email: str | None, account_id: str | None, lifetime_s: int | None
) -> str:
    from chat_gateway.app import make_store

    clock = SystemClock()
    codec = TokenCodec(load_keys(settings, clock), clock, settings)
    if not codec.makes_tokens:
        raise click.ClickException("tokens are made elsewhere: there is no key to sign one with")
    store = make_store(settings)
    await store.open()
    try:
        account = await _find(store, email, account_id)
        now_ms = clock.now_ms()
        lifetime_s = lifetime_s or settings.token_lifetime_s
        login = Login(
            id=new_id(now_ms),
            account_id=account.id,
            refresh_hash=secrets.token_hex(32),  # of no secret: this login cannot be refreshed
            expires_at_ms=now_ms + (lifetime_s + 1) * 1000,
        )
        await store.create_login(login)
    finally:
        await store.close()
    made = codec.make(
        account_id=account.id,
        name=account.display_name,
        login_id=login.id,
        lifetime_s=lifetime_s,
    )
    return made.token


async def _find(store: Store, email: str | None, account_id: str | None) -> Account:
    if account_id is not None:
        account = await store.account(account_id)
    else:
        account = await store.account_by_email(normal_email(email or ""))
    if account is None:
        raise click.ClickException(f"there is no account {account_id or email}")
    return account
