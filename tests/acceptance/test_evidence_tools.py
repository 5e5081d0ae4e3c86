"""VERIFY.md of evidence containers, followed to the letter: openssl, sha256sum, xmlsec1, and Python without our program."""

import re
import shutil

import pytest

from adapters.simulators.parties import CIVIL_STATUS, LEGACY, ONE_STOP, POPULATION, PORTAL
from gateway.ledger.record import SignedBy
from tests.support.evidence import Unzipped, bench

pytestmark = pytest.mark.acceptance

LANGUAGES = ["sh", "python", *(["sh xmlsec1"] if shutil.which("xmlsec1") else [])]
EXCHANGES = {
    f"{scheme} {client.subsystem_code}": (client, scheme)
    for scheme in ("http-sig", "jws", "wsse")
    for client in (PORTAL, ONE_STOP, CIVIL_STATUS, POPULATION)
    if (client, scheme) != (ONE_STOP, "wsse")  # XML Signature has no Ed25519
}


def follow(guide):
    """Every command runs and agrees."""
    assert {language for language, _ in guide.blocks} == {"sh", "sh xmlsec1", "python"}
    assert failing(guide) == []


def failing(guide):
    """The commands that do not end well, each with what it said; in the guide's order, as one needs another's files."""
    ran = [(command, guide.run(command, language)) for language, command in guide.blocks if language in LANGUAGES]
    return [(command, each.stdout, each.stderr) for command, each in ran if each.returncode]


@pytest.mark.parametrize(("client", "scheme"), EXCHANGES.values(), ids=EXCHANGES)
def test_an_exchange(tmp_path, client, scheme):
    made = bench("tools")
    follow(Unzipped(tmp_path, made, made.container(made.material(made.exchange(client, scheme)))))


def test_a_hosted_signature_and_an_erased_record(tmp_path):
    made = bench("tools")
    ask = made.ask(LEGACY, key=made.hosted_key(LEGACY))
    asked = made.request(LEGACY, ask, signed_by=SignedBy.HOSTED_KEY)
    (tmp_path / "a").mkdir()
    follow(Unzipped(tmp_path / "a", made, made.container(made.material({"request": (asked, ask)}))))
    (tmp_path / "b").mkdir()
    erased = made.material(made.exchange(PORTAL), keep=lambda _: False)
    follow(Unzipped(tmp_path / "b", made, made.container(erased)))


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
        failed = [command for command, _, _ in failing(guide)]
        assert any("openssl" in command for command in failed), path


def test_the_time_that_openssl_shows_is_the_stamped_one(tmp_path):
    made = bench("tools")
    guide = Unzipped(tmp_path, made, made.container(made.material(made.exchange(PORTAL))))
    (command,) = [each for each in guide.commands("sh") if "log/checkpoint.tsr" in each]
    assert re.search(r"Time stamp: Jan 15 08:01:00 2027 GMT", guide.run(command, "sh").stdout)
