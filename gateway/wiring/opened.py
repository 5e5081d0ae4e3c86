"""A gateway's database, opened by those who hold a role: with the trust list and the rules that it recorded last."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.config.load import Settings, load
from gateway.ledger.record import InForce
from gateway.model.storage import JournalUnavailableError
from gateway.storage.sqlite.database import SchemaError
from gateway.trust.document import TrustList
from gateway.trust.jws import LastSeen, verify
from gateway.wiring.build import BUILD
from gateway.wiring.core import Core, build_core
from gateway.wiring.readers import check_readers
from gateway.wiring.tools import pinned
from gateway.wiring.trust import KIND as TRUST_KIND


class Opened(Struct, frozen=True, kw_only=True):
    """A gateway's database. trust: the list in force."""

    settings: Settings
    core: Core
    trust: TrustList
    in_force: InForce


@asynccontextmanager
async def open_database(config: Path) -> AsyncIterator[Opened]:
    """The database of a gateway, which may be running. No epoch is begun yet.

    Raises ExchangeError, JournalUnavailableError; never makes a new one.
    """
    settings = load(config)
    if not settings.ledger.database.exists():
        raise JournalUnavailableError(f"there is no database {settings.ledger.database}")
    try:
        core = await build_core(settings, begin=False, mapped=True)
    except SchemaError as error:
        raise JournalUnavailableError(str(error)) from error
    try:
        listed = await core.store.log.newest_document(TRUST_KIND)
        if listed is None:
            raise JournalUnavailableError("no gateway with this database ever had a trust list")
        # Verified once more: the database alone gives nobody a role.
        seen = msgspec.json.decode(listed.note, type=LastSeen)
        trust = verify(listed.content, pinned=pinned(settings), last_seen=seen, now=core.clock.now()).document
        check_readers(settings, trust)
        in_force = InForce(
            policy=bytes.fromhex(settings.policy_digest),
            trust=bytes.fromhex(listed.digest),
            mapping=bytes.fromhex(settings.services_digest),
            build=BUILD,
        )
        yield Opened(settings=settings, core=core, trust=trust, in_force=in_force)
    finally:
        await core.store.close()
