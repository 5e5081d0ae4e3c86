"""``motlan log``: auditors search and read records; anybody verifies the log."""

import importlib
from typing import Final

import click

from gateway.cli.output import example

COMMANDS: Final[dict[str, str]] = {
    "affected": "log_affected:affected",
    "decided": "log_decided:decided",
    "erase": "log_erase:erase",
    "export": "log_export:export",
    "hold": "log_hold:hold",
    "key": "log_key:key_",
    "mirror": "log_mirror:mirror",
    "officer": "log_people:officer",
    "order": "log_erase:order",
    "payload": "log_hold:payload",
    "prove": "log_receipt:prove",
    "receipt": "log_receipt:receipt",
    "search": "log_search:search",
    "show": "log_show:show",
    "unseal": "log_affected:unseal",
    "verify": "log_verify:verify_",
    "who-looked": "log_people:who_looked",
    "withheld": "log_withhold:withheld",
    "withhold": "log_withhold:withhold",
}
"""Command → module of ``gateway.cli`` and function in it."""


class _Commands(click.Group):
    """Imports a command's module when it is used: to verify a file takes none of what reading the database takes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(f"gateway.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Commands,
    epilog=example("motlan log verify --url https://gateway.example/log --vkey 'gateway.example/log+4fd3…+AZ…'"),
)
def log() -> None:
    """Search, show and verify the log."""
