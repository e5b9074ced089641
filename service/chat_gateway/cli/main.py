"""`chat-gateway`: one command for whoever runs, tries or tests the service."""

from typing import Any

import click

from chat_gateway.cli.check_config import check_config
from chat_gateway.cli.demo import demo
from chat_gateway.cli.load import load
from chat_gateway.cli.serve import serve
from chat_gateway.cli.token import token
from chat_gateway.config import SettingsError
from chat_gateway.store.base import StoreUnavailable


class Misconfigured(click.ClickException):
    """A setting that is wrong: one line, and exit code 2."""

    exit_code = 2


class _Commands(click.Group):
    """Says in one line what a person can put right; anything else is a bug and shows as one."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise Misconfigured(str(error)) from None
        except StoreUnavailable as error:
            raise click.ClickException(f"the store does not answer: {error.reason}") from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chat-gateway", message="%(version)s")
def main() -> None:
    """A realtime chat service: Socket.IO and plain WebSocket clients in the same sessions."""


main.add_command(serve)
main.add_command(demo)
main.add_command(token)
main.add_command(check_config)
main.add_command(load)

if __name__ == "__main__":
    main(prog_name="chat-gateway")
