"""VERIFY.md, followed with other people's Python packages alone; its openssl, xmlsec1 and Go commands are acceptance tests
(tests/acceptance/test_evidence_tools.py).
"""

import ast
import json
import os
import shlex
import time
from pathlib import Path

import pytest
import xmlsec
from lxml import etree

from adapters.simulators.parties import CIVIL_STATUS, DEMO, ONE_STOP, POPULATION, PORTAL
from adapters.simulators.pki import make
from gateway.ledger.evidence_guide_go import MODULES, PROGRAM
from gateway.model.instant import from_seconds, to_datetime
from tests.support.evidence import Bench, Unzipped, bench, usual
from tests.support.source import ROOT

SORTS = {
    "http-sig P-256": (PORTAL, "http-sig"),
    "http-sig Ed25519": (ONE_STOP, "http-sig"),
    "jws P-384": (CIVIL_STATUS, "jws"),
    "jws RSA": (POPULATION, "jws"),
    "wsse RSA": (POPULATION, "wsse"),
}


def unzipped(folder, client, scheme):
    made = bench("guide")
    return Unzipped(folder, made, made.container(made.material(made.exchange(client, scheme))))


@pytest.mark.parametrize(("client", "scheme"), SORTS.values(), ids=SORTS)
def test_every_piece_of_python_in_it_runs_and_agrees(tmp_path, client, scheme):
    guide = unzipped(tmp_path, client, scheme)
    pieces = guide.commands("python")
    assert len(pieces) >= 3
    for piece in pieces:
        ran = guide.run(piece, "python")
        assert ran.returncode == 0, (piece, ran.stderr)
        imported = {
            name.partition(".")[0]
            for node in ast.walk(ast.parse(piece))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
        }
        assert not imported & {"gateway", "adapters", "motlan"}


CHANGES = {
    "records/answer.tlog-proof": "records",
    "records/request.skeleton.json": "records",
    "messages/request-signature.base": "messages",
    "messages/answer-signature.signature": "messages",
}


@pytest.mark.parametrize("path", CHANGES)
def test_what_was_changed_is_noticed_by_those_commands_too(tmp_path, path):
    made, _, container = usual()
    guide = Unzipped(tmp_path, made, container)
    file = guide.root / path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert any(guide.run(piece, "python").returncode for piece in guide.commands("python"))


def test_a_trust_list_of_other_signers_is_noticed(tmp_path):
    made, _, container = usual()
    guide = Unzipped(tmp_path, made, container)
    for file in guide.scratch.parent.glob("brought/*.pub.pem"):
        file.write_bytes(made.pki.role_keys["auditor"].with_name("auditor.pub.pem").read_bytes())
    (piece,) = [each for each in guide.commands("python") if "required" in each]
    assert "AssertionError" in guide.run(piece, "python").stderr


def failing(guide):
    """The pieces that do not end well."""
    return [piece for piece in guide.commands("python") if guide.run(piece, "python").returncode]


def test_a_signer_that_signed_a_list_twice_counts_once(tmp_path):
    made, _, container = usual()
    guide = Unzipped(tmp_path, made, container)
    (file,) = guide.root.glob("trust/*.jws")
    signed = json.loads(file.read_bytes())
    signed["signatures"] = signed["signatures"][:1] * 2
    file.write_text(json.dumps(signed))
    (failed,) = failing(guide)
    assert "signed_by" in failed


def test_how_many_must_sign_is_the_readers_to_say(tmp_path):
    made, _, container = usual()
    guide = Unzipped(tmp_path, made, container, REQUIRED="3")
    (failed,) = failing(guide)
    assert "signed_by" in failed


def test_a_reader_who_does_not_say_how_many_is_told_to(tmp_path):
    made, _, container = usual()
    guide = Unzipped(tmp_path, made, container, REQUIRED="")
    asked = guide.run(guide.commands("sh")[0], "sh")
    assert asked.returncode != 0
    assert "REQUIRED: set it" in asked.stderr


