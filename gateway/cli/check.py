"""``motlan check``: everything that is wrong with a configuration, without starting anything."""

from pathlib import Path

import click

from gateway.cli.output import example, json_option, print_json, say, verb
from gateway.cli.values import now
from gateway.config.problems import Problem
from gateway.wiring.readiness import problems_of


@click.command(epilog=example("motlan check --config config/gateway.toml"))
@click.option(
    "--config",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The gateway's settings: gateway.toml.",
)
@json_option
@click.pass_context
@verb
def check(ctx: click.Context, config: Path, *, as_json: bool) -> None:
    """Validate a configuration and all that it points to: every problem at once; exit 1 if anything is wrong.

    Besides the files' form it loads keys, certificates, the trust list and secrets, and sees whether the database can
    be written. Warnings (everything granted, a certificate about to end, plain HTTP) are no reason to exit 1.
    """
    found = problems_of(config, now())
    wrong = sum(not problem.warning for problem in found)
    if as_json:
        print_json({"valid": wrong == 0, "problems": [_values(problem) for problem in found]})
    else:
        _print(found, wrong)
    if wrong:
        ctx.exit(1)


def _values(problem: Problem) -> dict[str, object]:
    return {
        "file": str(problem.file),
        "line": problem.line or None,
        "column": problem.column or None,
        "key": problem.key or None,
        "text": problem.text,
        "warning": problem.warning,
    }


def _print(found: list[Problem], wrong: int) -> None:
    for problem in found:
        mark = click.style("⚠", fg="yellow") if problem.warning else click.style("✗", fg="red")
        click.echo(f"{mark} {problem}")
    warnings = len(found) - wrong
    if wrong:
        click.echo(
            say(
                f"✗ {wrong} to mend, {warnings} to read; a gateway would not start",
                f"✗ {wrong} lỗi cần sửa, {warnings} cảnh báo; cổng sẽ không khởi động",
            )
        )
    else:
        click.echo(say(f"✓ ready to serve; {warnings} to read", f"✓ sẵn sàng phục vụ; {warnings} cảnh báo"))
