"""Whom private fields may be sealed to: only those whom the trust list names for a reading role.

The configuration says who reads, and its operator writes the configuration. The trust list, which several sign, says
who may: so an operator who adds a key of their own gets a gateway that does not start, not one that seals to them.
"""

from gateway.config.load import Settings
from gateway.config.settings import Reader
from gateway.exchange.audit_desk import READERS
from gateway.keys.file import load_public_key
from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import READER_NOT_LISTED
from gateway.model.usage import RoleName
from gateway.trust.document import TrustList


def check_readers(settings: Settings, trust: TrustList) -> None:
    """Raises ExchangeError: READER_NOT_LISTED, naming the reader; KEY_FILE_UNUSABLE."""
    for reader in settings.ledger.readers:
        check_reader(reader, trust)


def check_reader(reader: Reader, trust: TrustList) -> None:
    """Of one. A role that has ended still counts: who may read what is sealed then is asked at each reading."""
    key = load_public_key(reader.key)
    held = {role.role for role in trust.roles if role.key == key}
    if RoleName.OPERATOR in held:
        raise ExchangeError(READER_NOT_LISTED, f"reader {reader.id}: this is an operator's key")
    if not held & set(READERS):
        raise ExchangeError(READER_NOT_LISTED, f"reader {reader.id}: the trust list names this key for no such role")
