"""VERIFY.md of evidence containers, followed to the letter where our program is not: openssl, sha256sum, xmlsec1, Go with
transparency-dev's libraries, Tessera's fsck over HTTP, and Python with other people's packages.
"""

import base64
import hashlib
import re
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.simulators.parties import CIVIL_STATUS, LEGACY, ONE_STOP, POPULATION, PORTAL
from gateway.ledger.evidence import material_of
from gateway.ledger.evidence_guide import guide as guide_of
from gateway.ledger.evidence_guide_go import CHECKER
from gateway.ledger.note import KeyType
from gateway.ledger.record import SignedBy
from gateway.ledger.witness import cosignature
from gateway.signing.asice import read_container
from tests.support.attacks import world
from tests.support.attesting import authority
from tests.support.cli import auditor, good
from tests.support.evidence import ABSENT, Unzipped, bench, blocks_of
from tests.support.exchanges import Caller, Provider, make_office
from tests.support.gateways import STRANGER, WRITE
from tests.support.ledger import signing_key
from tests.support.log_tools import missing, served
from tests.support.source import ROOT

pytestmark = pytest.mark.acceptance

LANGUAGES = {"sh", "sh xmlsec1", "sh go", "sh go online", "python"}
OFFLINE = LANGUAGES - {"sh go online"}
EXCHANGES = {
    f"{scheme} {client.subsystem_code}": (client, scheme)
    for scheme in ("http-sig", "jws", "wsse")
    for client in (PORTAL, ONE_STOP, CIVIL_STATUS, POPULATION)
    if (client, scheme) != (ONE_STOP, "wsse")  # XML Signature has no Ed25519
}


@pytest.fixture(autouse=True, scope="module")
def _here():
    """What is missing is named, and nothing is left out for it."""
    assert missing("openssl", "xmlsec1", "sha256sum", "go") == []


def failing(guide, languages=OFFLINE, blocks=None):
    """The commands that do not end well, each with what it said; in the guide's order, as one needs another's files."""
    blocks = guide.blocks if blocks is None else blocks
    assert {language for language, _ in blocks} <= LANGUAGES
    ran = [(code, guide.run(code, language)) for language, code in blocks if language in languages]
    return [(code, each.stdout, each.stderr) for code, each in ran if each.returncode]


def follow(folder, made, container, **more):
    """Every command runs and agrees, also those over HTTP. more: of the environment."""
    with served(made.log.files) as url:
        guide = Unzipped(folder, made, container, LOG_URL=url, **more)
        assert {language for language, _ in guide.blocks} == LANGUAGES
        assert failing(guide, LANGUAGES) == []


@pytest.mark.parametrize(("client", "scheme"), EXCHANGES.values(), ids=EXCHANGES)
def test_an_exchange(tmp_path, client, scheme):
    made = bench("tools")
    material = made.material(made.exchange(client, scheme), bodies=("request", "answer"))
    follow(tmp_path, made, made.container(material))


def test_our_program_is_absent(tmp_path):
    made = bench("tools")
    guide = Unzipped(tmp_path, made, made.container(made.material(made.exchange(PORTAL))))
    for name in ABSENT:
        assert guide.run(f"import {name}", "python").returncode
    assert guide.run("command -v motlan", "sh").returncode
    assert guide.run("import cryptography, joserfc, lxml, http_message_signatures", "python").returncode == 0


def test_a_hosted_signature_and_an_erased_record(tmp_path):
    made = bench("tools")
    ask = made.ask(LEGACY, key=made.hosted_key(LEGACY))
    asked = made.request(LEGACY, ask, signed_by=SignedBy.HOSTED_KEY)
    (tmp_path / "a").mkdir()
    follow(tmp_path / "a", made, made.container(made.material({"request": (asked, ask)})))
    (tmp_path / "b").mkdir()
    erased = made.material(made.exchange(PORTAL), keep=lambda _: False)
    follow(tmp_path / "b", made, made.container(erased))


