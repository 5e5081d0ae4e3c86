"""Makes the kept evidence samples of this release: ``.venv/bin/python tests/evidence_samples/make_samples.py``.

Every key is derived from a fixed text, so that nothing secret is behind them and a sample can be extended later; ECDSA
signatures and certificates' serial numbers differ from run to run. What a release wrote is kept as it was: a file that is
there already stays, so a new sort of sample stands beside the others, a new layout under its own version, and no old one
is ever made again. ``tests/unit/ledger/test_evidence_samples`` verifies all of them.
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
from tests.support.evidence_attested import lines_of, witness, witnessed

HERE = Path(__file__).parent
NOW: Instant = from_seconds(1_795_315_862)
"""2026-11-22T02:51:02Z: the time of the exchanges."""
WITNESSES = ("a", "b")
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
    abandoned = made.ask(PORTAL)
    asked = made.request(PORTAL, abandoned)
    end = made.record("abandoned", PORTAL, None, parent=asked.id, outcome="ABANDONED")
    seen = made.exchange(PORTAL)
    return {
        "exchange": made.container(exchange),
        "jws-unstamped": made.container(jws, stamped=False),
        "soap": made.container(soap),
        "refusal": made.container(made.material({"refusal": (refusal, ask)})),
        "erased": made.container(erased),
        "abandoned": made.container(made.material({"request": (asked, abandoned), "abandoned": (end, None)})),
        "witnessed": made.container(witnessed(made, seen, lines_of(made, *WITNESSES))),
    }


def main() -> None:
    """Write what is not there yet."""
    folder = HERE / f"v{VERSION}"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as keys:
        made = bench(Path(keys))
        files = {f"{name}.asice": container for name, container in samples(made).items()}
        files |= {"list.jws": made.list, "tsa-roots.pem": made.pki.root.read_bytes()}
        files |= {f"signer-{file.name}": file.read_bytes() for file in made.pki.signer_keys}
        files |= {f"witness-{name}.vkey": f"{witness(name)[0].encode()}\n".encode() for name in WITNESSES}
        for name, content in files.items():
            if not (folder / name).exists():
                (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
