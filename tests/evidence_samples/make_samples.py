"""Makes the kept evidence samples of this release: ``.venv/bin/python tests/evidence_samples/make_samples.py``.

Every key is derived from a fixed text, so that nothing secret is behind them and a sample can be extended later; ECDSA
signatures differ from run to run. What a release wrote is kept as it was: a file that is there already stays, so a new
release adds samples under its own version and never makes an old one again. ``tests/unit/ledger/test_evidence_samples``
verifies all of them.
"""

import hashlib
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[2]))

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.simulators import pki, tsa_certificate
from adapters.simulators.parties import CIVIL_STATUS, DEMO, ONE_STOP, POPULATION, PORTAL
from gateway.keys.issue import KeyKind
from gateway.ledger.evidence import VERSION
from gateway.ledger.record import Ruling, SignedBy
from gateway.model.instant import Instant, from_seconds
from tests.support.evidence import Bench

HERE = Path(__file__).parent
NOW: Instant = from_seconds(1_795_315_862)
"""2026-11-22T02:51:02Z: the time of the exchanges."""
PARTIES = tuple(party for party in DEMO if party.id in {PORTAL, ONE_STOP, CIVIL_STATUS, POPULATION})


class _Keys:
    """Keys in a fixed order, each out of a hash."""

    def __init__(self) -> None:
        self.made = 0

    def seed(self) -> bytes:
        self.made += 1
        return hashlib.sha256(b"motlan evidence sample key %d" % self.made).digest()

    def new(self, kind: KeyKind = KeyKind.P256):
        if kind is KeyKind.ED25519:
            return self.ed25519()
        # An RSA key cannot be derived in a line; P-384 stands in for it.
        curve = SECP256R1() if kind is KeyKind.P256 else SECP384R1()
        return derive_private_key(int.from_bytes(self.seed(), "big") >> 1, curve)

    def ed25519(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed())


def bench(folder: Path) -> Bench:
    """A PKI, gateway, log and authority with those keys."""
    keys = _Keys()
    with (
        mock.patch.object(pki, "new_key", keys.new),
        mock.patch.object(pki, "Ed25519PrivateKey", SimpleNamespace(generate=keys.ed25519)),
        mock.patch.object(tsa_certificate, "new_key", keys.new),
    ):
        made = Bench(pki.make(folder, PARTIES, now=NOW, days=365), NOW, "samples")
        made.tsa()  # makes its certificate
    return made


def samples(made: Bench) -> dict[str, bytes]:
    """Each sort of container, by name."""
    exchange = made.material(made.exchange(PORTAL), bodies=("request", "answer"))
    jws = made.material(made.exchange(ONE_STOP, "jws"), stamped=False)
    soap = made.material(made.exchange(CIVIL_STATUS, "wsse"), bodies=("request", "answer"))
    ask = made.ask(PORTAL)
    denied = {"ruling": Ruling.DENIED, "reasons": ("server.serverproxy.access_denied",), "outcome": "DENIED"}
    refusal = made.record("refusal", PORTAL, ask, signed_by=SignedBy.CALLER, **denied)
    erased = made.material(made.exchange(PORTAL), keep=lambda _: False)
    return {
        "exchange": made.container(exchange),
        "jws-unstamped": made.container(jws, stamped=False),
        "soap": made.container(soap),
        "refusal": made.container(made.material({"refusal": (refusal, ask)})),
        "erased": made.container(erased),
    }


def main() -> None:
    """Write what is not there yet."""
    folder = HERE / f"v{VERSION}"
    if folder.exists():
        sys.exit(f"{folder} is there already, and is never made again")
    folder.mkdir()
    with tempfile.TemporaryDirectory() as keys:
        made = bench(Path(keys))
        for name, container in samples(made).items():
            (folder / f"{name}.asice").write_bytes(container)
        (folder / "list.jws").write_bytes(made.list)
        (folder / "tsa-roots.pem").write_bytes(made.pki.root.read_bytes())
        for file in made.pki.signer_keys:
            (folder / f"signer-{file.name}").write_bytes(file.read_bytes())


if __name__ == "__main__":
    main()
