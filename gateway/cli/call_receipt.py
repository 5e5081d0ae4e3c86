"""``motlan call --receipt``: what the receipts of the call prove, kept in files and said."""

from pathlib import Path
from typing import Any

import click

from gateway import client as motlan
from gateway.cli.log_keys import demand_of
from gateway.cli.log_receipt import values_of
from gateway.cli.output import fail, note, warn
from gateway.model.errors import ExchangeError

_ENDING = ".tlog-proof"


async def prove(
    client: motlan.Client, answer: motlan.Answer, options: dict[str, Any]
) -> tuple[motlan.ProvedExchange | None, Exception | None]:
    """Fetch, compare and keep; or why that failed. The answer itself is printed either way: the call has been made."""
    demand = demand_of(options)
    try:
        proved = await client.receipt(
            answer,
            audience=options["receipt_audience"],
            witnesses=demand.witnesses,
            quorum=demand.quorum,
            policy=demand.policy,
            seconds=options["receipt_seconds"],
        )
        for file, data in zip(_files(options["receipt"]), proved.files, strict=False):
            file.write_bytes(data)
    except (ExchangeError, motlan.CallFailedError) as error:
        return None, error
    return proved, None


def proof_values(proved: motlan.ProvedExchange | None, error: Exception | None) -> dict[str, Any]:
    """For programs."""
    if proved is None:
        code = error.kind.code if isinstance(error, ExchangeError) else getattr(error, "code", "")
        return {"proved": False, "code": code, "detail": str(error)}
    return {
        "proved": not proved.unopened,
        "compared": list(proved.compared),
        "unopened": list(proved.unopened),
        "answer": values_of(proved.answer),
        "request": None if proved.request is None else values_of(proved.request),
    }


def print_proof(proved: motlan.ProvedExchange | None, error: Exception | None) -> None:
    """For people, on standard error; nothing where no receipt was asked for."""
    if isinstance(error, ExchangeError):
        fail(error)
    elif error is not None:
        click.echo(f"✗ {error}", err=True)
    if proved is None:
        return
    for receipt in (proved.request, proved.answer):
        if receipt is not None:
            head, said = receipt.checkpoint.checkpoint, receipt.skeleton
            note(
                f"✓ {said.kind} {said.id} is entry {receipt.index} of {head.origin}, {head.size} entries",
                f"✓ {said.kind} {said.id} là mục {receipt.index} của {head.origin}, gồm {head.size} mục",
            )
    note(
        f"  the same as sent and got: {', '.join(proved.compared)}", f"  khớp thông điệp: {', '.join(proved.compared)}"
    )
    if proved.unopened:
        names = ", ".join(proved.unopened)
        warn(f"the receipts do not show: {names}", f"biên nhận không cho thấy: {names}")


def _files(file: Path) -> tuple[Path, Path]:
    name = file.name.removesuffix(_ENDING)
    return file, file.with_name(f"{name}.request{_ENDING}")
