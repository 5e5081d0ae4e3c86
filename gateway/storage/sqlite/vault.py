"""The Vault port on SQLite. Blobs come in with commits; here they are read and destroyed."""

from collections.abc import Collection
from typing import Any

import apsw
import msgspec

from gateway.model.instant import Instant
from gateway.model.storage import Blob
from gateway.storage.sqlite.engine import Engine
from gateway.storage.sqlite.redacting import destroy_blobs
from gateway.storage.sqlite.statements import SQL

_decode = msgspec.msgpack.Decoder(tuple[bytes, ...]).decode
_AT_ONCE = 500


class SqliteVault:
    """The Vault on an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def get(self, blob_id: str, now: Instant) -> Blob | None:
        """As the port says."""

        def work(connection: apsw.Connection) -> Blob | None:
            found = connection.execute(SQL["vault_get"], (blob_id, now)).get
            if found is None:
                return None
            owner, subjects, purpose, expires, sealed = found
            return Blob(
                id=blob_id, owner=owner, subjects=_subjects(subjects), purpose=purpose, expires=expires, sealed=sealed
            )

        return await self._engine.read(work)

    async def delete(self, blob_id: str) -> None:
        """As the port says; durable on return."""
        await self.destroy((blob_id,))

    async def destroy(self, blob_ids: Collection[str]) -> int:
        """As the port says; their bytes are wiped. In small transactions, so that commits go on between them."""
        asked = tuple(blob_ids)
        found = 0
        for start in range(0, max(len(asked), 1), _AT_ONCE):
            found += await self._destroyed(asked[start : start + _AT_ONCE])
        return found

    async def _destroyed(self, blob_ids: Collection[str]) -> int:
        return await self._engine.wipe(lambda connection, touched: destroy_blobs(connection, blob_ids, touched))


def _subjects(packed: Any) -> tuple[bytes, ...]:
    try:
        return _decode(packed)
    except (msgspec.MsgspecError, TypeError) as error:
        raise ValueError("a row of the vault does not parse") from error
