"""What ``motlan adapter`` prints."""

from collections import Counter
from typing import Any

import click

from gateway.cli.output import console, note, say, table
from gateway.wiring.kit import Made


def made_values(made: Made) -> dict[str, Any]:
    """What ``adapter new`` made, for programs."""
    return {
        "mapping": str(made.layout.mapping),
        "service_file": str(made.layout.service),
        "grants": str(made.layout.policy),
        "samples": str(made.layout.samples),
        "operations": list(made.operations),
        "unusable": {each.name: each.unusable for each in made.contract.operations if each.unusable},
        "leaves": len(made.lines),
        "mapped": [
            {"operation": each.operation, "side": each.side, "path": each.path, "element": each.element}
            for each in made.lines
            if not each.lost
        ],
        "lost": [
            {"operation": each.operation, "side": each.side, "path": each.path, "reason": each.lost}
            for each in made.lines
            if each.lost
        ],
        "files": list(made.files),
    }


def print_made(made: Made) -> None:
    """What ``adapter new`` made, for people."""
    title = say(
        f"{made.contract.title or made.layout.name}: {len(made.operations)} operations",
        f"{made.contract.title or made.layout.name}: {len(made.operations)} thao tác",
    )
    mapped: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    for each in made.lines:
        (lost if each.lost else mapped)[each.operation, each.side] += 1
    columns = (
        say("operation", "thao tác"),
        say("fields asked", "trường yêu cầu"),
        say("fields answered", "trường trả về"),
        say("lost", "bị mất"),
    )
    rows = [
        (
            name,
            mapped[name, "request"],
            mapped[name, "answer"],
            (lost[name, "request"] + lost[name, "answer"]) or "",
        )
        for name in made.operations
    ]
    console().print(table(title, columns, rows))
    for one in made.contract.operations:
        if one.unusable:
            click.echo(say(f"  left out: {one.name}: {one.unusable}", f"  bỏ qua: {one.name}: {one.unusable}"))
    reasons = Counter(each.lost for each in made.lines if each.lost)
    for reason, count in reasons.most_common():
        click.echo(say(f"  lost: {count} fields: {reason}", f"  bị mất: {count} trường: {reason}"))
    total = len(made.lines)
    good = total - sum(reasons.values())
    note(
        f"✓ {good} of {total} fields are mapped in {made.layout.mapping}",
        f"✓ {good} trên {total} trường đã được ánh xạ trong {made.layout.mapping}",
    )
    click.echo(say("  → fill in ", "  → điền vào ") + str(made.layout.samples), err=True)
    click.echo(f"  → motlan adapter test {made.layout.folder}", err=True)
