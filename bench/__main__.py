"""``make bench``: every part in turn, tables on the terminal, figures in a JSON file on request."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec.structs import asdict
from rich.console import Console

from bench import attachment, exchange, floors, large, prefill
from bench.harness import Plan, Row, as_json, show
from bench.processes import ROOT

PARTS = ("bench_log", "bench_client", "bench_wsse", "bench_receipts", "bench_audit", "bench_verify", "bench_storage")
"""Measurements that are programs of their own; the last also knows ``--large``."""
LARGE = ("bench_storage", "bench_large")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _floors() -> dict[str, object]:
    crypto = floors.crypto_seconds()
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        fsyncs = floors.fsyncs_per_second(Path(folder))
    console = Console(width=120)
    console.print(floors.machine())
    console.print(
        f"cryptography of one exchange (P-256: verify, 2 × sign): {crypto * 1e6:.0f} µs = {1 / crypto:,.0f}/s"
    )
    console.print(f"disk: {fsyncs:,.0f} fsyncs/s")
    return {"machine": floors.machine(), "crypto_seconds": crypto, "fsyncs_per_second": fsyncs}


def _more(tables: dict[str, list[Row]]) -> dict[str, object]:
    """What no table shows."""
    console = Console(width=120)
    gain = exchange.gain(tables["Two processes"])
    console.print(f"the second process gains {gain:.2f} × what it gains the bare proxy")
    _say("— a large answer")
    passed, attached = large.run(), attachment.run()
    for what, one in (("answer", passed), ("signed SOAP attachment", attached)):
        console.print(
            f"{what} of {one.size / 1e6:.0f} MB: resident memory grows {one.grown / 1e6:.0f} MB,"
            f" {one.seconds:.1f} s ({one.size / one.seconds / 1e6:.0f} MB/s)"
        )
    _say("— prefill")
    form = prefill.run()
    console.print(
        f"prefill: {form.latency * 1e3:.1f} ms at the median, {form.after * 1e3:.1f} ms more than the slowest source"
        f" ({form.slowest * 1e3:.1f} ms by its own clock); at worst {form.worst * 1e3:.1f} ms more"
    )
    return {"gain": gain, "large": asdict(passed), "attachment": asdict(attached), "prefill": asdict(form)}


def _part(name: str, *, large: bool) -> None:
    if (ROOT / "bench" / f"{name}.py").exists():
        _say(f"— {name}")
        arguments = ["--large"] if large and name == "bench_storage" else []
        subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], cwd=ROOT, check=True)


def main() -> None:
    """Run what was asked for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--large", action="store_true", help="only what needs millions of rows")
    options.add_argument("--json", type=Path, help="write the exchange's figures to this file")
    options.add_argument("--turns", type=int, default=4)
    options.add_argument("--seconds", type=float, default=2.0)
    given = options.parse_args()
    if given.large:
        for part in LARGE:
            _part(part, large=True)
        return
    result = _floors()
    plan = Plan(turns=given.turns, seconds=given.seconds)
    tables = exchange.run(plan, _say)
    for title, rows in tables.items():
        show(title, rows)
    result |= {"tables": {title: as_json(rows) for title, rows in tables.items()}, **_more(tables)}
    for part in PARTS:
        _part(part, large=False)
    if given.json:
        given.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
