"""``motlan``: finds the verb, loads only its module, and turns errors into one clear message.

The client's verbs work where only ``motlan`` is installed; the gateway's name the extra that is missing.
"""

import importlib
import sys
from typing import Any

import click

from gateway.cli.output import Language, fail, language_option
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text

VERBS: dict[str, tuple[str, str]] = {
    "demo": ("gateway.cli.demo:demo", "Start simulators and a gateway, and play the story."),
    "serve": ("gateway.cli.serve:serve", "Run a gateway."),
    "check": ("gateway.cli.check:check", "Validate a configuration; start nothing."),
    "call": ("gateway.cli.call:call", "Call a service: sign, send, verify the answer."),
    "prefill": ("gateway.cli.prefill:prefill", "Fill a procedure's form from the registers."),
    "log": ("gateway.cli.log:log", "Search, show and verify the log."),
    "evidence": ("gateway.cli.evidence:evidence", "Export proof of one exchange, and verify it offline."),
    "witness": ("gateway.cli.witness:witness", "Cosign other agencies' logs."),
    "sidecar": ("gateway.cli.sidecar:sidecar", "Sign for programs on this machine that cannot."),
    "signature": ("gateway.cli.signature:signature", "Say why a signature is refused."),
    "policy": ("gateway.cli.policy:policy", "Ask what would be allowed, and why."),
    "adapter": ("gateway.cli.adapter:adapter", "Connect an agency's system by a mapping file."),
    "member": ("gateway.cli.member:member", "Draft members and subsystems for the trust list."),
    "cert": ("gateway.cli.cert:cert", "Keys, certificate requests and certificates."),
    "trust": ("gateway.cli.trust:trust", "Sign, publish and inspect the trust list."),
}
"""Verb → where it lives, and its line in the help."""


class _Verbs(click.Group):
    """Imports a verb's module when it is used: ``motlan call`` needs none of what ``motlan serve`` does."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb. Raises ClickException where the gateway is not installed that it needs."""
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        try:
            command = getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] in {"gateway", "adapters"}:
                raise
            needed = Text(
                f"'motlan {cmd_name}' needs {error.name}: install the gateway with  pip install 'motlan[gateway]'",
                f"'motlan {cmd_name}' cần có {error.name}: hãy cài cổng bằng  pip install 'motlan[gateway]'",
            )
            english = ctx.params.get("lang") == Language.EN.value
            raise click.ClickException(needed.en if english else needed.vi) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])


@click.group(cls=_Verbs, epilog="Example:  motlan demo --serve")
@language_option
@click.version_option(package_name="motlan")
@click.pass_context
def cli(ctx: click.Context, lang: Language) -> None:
    """Motlan: the once-only exchange gateway."""
    ctx.obj = lang


def main(arguments: list[str] | None = None) -> Any:
    """The entry point. Errors of ours are printed as what happened and what to do next, in the language asked for."""
    try:
        return cli.main(args=arguments, prog_name="motlan", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except ExchangeError as error:
        fail(error)
        sys.exit(1)
