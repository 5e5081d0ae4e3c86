"""``motlan policy``: what would be allowed, and why, without a gateway."""

from pathlib import Path
from typing import Any

import click

from gateway.cli.grant_text import needed_grant
from gateway.cli.output import console, example, json_option, print_json, say, table, verb
from gateway.cli.values import SERVICE, SUBSYSTEM, File, Moment, now
from gateway.config.load import load
from gateway.model.envelope import Claim, Purpose
from gateway.policy.explain import Explanation, Step, explain
from gateway.wiring.tools import policy_of

_MARKS = {True: "✓", False: "✗", None: "·"}

_LABELS = {
    "service.known": ("the service exists here", "dịch vụ có tại đây"),
    "client.granted": ("the client has grants for it", "bên gọi được cấp quyền với dịch vụ"),
    "service.enabled": ("the service is switched on", "dịch vụ đang bật"),
    "grant.in_force": ("the grant is in force", "quyền đang có hiệu lực"),
    "method.granted": ("the method is granted", "phương thức được cho phép"),
    "path.granted": ("the path is granted", "đường dẫn được cho phép"),
    "purpose.stated": ("a purpose is stated", "có nêu mục đích"),
    "purpose.granted": ("the purpose is granted", "mục đích được cho phép"),
    "basis.granted": ("the legal basis is granted", "căn cứ pháp lý được cho phép"),
    "officer.named": ("the officer is named, where that is required", "có nêu cán bộ nếu bắt buộc"),
    "case.named": ("the case is named, where that is required", "có nêu mã hồ sơ nếu bắt buộc"),
    "quota.client": ("counted: the client's quota", "có tính: hạn mức của bên gọi"),
    "quota.officer": ("counted: the officer's quota", "có tính: hạn mức của cán bộ"),
}


@click.group(epilog=example("motlan policy explain --help"))
def policy() -> None:
    """Ask what would be allowed, and why."""


@policy.command(
    "explain",
    epilog=example(
        "motlan policy explain --config gateway.toml --client VN/GOV/H24/portal \\",
        "  --service VN/GOV/G01/population/citizen --purpose 1.001193 \\",
        "  --officer ht.nam --case 000.00.01.H24-261122-0001",
    ),
)
@click.option("--config", required=True, type=File, help="The gateway's settings.")
@click.option("--client", required=True, type=SUBSYSTEM, help="Who would call.")
@click.option("--service", required=True, type=SERVICE, help="What would be called.")
@click.option("--method", default="POST", show_default=True, help="HTTP method, or SOAP operation.")
@click.option("--path", default="", help="What follows the service in the URL.")
@click.option("--purpose", help="Procedure code.")
@click.option("--basis", help="Legal basis.")
@click.option("--officer", help="Who asks at the client (X-Road-UserId).")
@click.option("--case", help="Dossier code (X-Road-Issue).")
@click.option("--at", "moment", type=Moment(), help="Decide as at this time; now if not given.")
@json_option
@click.pass_context
@verb
def explain_(ctx: click.Context, /, **options: Any) -> None:
    """Say, step by step, whether a call would be allowed; exit 1 if not, with the grant that would be needed.

    Nothing is called, and quotas are named but not counted. That the caller's key is known is not looked at here.
    """
    settings = load(options["config"])
    purpose = None if options["purpose"] is None else Purpose(options["purpose"], options["basis"])
    claim = Claim(
        client=options["client"],
        service=options["service"],
        method=options["method"],
        path=options["path"],
        officer=options["officer"],
        case=options["case"],
        purpose=purpose,
    )
    moment = now() if options["moment"] is None else options["moment"]
    explained = explain(policy_of(settings), claim, options["client"], moment)
    grant = needed_grant(explained, claim, settings, moment)
    if options["as_json"]:
        print_json(_values(explained, grant))
    else:
        _print(explained, grant, settings.folders.policy)
    if explained.refusal is not None:
        ctx.exit(1)


def _values(explained: Explanation, grant: str | None) -> dict[str, Any]:
    decision, refusal = explained.decision, explained.refusal
    return {
        "allowed": decision is not None,
        "steps": [
            {"code": step.code, "grant": step.grant, "passed": step.passed, "detail": step.detail}
            for step in explained.steps
        ],
        "decision": None
        if decision is None
        else {
            "grant": decision.grant,
            "purpose": decision.purpose.code,
            "basis": decision.purpose.basis,
            "fields": list(decision.fields),
            "quotas": [{"limit_per_day": charge.limit} for charge in decision.charges],
        },
        "refusal": None
        if refusal is None
        else {"code": refusal.kind.code, "detail": refusal.detail, "needed_grant": grant},
    }


def _print(explained: Explanation, grant: str | None, folder: Path) -> None:
    columns = ("", say("step", "bước"), say("grant", "quyền"), say("what there is", "hiện có"))
    console().print(table(say("Decision", "Quyết định"), columns, [_row(step) for step in explained.steps]))
    decision, refusal = explained.decision, explained.refusal
    if decision is not None:
        click.secho(
            say(f"✓ allowed by {decision.grant}", f"✓ được phép theo {decision.grant}")
            + say(", released: ", ", cung cấp: ")
            + ", ".join(decision.fields),
            fg="green",
        )
        return
    assert refusal is not None
    wanted = say("en", "vi")
    click.secho(f"✗ {refusal.kind.title.in_language(wanted)} [{refusal.kind.code}]", fg="red")
    click.echo(f"  {refusal.detail}\n  → {refusal.kind.next.in_language(wanted)}")
    if grant is not None:
        click.echo(
            say(
                f"\nThis grant would allow it. Take out what the purpose does not need, then put it into {folder}/:\n",
                f"\nQuyền sau đây sẽ cho phép. Hãy bỏ phần không cần cho mục đích, rồi đưa vào {folder}/:\n",
            )
        )
        click.echo(grant)


def _row(step: Step) -> tuple[str, str, str, str]:
    label = _LABELS.get(step.code, (step.code, step.code))
    return _MARKS[step.passed], say(*label), step.grant or "", step.detail
