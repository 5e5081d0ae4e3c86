"""A development PKI for tests, made once in a process, and its trust list verified and compiled."""

import functools
import tempfile
from pathlib import Path

import msgspec

from adapters.simulators.parties import DEMO
from adapters.simulators.pki import SIGNERS_REQUIRED, Pki, make
from gateway.keys.file import FileKey, load_private_key, load_public_key, load_signing_key
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant, from_seconds
from gateway.trust.document import Signers, TrustList
from gateway.trust.jws import VerifiedList, sign, verify
from gateway.trust.store import TrustStore
from gateway.trust.wire import decode, encode_list

NOW = from_seconds(1_800_000_000)
"""The time at which the shared PKI was made: 2027-01-15T08:00:00Z."""

DAY = 86_400


@functools.cache
def shared() -> Pki:
    """One PKI, with bad certificates, for all tests that only read it."""
    keeper = tempfile.TemporaryDirectory(prefix="motlan-pki-")
    shared.keeper = keeper  # type: ignore[attr-defined]  # it is removed when the process ends
    return make(Path(keeper.name), DEMO, now=NOW, bad=True)


def pinned(pki: Pki) -> Signers:
    """The signers that a configuration would pin."""
    return Signers(required=SIGNERS_REQUIRED, keys=tuple(load_public_key(path) for path in pki.signer_keys))


def signer_keys(pki: Pki) -> list:
    """The private keys of the list's signers."""
    return [load_private_key(path) for path in pki.signers]


def verified(pki: Pki, now: Instant = NOW) -> VerifiedList:
    """Its trust list, verified."""
    return verify(pki.trust_list.read_bytes(), pinned=pinned(pki), last_seen=None, now=now)


def store(pki: Pki, now: Instant = NOW) -> TrustStore:
    """Its trust list, verified and compiled."""
    return TrustStore.load(verified(pki, now))


def document(pki: Pki) -> TrustList:
    """What its trust list says."""
    return decode((pki.folder / "trust/draft.json").read_bytes())


def signed_list(pki: Pki, changed: TrustList, *, signers: int = SIGNERS_REQUIRED) -> bytes:
    """A changed list under the signatures of the PKI's signers."""
    return sign(encode_list(changed), signer_keys(pki)[:signers])


def changed_store(pki: Pki, now: Instant = NOW, **changes) -> TrustStore:
    """The store of a list with some fields changed."""
    data = signed_list(pki, msgspec.structs.replace(document(pki), **changes))
    return TrustStore.load(verify(data, pinned=pinned(pki), last_seen=None, now=now))


def signing_key(pki: Pki, subsystem: SubsystemId) -> FileKey:
    """A subsystem's signing key with its certificate."""
    identity = pki.identities[subsystem]
    return load_signing_key(identity.key, identity.certificate)


def bad_key(pki: Pki, name: str) -> FileKey:
    """The key of a certificate that must be refused."""
    return load_signing_key(pki.bad[name].key, pki.bad[name].certificate)


def gateway_key(pki: Pki) -> FileKey:
    """The gateway's signing key."""
    return load_signing_key(pki.gateway.key, pki.gateway.certificate)
