"""`chat-gateway serve`: run the service."""

import errno
import os
import socket
from typing import Any, Final

import click

from chat_gateway import logs
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
    settings = read_settings(**flags)
    logs.configure(settings.log_level, settings.log_format)
    # Imported last: a second of work that neither --help nor a wrong setting should wait for.
    from chat_gateway import app

    try:
        app.serve(settings)
    except OSError as error:
        if error.errno in _CANNOT_LISTEN:
            reason = os.strerror(error.errno)
        elif isinstance(error, socket.gaierror):
            reason = error.strerror or "unknown host"
        else:
            raise
        raise click.ClickException(
            f"cannot listen on {settings.host} port {settings.port}: {reason}"
        ) from None
