"""Where ``motlan log verify --resume FILE`` keeps how far it got, so that the next run goes on from there."""

import time
from pathlib import Path

import click
import msgspec
from msgspec import Struct, field

from gateway.cli.output import say
from gateway.ledger.verify_order import OrderState

_FORMAT = 1
_EVERY = 5.0
_MOST = 1000


class Reached(Struct, kw_only=True):
    """How far a verification got. checkpoint: the one it was of, which the log must extend. entries, records: so many
    were verified. faults, notices: what was found until then. pending: erased records that nothing accounts for yet.
    """

    version: int = _FORMAT
    checkpoint: str = ""
    entries: int = 0
    records: int = 0
    order: OrderState = field(default_factory=OrderState)
    pending: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class Keeper:
    """Reads and writes that file; without a file it keeps nothing. reached: what is to be written."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._written = time.monotonic()
        self.reached = Reached()
        if file is not None and file.exists():
            self.reached = _read(file)

    def tick(self) -> None:
        """Write now and then."""
        if time.monotonic() - self._written > _EVERY:
            self.write()

    def write(self) -> None:
        """Write what was reached; whole, or not at all."""
        self._written = time.monotonic()
        if self._file is None:
            return
        self.reached.faults = list(dict.fromkeys(self.reached.faults))[:_MOST]
        beside = self._file.with_name(f"{self._file.name}.new")
        beside.write_bytes(msgspec.json.encode(self.reached))
        beside.replace(self._file)


def _read(file: Path) -> Reached:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Reached)
    except msgspec.MsgspecError:
        found = None
    if found is None or found.version != _FORMAT:
        raise click.ClickException(
            say(
                f"{file} is not what an earlier verification left; remove it to begin anew",
                f"{file} không phải là tệp của một lần kiểm trước; hãy xóa tệp để kiểm lại từ đầu",
            )
        )
    return found
