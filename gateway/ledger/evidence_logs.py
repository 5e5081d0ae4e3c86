"""Whose key a log has, and had: the verifier keys that trust lists name, each until a newer list took it out."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.ledger.note import KeyType, VerifierKey, parse_vkey
from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_INVALID
from gateway.model.instant import Instant, rfc3339
from gateway.trust.document import TrustList


class LogKey(Struct, frozen=True, kw_only=True):
    """A verifier key of a log. ended: the first list, of those at hand, that has taken it out; None: it is still
    named, or the verifier gave it by hand.
    """

    key: VerifierKey
    ended: TrustList | None = None

    def check(self, made: Instant, seen: Sequence[Instant]) -> None:
        """Return unless a checkpoint is of a time after the key's end. made: the record's own time. seen: times at
        which somebody has seen the checkpoint; of a former key there must be one before its end.

        Raises ExchangeError (EVIDENCE_INVALID).
        """
        if self.ended is None:
            return
        until, known_by = self.ended.issued, min(seen, default=None)
        if made > until or known_by is None or known_by > until:
            why = f"it is signed with a former key of the log, which trust list {self.ended.serial} took out"
            raise ExchangeError(EVIDENCE_INVALID, f"{why} at {rfc3339(until)}; nothing shows that it is older")


def log_keys_in(lists: Sequence[TrustList], vkeys: Sequence[str] = ()) -> dict[str, LogKey]:
    """The logs' keys by vkey: of all lists, and those given by hand. Raises ExchangeError (LOG_MALFORMED)."""
    named: dict[str, list[TrustList]] = {}
    for document in lists:
        for log in document.logs:
            named.setdefault(log.vkey, []).append(document)
    found = {vkey: LogKey(key=parse_vkey(vkey), ended=_end(vkey, by, lists)) for vkey, by in named.items()}
    found |= {vkey: LogKey(key=parse_vkey(vkey)) for vkey in vkeys}
    return {vkey: each for vkey, each in found.items() if each.key.type is KeyType.ED25519}


def witnesses_in(lists: Sequence[TrustList]) -> tuple[VerifierKey, ...]:
    """Witnesses' keys among ``logs``: those that make cosignatures. Raises ExchangeError (LOG_MALFORMED)."""
    keys = dict.fromkeys(parse_vkey(log.vkey) for document in lists for log in document.logs)
    return tuple(key for key in keys if key.type is KeyType.COSIGNATURE)


def _end(vkey: str, by: Sequence[TrustList], lists: Sequence[TrustList]) -> TrustList | None:
    """The oldest list that is newer than all that name the key: of the same signers, or of the same log."""
    newest = max(document.serial for document in by)
    origins = {log.origin for document in by for log in document.logs if log.vkey == vkey}
    signers = {key for document in by for key in document.signers.keys}
    later = [
        document
        for document in lists
        if document.serial > newest
        and (signers & set(document.signers.keys) or origins & {log.origin for log in document.logs})
    ]
    return min(later, key=lambda document: document.issued, default=None)