def test_a_container_without_timestamps_while_the_log_goes_on(tmp_path):
    made = bench("tools")
    container = made.container(made.material(made.exchange(PORTAL), stamped=False), stamped=False)
    for _ in range(150):
        made.exchange(PORTAL)
    follow(tmp_path, made, container)


# -- kept samples ------------------------------------------------------------------------------------------------------

SAMPLES = sorted((ROOT / "tests/evidence_samples").glob("v*/*.asice"))


def sampled(folder, file):
    """A kept sample unzipped, and what came with it."""
    keys = sorted(file.parent.glob("*.pub.pem"))
    brought = SimpleNamespace(pki=SimpleNamespace(root=file.parent / "tsa-roots.pem", signer_keys=keys))
    return Unzipped(folder, brought, file.read_bytes())


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_kept_sample_by_its_own_commands_and_by_those_of_today(tmp_path, file):
    guide = sampled(tmp_path, file)
    assert {language for language, _ in guide.blocks} >= {"sh", "sh xmlsec1", "python"}
    assert failing(guide) == []
    stamped = b"SignatureTimeStamp" in (guide.root / "META-INF/signatures.xml").read_bytes()
    files = read_container(file.read_bytes())
    material = material_of({path: data for path, data in files.items() if not path.startswith("META-INF/")})
    assert failing(guide, blocks=blocks_of(guide_of(material, stamped=stamped).decode())) == []


# -- what a running gateway exports ------------------------------------------------------------------------------------

TSA = authority()
TIMESTAMPS = """
[timestamps]
interval_seconds = 1.0
stale_seconds = 60.0
[[timestamps.authorities]]
name = "tsa"
url = "{url}"
roots = "{roots}"
"""


class Stamped(Provider):
    """The provider, and a timestamp authority beside it."""

    async def start(self):
        await super().start()
        self.tsa = TSA.simulator()
        await self.tsa.start()

    async def stop(self):
        await self.tsa.stop()
        await super().stop()


def until(condition):
    """What this gives, as soon as it gives something."""
    for _ in range(400):
        if found := condition():
            return found
        time.sleep(0.05)  # the authority is asked once a second
    raise AssertionError("it never came")


def test_an_exchange_that_a_running_gateway_exports_stamped_and_watched_over_http(tmp_path):
    behind = Stamped()

    def make(folder, backend, **site):
        made = make_office(folder, backend, **site)
        stamps = TIMESTAMPS.format(url=behind.tsa.url, roots=TSA.write_roots(folder))
        made.config.write_text(made.config.read_text() + stamps)
        return made

    with world(tmp_path / "site", provider=behind, make=make) as place:
        log = place.gateway.core.store.log
        answer = Caller(place).post({"identity_number": "031093271828"}, officer="nv.an", case="H24-1").receipt
        refused = Caller(place, STRANGER).post(service=WRITE)
        assert refused.error_code is not None
        until(lambda: (stored := place.run(log.record(answer))).index is not None
              and place.run(log.attestations("timestamp", size=stored.index + 1, limit=1)))  # fmt: skip
        ids = {"exchange": answer, "refusal": refused.receipt}
        for name, record in ids.items():
            folder = tmp_path / name
            folder.mkdir()
            good("evidence", "export", record, *auditor(place.site), "--out", folder / "x.asice")
            brought = SimpleNamespace(pki=SimpleNamespace(root=place.site.folder / "tsa-root.pem",
                                                          signer_keys=place.site.pki.signer_keys))  # fmt: skip
            guide = Unzipped(folder, brought, (folder / "x.asice").read_bytes(), LOG_URL=f"{place.site.url}/log")
            assert {language for language, _ in guide.blocks} == LANGUAGES
            assert failing(guide, LANGUAGES) == []
            place.restart()  # and the log goes on


# -- xmlsec1 -----------------------------------------------------------------------------------------------------------


def xmlsec(guide):
    """Whether xmlsec1 accepts the container, by the guide's command, and what it said."""
    [command] = guide.commands("sh xmlsec1")
    ran = guide.run(command, "sh xmlsec1")
    return ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("signer", [PORTAL, CIVIL_STATUS, POPULATION], ids=["P-256", "P-384", "RSA"])
