"""What withholds entries from citizens' lists, on a gateway's database: for the data-protection officer's command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from gateway.exchange.holding import Why
from gateway.exchange.withholding import Entries, Withholding
from gateway.ledger.order_withheld import Withheld
from gateway.model.instant import Instant
from gateway.model.usage import RoleName
from gateway.trust.roles import holder_of
from gateway.wiring.erasing import Erasing, open_erasing


class Withholder(Struct, frozen=True):
    """Withholds entries on a gateway's database."""

    erasing: Erasing

    async def withhold(self, entries: Entries, until: Instant, why: Why, key: Any) -> Withheld:
        """With the data-protection officer's private key. Raises ExchangeError, ValueError, JournalUnavailableError."""
        core, trust = self.erasing.core, self.erasing.trust
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        holder_of(trust, public, (RoleName.DATA_PROTECTION_OFFICER,), core.clock.now())
        await core.epochs.resume(key)
        withholding = Withholding(
            core.store.log,
            core.recorder,
            clock=core.clock,
            entropy=core.entropy,
            in_force=self.erasing.in_force,
            origin=self.erasing.settings.ledger.origin,
            key=core.citizens,
        )
        return await withholding.withhold(
            entries, until, why, roles=trust.roles, recipients=self.erasing.recipients, signing=key
        )


@asynccontextmanager
async def open_withholder(config: Path) -> AsyncIterator[Withholder]:
    """On a gateway's database, which may be running. Raises ExchangeError, JournalUnavailableError."""
    async with open_erasing(config) as erasing:
        yield Withholder(erasing)
