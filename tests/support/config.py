"""Claims, instants and configuration directories for tests."""

from datetime import datetime
from pathlib import Path

from gateway.config.demo import write_demo
from gateway.model.envelope import Claim, Purpose
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import Instant, from_datetime


def at(text: str) -> Instant:
    """The instant of an ISO 8601 text with offset."""
    return from_datetime(datetime.fromisoformat(text))


def claim(**changes) -> Claim:
    """A claim of Hai Phong's portal that asks the population database for a birth registration."""
    values = {
        "client": parse_subsystem("VN/GOV/H24/portal"),
        "service": parse_service("VN/GOV/G01/population/citizen"),
        "method": "POST",
        "purpose": Purpose("1.001193", "ND-63/2024"),
    }
    return Claim(**{**values, **changes})


def write_pki(folder: Path) -> Path:
    """Stand-ins for the files of a development PKI: right names, no keys in them."""
    names = [
        "gateway/tls.pem", "gateway/tls.key.pem", "gateway/log.key.pem", "gateway/sign.pem", "gateway/sign.key.pem",
        "gateway/hosted-VN_GOV_H57_one-stop.pem", "gateway/hosted-VN_GOV_H57_one-stop.key.pem",
        "roles/auditor.pub.pem", "roles/data-protection-officer.pub.pem", "trust/list.jws",
        "signers/1.pub.pem", "signers/2.pub.pem", "signers/3.pub.pem", "ca/root.pem",
        "citizens/issuer.pub.pem",
    ]  # fmt: skip
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("stand-in")
    return folder


def write_configuration(folder: Path) -> Path:
    """The demo's configuration with stand-ins for its keys; returns its gateway.toml."""
    state = folder / "state"
    (state / "secrets").mkdir(parents=True)
    for name in ("population", "social-insurance"):
        file = state / "secrets" / name
        file.write_text("s3cret\n")
        file.chmod(0o600)
    (state / "vault.key").write_text("00" * 32)
    (state / "witness").mkdir()
    (state / "witness" / "witnesses.policy").write_text("stand-in")
    return write_demo(
        folder / "config",
        {
            "gateway_port": 18443,
            "admin_port": 19443,
            "pki": write_pki(folder / "pki"),
            "state": state,
            "log_origin": "127.0.0.1/log",
            "population_url": "http://127.0.0.1:18001",
            "insurance_url": "http://127.0.0.1:18002/apiBHXH",
            "tsa_url": "http://127.0.0.1:18003/tsa",
        },
    )
