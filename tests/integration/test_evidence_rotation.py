"""Keys that are replaced in a running gateway, and evidence from before, across and after: each verifies with the lists
of then and of today, and nothing that a former key signs after its end does.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from adapters.simulators.pki import GATEWAY
from gateway.keys.file import load_private_key, load_signing_key, write_private_key
from gateway.keys.issue import Profile, new_key
from gateway.keys.onboarding import certificate_pem
from gateway.ledger.evidence import material_of
from gateway.ledger.evidence_pack import pack, sign_material
from gateway.ledger.note import KeyType, parse_vkey
from gateway.model.instant import Instant, plus, rfc3339
from gateway.model.usage import Usage
from gateway.signing.asice import read_container
from gateway.trust.document import thumbprint
from gateway.wiring.witness import new_named_key
from tests.support.cli import CASE, OFFICER, run
from tests.support.evidence_attested import authority_of, revocation_list, serial_of
from tests.support.evidence_office import KEPT, TSA, export, stamped_office, wait_for_stamp
from tests.support.exchanges import json_answer
from tests.support.pki import DAY
from tests.support.served import publish


@pytest.fixture
def office(tmp_path):
    with stamped_office(tmp_path) as made:
        made.provider.reply = json_answer({"full_name": "Nguyễn Thị Ánh"})
        yield made


def edit(office: Any, *changes: tuple[str, str]) -> None:
    text = office.site.config.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    office.site.config.write_text(text)


def call(office: Any) -> str:
    """An exchange that the log was stamped with; its answer's record."""
    fields = {"X-Road-UserId": OFFICER, "X-Road-Issue": CASE}
    answer = office.send(office.message(service=KEPT, body=b'{"identity_number":"031093271828"}', fields=fields))
    assert answer.status == 200, answer
    record: str = answer.head.get("motlan-receipt")
    wait_for_stamp(office, record)
    return record


def kept_list(office: Any, folder: Path, name: str) -> Path:
    """The trust list in force now, as a verifier has it."""
    file = folder / f"{name}.jws"
    file.write_bytes(office.site.pki.trust_list.read_bytes())
    return file


def verify(office: Any, file: Path, trust: Path, *more: object) -> tuple[int, list[str]]:
    """Exit code, and the details of what fails."""
    roots = TSA.write(office.site.folder)[0]
    ran = run("evidence", "verify", file, "--trust", trust, "--tsa-ca", roots, "--json", *more)
    return ran.code, [each["detail"] for each in ran.values["findings"] if each["verdict"] == "failed"]


def vkey_in(file: Path) -> str:
    return read_container(file.read_bytes())["log/log.vkey"].decode().strip()


def test_a_log_key_is_replaced(office, tmp_path):
    keys = office.site.pki.folder / "gateway"
    old = parse_vkey(office.site.pki.log_vkey)
    lists = {"first": kept_list(office, tmp_path, "first")}
    files: dict[str, Path] = {}

    def exported(name: str, record: str, *options: object) -> None:
        files[name] = tmp_path / f"{name}.asice"
        made = export(office, record, files[name], *options)
        assert made["wrong"] == []

    before = call(office)
    exported("before", before)
    new = new_named_key(keys / "log-new.key.pem", old.name, KeyType.ED25519)
    named = [{"origin": old.name, "vkey": key.encode()} for key in (old, new)]
    publish(office.site, serial=2, issued=rfc3339(office.clock.now()), logs=named)
    lists["both"] = kept_list(office, tmp_path, "both")
    edit(
        office,
        (
            f'log_key = "{keys}/log.key.pem"',
            f'log_key = "{keys}/log-new.key.pem"\nformer_log_keys = ["{keys}/log.key.pem"]',
        ),
    )
    office.restart()
    across = call(office)
    exported("across", across)

    edit(office, (f'former_log_keys = ["{keys}/log.key.pem"]', ""))
    office.restart()
    ended = office.clock.now()
    publish(office.site, serial=3, issued=rfc3339(ended), logs=named[1:])
    lists["ended"] = kept_list(office, tmp_path, "ended")
    office.restart()
    after = call(office)
    exported("after", after)
    # Older records are exported today as well: by the checkpoints that were stamped then.
    exported("before, later", before)
    exported("across, later", across)
    assert vkey_in(files["after"]) == new.encode()
    assert vkey_in(files["before, later"]) == old.encode()

    for name, file in files.items():
        for known, trust in lists.items():
            assert verify(office, file, trust) == (0, []), (name, known)

    # Somebody signs a checkpoint with the former key after its end, beside the log's own.
    thief = tmp_path / "stolen.asice"
    edit(
        office,
        (
            f'log_key = "{keys}/log-new.key.pem"',
            f'log_key = "{keys}/log.key.pem"\nformer_log_keys = ["{keys}/log-new.key.pem"]',
        ),
    )
    office.restart()
    stolen = call(office)
    edit(
        office,
        (
            f'log_key = "{keys}/log.key.pem"\nformer_log_keys = ["{keys}/log-new.key.pem"]',
            f'log_key = "{keys}/log-new.key.pem"',
        ),
    )
    export(office, stolen, thief)
    forged = _with_vkey(office, thief, old.encode())
    for trust, why in (
        ((lists["ended"],), "no trust list that you believe names this log's key"),
        ((lists["both"], "--trust", lists["ended"]), "it is signed with a former key of the log"),
    ):
        code, wrong = verify(office, forged, *trust)
        assert code == 1
        assert wrong[0].startswith(why)
    assert verify(office, thief, lists["ended"]) == (0, [])  # by the log's own key, which has signed it too


