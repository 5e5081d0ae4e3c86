"""The Vault port on SQLite. Blobs come in with commits; here they are read and destroyed."""

from collections.abc import Collection

import apsw
import msgspec

from gateway.model.instant import Instant
from gateway.model.storage import Blob
from gateway.storage.sqlite.engine import Engine
from gateway.storage.sqlite.redacting import destroy_blobs
from gateway.storage.sqlite.statements import SQL

_subjects = msgspec.msgpack.Decoder(tuple[bytes, ...]).decode


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
        """As the port says; their bytes are wiped."""
        return await self._engine.wipe(lambda connection: destroy_blobs(connection, blob_ids))

    async def forget(self, subjects: Collection[bytes]) -> int:
        """As the port says."""
        asked = frozenset(subjects)

        def work(connection: apsw.Connection) -> int:
            gone = [
                str(blob_id)
                for blob_id, packed in connection.execute(SQL["vault_all"]).fetchall()
                if isinstance(packed, bytes) and asked.intersection(_subjects(packed))
            ]
            return destroy_blobs(connection, gone)

        return await self._engine.wipe(work)
