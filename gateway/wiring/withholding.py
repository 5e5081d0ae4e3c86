"""What withholds entries from citizens' lists, on a gateway's database: for the data-protection officer's command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.exchange.audit_desk import Reader
from gateway.exchange.holding import Why, why_of
from gateway.exchange.withholding import Entries, Withholding
from gateway.ledger.order_withheld import Withheld
from gateway.model.instant import Instant
from gateway.model.usage import RoleName
from gateway.wiring.erasing import Erasing, open_erasing


class Withholder(Struct, frozen=True):
    """Withholds entries on a gateway's database."""

    erasing: Erasing

    async def withhold(self, entries: Entries, until: Instant, why: Why, key: Any) -> Withheld:
        """With the data-protection officer's private key. Raises ExchangeError, ValueError, JournalUnavailableError."""
        await self._officer(key)
        withheld = await self._withholding.withhold(entries, until, why, key)
        await self.erasing.sequenced()
        return withheld

    async def lift(self, withheld: str, why: Why, key: Any) -> Withheld:
        """End one before its time, with the data-protection officer's private key. Raises as ``withhold`` does."""
        await self._officer(key)
        lifted = await self._withholding.lift(withheld, why, key)
        await self.erasing.sequenced()
        return lifted

    async def list(self, reader: Reader) -> list[tuple[Withheld, Why | None]]:
        """Those in force, and why, as far as the reader's key opens that; recorded as a reading first."""
        found = await self._withholding.in_force()
        await self.erasing.read("withheld", reader, len(found))
        return [(each, why_of(each.why, reader.key)) for each in found]

    async def _officer(self, key: Any) -> None:
        await self.erasing.holder(key, (RoleName.DATA_PROTECTION_OFFICER,))

    @property
    def _withholding(self) -> Withholding:
        opened = self.erasing.opened
        return Withholding(self.erasing.site, opened.core.citizens, opened.trust.roles)


@asynccontextmanager
async def open_withholder(config: Path) -> AsyncIterator[Withholder]:
    """On a gateway's database, which may be running. Raises ExchangeError, JournalUnavailableError."""
    async with open_erasing(config) as erasing:
        yield Withholder(erasing)
