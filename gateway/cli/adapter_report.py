"""What ``motlan adapter`` prints."""

from collections import Counter
from typing import Any

import click

from gateway.cli.output import console, note, say, table
from gateway.wiring.kit import Made
from gateway.wiring.kit_leaves import LOST, MAPPED, MISSING
from gateway.wiring.kit_record import Recording
from gateway.wiring.kit_test import Report


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


def test_values(found: Report) -> dict[str, Any]:
    """What ``adapter test`` found, for programs."""
    return {
        "well": found.is_well,
        "samples": [
            {"sample": each.sample, "wanted": each.wanted, "got": each.got, "problems": list(each.problems)}
            for each in found.samples
        ],
        "misbehaviour": [
            {"sample": each.sample, "mode": each.mode, "got": each.got, "problem": each.problem or None}
            for each in found.modes
        ],
        "leaves": [
            {
                "operation": each.operation,
                "side": each.side,
                "path": each.path,
                "state": each.state,
                "reason": each.reason or None,
            }
            for each in found.leaves
        ],
        "counts": dict(Counter(each.state for each in found.leaves)),
    }


def print_test(found: Report, *, everything: bool) -> None:
    """What ``adapter test`` found, for people."""
    _print_samples(found)
    _print_modes(found)
    _print_leaves(found, everything=everything)
    counts = Counter(each.state for each in found.leaves)
    told = say(
        f"{counts[MAPPED]} fields mapped, {counts[MISSING]} mapped but in no sample, {counts[LOST]} lost",
        f"{counts[MAPPED]} trường đã ánh xạ, {counts[MISSING]} không có trong mẫu, {counts[LOST]} bị mất",
    )
    wrong = sum(bool(each.problems) for each in found.samples) + sum(bool(each.problem) for each in found.modes)
    if found.is_well:
        click.echo(f"✓ {told}")
    else:
        click.echo(say(f"✗ {wrong} to mend; {told}", f"✗ {wrong} lỗi cần sửa; {told}"))


def _print_samples(found: Report) -> None:
    columns = ("", say("sample", "mẫu"), say("wanted", "mong đợi"), say("came to", "kết quả"), say("wrong", "sai"))
    rows = [
        ("✗" if each.problems else "✓", each.sample, each.wanted, each.got, "; ".join(each.problems))
        for each in found.samples
    ]
    console().print(table(say("Samples", "Mẫu thử"), columns, rows))


def _print_modes(found: Report) -> None:
    """One line for each way to go wrong: what it came to, and which samples it harmed."""
    if not found.modes:
        return
    outcomes: dict[str, Counter[str]] = {}
    harmed: dict[str, list[str]] = {}
    for each in found.modes:
        outcomes.setdefault(each.mode, Counter())[each.got] += 1
        if each.problem:
            harmed.setdefault(each.mode, []).append(f"{each.sample}: {each.problem}")
    columns = ("", say("the provider", "hệ thống nguồn"), say("came to", "kết quả"), say("wrong", "sai"))
    rows = [
        (
            "✗" if mode in harmed else "✓",
            mode,
            ", ".join(f"{name} ×{count}" for name, count in counts.most_common()),
            "; ".join(harmed.get(mode, ())),
        )
        for mode, counts in outcomes.items()
    ]
    console().print(table(say("A provider that goes wrong", "Hệ thống nguồn hoạt động sai"), columns, rows))


def _print_leaves(found: Report, *, everything: bool) -> None:
    shown = [each for each in found.leaves if everything or each.state != MAPPED]
    if not shown:
        return
    columns = (
        say("operation", "thao tác"),
        say("side", "chiều"),
        say("field", "trường"),
        say("state", "trạng thái"),
        say("why", "lý do"),
    )
    rows = [(each.operation, each.side, each.path, each.state, each.reason) for each in shown]
    console().print(table(say("Fields", "Các trường"), columns, rows))


def record_values(made: Recording) -> dict[str, Any]:
    """What ``adapter record`` wrote, for programs."""
    return {
        "outcome": made.outcome,
        "files": [str(each) for each in made.files],
        "replaced": made.replaced,
        "kept": made.kept,
    }


def print_record(made: Recording) -> None:
    """What ``adapter record`` wrote, and which fields stayed as they were, for a last look."""
    rows = [
        (name, made.replaced.get(name, ""), made.kept.get(name, ""))
        for name in dict.fromkeys((*made.replaced, *made.kept))
    ]
    columns = (say("field", "trường"), say("replaced", "đã thay"), say("kept as it is", "giữ nguyên"))
    console().print(table(say(f"Recorded: {made.outcome}", f"Đã ghi: {made.outcome}"), columns, rows))
    for file in made.files:
        click.echo(str(file))
    note(
        "✓ read what was kept: a field that is a person's after all goes with --personal FIELD",
        "✓ hãy xem lại các trường giữ nguyên: trường nào là của cá nhân thì thêm --personal TÊN_TRƯỜNG",
    )