def _with_vkey(office: Any, file: Path, vkey: str) -> Path:
    """The same container, made by a dishonest gateway to be believed by another key of the log."""
    files = read_container(file.read_bytes())
    material = material_of({path: content for path, content in files.items() if not path.startswith("META-INF")})
    gateway = office.site.pki.gateway
    signed = sign_material(
        structs.replace(material, vkey=vkey), load_signing_key(gateway.key, gateway.certificate), stamped=False
    )
    forged = file.with_name("forged.asice")
    forged.write_bytes(pack(signed))
    return forged


def _certified(office: Any) -> tuple[Path, Path, dict[str, str]]:
    """A new signing key of the gateway: key, certificate, and its entry in the trust list."""
    folder, now, key = office.site.pki.folder / "gateway", office.clock.now(), new_key()
    profile = Profile(
        usage=Usage.GATEWAY_SIGN,
        common_name=str(GATEWAY),
        organization="Test",
        not_before=plus(now, -60),
        not_after=plus(now, 120 * DAY),
    )
    der = authority_of(office.site.pki).issue(key.public_key(), profile)
    files = folder / "sign-new.key.pem", folder / "sign-new.pem"
    write_private_key(files[0], key)
    files[1].write_bytes(certificate_pem(der))
    encoded = base64.b64encode(der).decode()
    return *files, {"owner": str(GATEWAY), "usage": "gateway-sign", "x5t#S256": thumbprint(der), "der": encoded}


def _revoking(office: Any, serial: int, since: Instant, number: float) -> bytes:
    """A revocation list of the issuing CA, a little newer than the last."""
    pki = office.site.pki
    key: Any = load_private_key(pki.folder / "ca/issuing.key.pem")
    issued = plus(office.clock.now(), number)
    return revocation_list(authority_of(pki).certificate, key, {serial: (since, None)}, issued=issued, days=30)


def test_the_gateways_signing_key_is_replaced(office, tmp_path):
    keys = office.site.pki.folder / "gateway"
    lists = {"first": kept_list(office, tmp_path, "first")}
    before = call(office)
    files = {"before": tmp_path / "before.asice"}
    export(office, before, files["before"])

    key, certificate, entry = _certified(office)
    draft = json.loads((office.site.pki.folder / "trust/draft.json").read_bytes())
    certificates = [*draft["certificates"], entry]
    publish(office.site, serial=2, issued=rfc3339(office.clock.now()), certificates=certificates)
    lists["both"] = kept_list(office, tmp_path, "both")
    edit(
        office,
        (f'signing_key = "{keys}/sign.key.pem"', f'signing_key = "{key}"'),
        (f'signing_certificate = "{keys}/sign.pem"', f'signing_certificate = "{certificate}"'),
    )
    office.restart()
    after = call(office)
    old = load_signing_key(office.site.pki.gateway.key, office.site.pki.gateway.certificate)
    since = office.clock.now()
    # The old certificate has gone from the list, and was revoked.
    left = [each for each in certificates if each["x5t#S256"] != old.keyid]
    publish(office.site, serial=3, issued=rfc3339(since), certificates=left)
    lists["ended"] = kept_list(office, tmp_path, "ended")
    office.restart()
    for name, record in (("before, later", before), ("after", after)):
        files[name] = tmp_path / f"{name}.asice"
        assert export(office, record, files[name])["wrong"] == []
    serial = serial_of(old.certificate)
    crl = tmp_path / "newer.crl"
    crl.write_bytes(_revoking(office, serial, plus(since, 1), 5))
    for name, file in files.items():
        for known, trust in lists.items():
            assert verify(office, file, trust) == (0, []), (name, known)
            assert verify(office, file, trust, "--crl", crl) == (0, []), (name, known)

    # Revoked from before: neither the container that it signed holds, nor an answer of that time.
    crl.write_bytes(_revoking(office, serial, plus(since, -3600), 10))
    for name in ("before", "before, later"):
        assert verify(office, files[name], lists["ended"], "--crl", crl)[0] == 1
    assert verify(office, files["after"], lists["ended"], "--crl", crl) == (0, [])