def test_xmlsec1_reads_every_kind_of_key(tmp_path, signer):
    made = bench("tools")
    key = made.key(signer)
    material = made.material(made.exchange(PORTAL), signer=key.certificate)
    guide = Unzipped(tmp_path, made, made.container(material, key=key))
    accepted, said = xmlsec(guide)
    assert accepted, said
    assert re.search(r"SignedInfo References \(ok/all\): (\d+)/\1\n", said)
    # It is a listed certificate, but no gateway's: that is for section 4 to say.
    assert any("gateway-sign" in code for code, _, _ in failing(guide))


def test_xmlsec1_notices_a_change_of_any_file(tmp_path):
    made = bench("tools")
    guide = Unzipped(tmp_path, made, made.container(made.material(made.exchange(PORTAL), bodies=("request",))))
    files = [each for each in sorted(guide.root.rglob("*")) if each.is_file()]
    assert xmlsec(guide)[0]
    for file in files:
        # The mimetype and the manifest are the container's own; the certificates that it trusts must be read to begin with.
        if file.name in {"mimetype", "manifest.xml"}:
            continue
        good = file.read_bytes()
        bad = bytearray(good)
        bad[len(bad) // 2] ^= 1
        file.write_bytes(bad)
        assert not xmlsec(guide)[0], file
        file.write_bytes(good)
    assert xmlsec(guide)[0]


def test_xmlsec1_needs_a_certificate_of_those_authorities(tmp_path):
    made = bench("tools")
    guide = Unzipped(tmp_path, made, made.container(made.material(made.exchange(PORTAL))))
    [command] = guide.commands("sh xmlsec1")
    alone = re.sub(r"--trusted-pem \S+ ", "", command)
    assert guide.run(alone, "sh").returncode
    late = re.sub(r"-gmt-time '\d{4}", "-gmt-time '2099", command)
    assert late != command
    assert guide.run(late, "sh").returncode


def resigned(guide, key_info, signing):
    """The container's signature made again by a stranger, over the files as they are now."""
    file = guide.root / "META-INF/signatures.xml"
    text = file.read_text()
    text = re.sub(r"<ds:KeyInfo.*?</ds:KeyInfo>", f"<ds:KeyInfo>{key_info}</ds:KeyInfo>", text, flags=re.DOTALL)
    text = re.sub(r"(<ds:SignatureValue[^>]*>)[^<]*", r"\1", text)
    text = re.sub(r"<ds:DigestValue>[^<]*", "<ds:DigestValue>", text)
    file.write_text(text)
    ids = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
    command = f"xmlsec1 --sign {signing} --id-attr:Id {ids} --output $TMPDIR/new.xml META-INF/signatures.xml"
    ran = guide.run(f"{command} && mv $TMPDIR/new.xml META-INF/signatures.xml", "sh")
    assert ran.returncode == 0, ran.stderr


def test_a_bare_key_in_the_file_is_not_believed(tmp_path):
    made = bench("tools")
    guide = Unzipped(tmp_path, made, made.container(made.material(made.exchange(PORTAL))))
    (guide.root / "decision.json").write_bytes(b"{}")
    key = guide.scratch / "stranger.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    signature = guide.root / "META-INF/signatures.xml"
    signature.write_text(signature.read_text().replace("#ecdsa-sha256", "#rsa-sha256"))
    resigned(guide, "<ds:KeyValue/>", f"--privkey-pem {key}")
    [command] = guide.commands("sh xmlsec1")
    # xmlsec1 would take it if it was not told which keys count.
    assert guide.run(command.replace("--enabled-key-data x509 ", ""), "sh").returncode == 0
    assert not xmlsec(guide)[0]


def test_another_party_of_the_same_authorities_cannot_sign_for_the_gateway(tmp_path):
    made = bench("tools")
    guide = Unzipped(tmp_path, made, made.container(made.material(made.exchange(PORTAL))))
    (guide.root / "decision.json").write_bytes(b"{}")
    identity = made.pki.identities[PORTAL]
    resigned(guide, "<ds:X509Data/>", f"--privkey-pem {identity.key},{identity.certificate}")
    failed = [code for code, _, _ in failing(guide, {"sh xmlsec1", "python"})]
    assert any("gateway-sign" in code for code in failed)


# -- openssl -----------------------------------------------------------------------------------------------------------


def test_openssl_notices_what_was_changed(tmp_path):
    made = bench("tools")
    container = made.container(made.material(made.exchange(PORTAL)))
    for number, path in enumerate(("log/checkpoint", "messages/request-signature.base", "certificates/crls.pem")):
        folder = tmp_path / str(number)
        folder.mkdir()
        guide = Unzipped(folder, made, container)
        file = guide.root / path
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        failed = [command for command, _, _ in failing(guide, {"sh"})]
        assert any("openssl" in command for command in failed), path


def test_the_time_that_openssl_shows_is_the_stamped_one(tmp_path):
    made = bench("tools")
    guide = Unzipped(tmp_path, made, made.container(made.material(made.exchange(PORTAL))))
    (command,) = [each for each in guide.commands("sh") if "log/checkpoint.tsr" in each]
    assert re.search(r"Time stamp: Jan 15 08:01:00 2027 GMT", guide.run(command, "sh").stdout)


# -- the log -----------------------------------------------------------------------------------------------------------


def test_the_log_tools_notice_what_was_changed(tmp_path):
    made = bench("tools")
    container = made.container(made.material(made.exchange(PORTAL)))
    honest = dict(made.log.files)
    entries = max(path for path in honest if path.startswith("tile/entries/000"))
    edited = bytes([*honest[entries][:20], honest[entries][20] ^ 1, *honest[entries][21:]])
    with served(honest | {entries: edited}) as url:
        guide = Unzipped(tmp_path, made, container, LOG_URL=url)
        [built] = guide.commands("sh go")
        assert guide.run(built, "sh go").returncode == 0
        ran = guide.run(guide.commands("sh go online")[0], "sh go online")
        assert ran.returncode
        assert "fsck failed" in ran.stdout
    receipt = guide.root / "records/request.tlog-proof"
    lines = receipt.read_bytes().split(b"\n")
    lines[1] = b"extra " + base64.b64encode(
        base64.b64decode(lines[1][6:]).replace(b"FOUND", b"FOUNE").replace(b"H24", b"H25")
    )
    receipt.write_bytes(b"\n".join(lines))
    ran = guide.run(built, "sh go")
    assert ran.returncode
    assert "NOT VERIFIED" in ran.stderr


def test_witnesses_that_the_reader_knows_are_named(tmp_path):
    made = bench("tools")
    exchange = made.exchange(PORTAL)
    key, sign = signing_key("w", "witness.example/w", KeyType.COSIGNATURE)
    stranger, _ = signing_key("x", "witness.example/x", KeyType.COSIGNATURE)
    note = made.log.files["checkpoint"]
    made.log.files["checkpoint"] = note + cosignature(note, key, sign, 1_800_000_000)
    container = made.container(made.material(exchange))
    known = tmp_path / "witnesses"
    known.write_text(f"{key.encode()}\n{stranger.encode()}\n")
    (tmp_path / "a").mkdir()
    follow(tmp_path / "a", made, container, WITNESSES=str(known))
    (tmp_path / "b").mkdir()
    guide = Unzipped(tmp_path / "b", made, container, WITNESSES=str(known))
    [command] = guide.commands("sh go")
    said = guide.run(command, "sh go").stdout
    assert said.count("cosigned by witness.example/w at 2027-01-15T08:00:00Z") == 2
    assert "witness.example/x" not in said


def test_the_page_and_the_guide_name_the_same_checker():
    assert CHECKER in (ROOT / "docs/log.md").read_text()


def test_the_sample_program_with_its_pinned_modules_builds(tmp_path):
    folder = Path(ROOT / "docs/samples/receipts")
    before = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    ran = subprocess.run(
        ["go", "build", "-mod=readonly", "-o", tmp_path / "receipts", "."],
        cwd=folder, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()} == before
