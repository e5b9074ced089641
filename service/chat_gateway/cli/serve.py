"""`chat-gateway serve`: run the service."""

import errno
from typing import Any, Final

import click

from chat_gateway.cli.flags import settings_flags
from chat_gateway.config import read_settings

_CANNOT_LISTEN: Final = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES})


@click.command()
@settings_flags()
def serve(**flags: Any) -> None:
    """Run the service until SIGTERM or Ctrl-C; then connections are drained.

    Each setting may also be given by its variable, named in brackets; the JWT secret only by
    CHAT_JWT_SECRET. Log lines go to standard error.
    """
    from chat_gateway import app

    settings = read_settings(**flags)
    try:
        app.serve(settings)
    except OSError as error:
        if error.errno not in _CANNOT_LISTEN:
            raise
        reason = error.strerror or error
        raise click.ClickException(
            f"cannot listen on {settings.host} port {settings.port}: {reason}"
        ) from None
