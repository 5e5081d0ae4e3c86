"""``motlan log``: auditors search and read records; anybody verifies the log."""

import click

from gateway.cli.log_receipt import prove, receipt
from gateway.cli.log_search import search
from gateway.cli.log_show import show
from gateway.cli.log_verify import verify_
from gateway.cli.output import example


@click.group(
    epilog=example("motlan log verify --url https://gateway.example/log --vkey 'gateway.example/log+4fd3…+AZ…'")
)
def log() -> None:
    """Search, show and verify the log."""


log.add_command(verify_)
log.add_command(prove)
log.add_command(receipt)
log.add_command(search)
log.add_command(show)