def test_a_signature_of_another_message_is_noticed(tmp_path):
    """It is the caller's own, and good; but not of the message that the record is about."""
    made, _, container = usual()
    guide = Unzipped(tmp_path, made, container)
    for sort in ("base", "signature", "der"):
        good = guide.root / f"messages/answer-signature.{sort}"
        (guide.root / f"messages/request-signature.{sort}").write_bytes(good.read_bytes())
    assert any("messages/{role}" in piece for piece in failing(guide))


def test_another_body_is_noticed(tmp_path):
    made = bench("guide")
    for number, scheme in enumerate(("http-sig", "wsse")):
        folder = tmp_path / str(number)
        folder.mkdir()
        material = made.material(made.exchange(PORTAL, scheme), bodies=("request", "answer"))
        guide = Unzipped(folder, made, made.container(material))
        assert failing(guide) == []
        body = guide.root / "messages/answer.body"
        body.write_bytes(body.read_bytes().replace(b"answer", b"another").replace(b"full_name", b"other_name"))
        (failed,) = failing(guide)
        assert "body_sha256" in failed


@pytest.mark.parametrize("path", ["certificates/authorities.pem", "certificates/authority-1.pem", "log/log.vkey"])
def test_what_no_trust_list_names_is_noticed(tmp_path, path):
    made, _, container = usual()
    guide = Unzipped(tmp_path, made, container)
    other = guide.root / f"certificates/{made.key(PORTAL).keyid}.pem"
    stranger = other.read_bytes() if path.endswith(".pem") else b"other.example+00000000+AAAA\n"
    (guide.root / path).write_bytes(stranger)
    assert any("no list names" in piece for piece in failing(guide))


def test_the_go_program_is_the_one_in_the_samples():
    folder = ROOT / "docs/samples/receipts"
    assert (folder / "main.go").read_text() == PROGRAM
    required = (folder / "go.mod").read_text()
    assert all(module.replace("@", " ") in required for module in MODULES)


def test_the_xmlsec_command_as_the_library_behind_it_understands_it(tmp_path):
    """``xmlsec1 --verify --trusted-pem … --verification-gmt-time … --id-attr:Id …``: the signature's key comes out of
    KeyInfo, its certificate leads to a trusted one, and the references are the files. Of now, since the library's Python
    binding cannot set the time.
    """
    now = from_seconds(int(time.time()))
    made = Bench(make(tmp_path / "pki", DEMO, now=now), now)
    material = made.material(made.exchange(PORTAL), made=now)
    guide = Unzipped(tmp_path, made, made.container(material))
    (command,) = guide.commands("sh xmlsec1")
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:2] == ["xmlsec1", "--verify"]
    assert words[words.index("--verification-gmt-time") + 1] == f"{to_datetime(now):%Y-%m-%d %H:%M:%S}"
    trusted = [words[index + 1] for index, word in enumerate(words) if word == "--trusted-pem"]
    namespace, _, name = words[words.index("--id-attr:Id") + 1].rpartition(":")
    assert _verified(guide.root, words[-1], trusted, f"{{{namespace}}}{name}")
    assert not _verified(guide.root, words[-1], [], f"{{{namespace}}}{name}")
    (guide.root / "decision.json").write_bytes(b"{}")
    assert not _verified(guide.root, words[-1], trusted, f"{{{namespace}}}{name}")


def _verified(root, file, trusted, name):
    manager = xmlsec.KeysManager()
    for certificate in trusted:
        manager.load_cert(str(root / certificate), xmlsec.KeyFormat.CERT_PEM, xmlsec.constants.KeyDataTypeTrusted)
    document = etree.parse(str(root / file)).getroot()
    (node,) = document.iter(name)
    xmlsec.tree.add_ids(node, ["Id"])
    before = Path.cwd()
    os.chdir(root)
    try:
        xmlsec.SignatureContext(manager).verify(xmlsec.tree.find_node(document, "Signature"))
    except xmlsec.Error:
        return False
    finally:
        os.chdir(before)
    return True
