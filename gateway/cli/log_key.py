"""``motlan log key``: make a log's key, or show the verifier key of one."""

from pathlib import Path

import click

from gateway.cli.output import example, json_option, needs_gateway, note, print_json, verb
from gateway.cli.values import NewFile
from gateway.ledger.note import KeyType, VerifierKey


@click.command("key", epilog=example("motlan log key gateway.example/log keys/log-2027.key.pem"))
@click.argument("origin")
@click.argument("file", type=NewFile)
@json_option
@verb
def key_(origin: str, file: Path, *, as_json: bool) -> None:
    """Make the key of the log named ORIGIN in FILE (PEM, Ed25519), or show the verifier key of the one that is there.

    The verifier key (C2SP vkey) goes into the trust list: motlan trust draft --log VKEY. docs/witnesses.md says how a
    key is replaced.
    """
    there = file.exists()
    made: VerifierKey
    if there:
        made = needs_gateway("gateway.wiring.attesting").ed25519_key(file, origin).key
    else:
        made = needs_gateway("gateway.wiring.witness").new_named_key(file, origin, KeyType.ED25519)
    if as_json:
        print_json({"origin": origin, "key": str(file), "vkey": made.encode(), "made": not there})
        return
    click.echo(made.encode())
    if not there:
        note(f"✓ a new key in {file}", f"✓ khóa mới trong {file}")
