"""``motlan log``: auditors search and read records; anybody verifies the log."""

import click

from gateway.cli.log_affected import affected, unseal
from gateway.cli.log_decided import decided
from gateway.cli.log_erase import erase, order
from gateway.cli.log_export import export
from gateway.cli.log_hold import hold, payload
from gateway.cli.log_key import key_
from gateway.cli.log_mirror import mirror
from gateway.cli.log_people import officer, who_looked
from gateway.cli.log_receipt import prove, receipt
from gateway.cli.log_search import search
from gateway.cli.log_show import show
from gateway.cli.log_verify import verify_
from gateway.cli.log_withhold import withheld, withhold
from gateway.cli.output import example


@click.group(
    epilog=example("motlan log verify --url https://gateway.example/log --vkey 'gateway.example/log+4fd3…+AZ…'")
)
def log() -> None:
    """Search, show and verify the log."""


log.add_command(verify_)
log.add_command(mirror)
log.add_command(key_)
log.add_command(prove)
log.add_command(receipt)
log.add_command(search)
log.add_command(show)
log.add_command(who_looked)
log.add_command(officer)
log.add_command(affected)
log.add_command(unseal)
log.add_command(decided)
log.add_command(export)
log.add_command(order)
log.add_command(erase)
log.add_command(hold)
log.add_command(payload)
log.add_command(withhold)
log.add_command(withheld)
