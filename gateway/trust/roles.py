"""Who holds a role: by a public key that the trust list names for it."""

from collections.abc import Iterable

from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import ROLE_DENIED, ROLE_ENDED, ROLE_UNKNOWN
from gateway.model.instant import Instant
from gateway.model.usage import RoleName
from gateway.trust.document import Role, TrustList


def holder_of(document: TrustList, key: bytes, roles: Iterable[RoleName], at: Instant) -> Role:
    """The entry under which this public key (SubjectPublicKeyInfo in DER) holds one of these roles at this time.

    Whoever asks has seen proof that the other party has the private half. Raises ExchangeError: ROLE_UNKNOWN for a key
    that is not listed, ROLE_DENIED for one listed for other roles only, ROLE_ENDED after its time.
    """
    listed = [role for role in document.roles if role.key == key]
    if not listed:
        raise ExchangeError(ROLE_UNKNOWN)
    wanted = frozenset(roles)
    fitting = [role for role in listed if role.role in wanted]
    if not fitting:
        raise ExchangeError(ROLE_DENIED, f"it is the key of: {', '.join(sorted(role.role for role in listed))}")
    valid = [role for role in fitting if role.until is None or at <= role.until]
    if not valid:
        raise ExchangeError(ROLE_ENDED, f"of {fitting[0].role}")
    return valid[0]
