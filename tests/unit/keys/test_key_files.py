"""Private keys in files: who may read them, what fits together."""

import os

import pytest

from adapters.simulators import parties
from gateway.keys.file import (
    load_certificates,
    load_private_key,
    load_public_key,
    load_signing_key,
    write_private_key,
)
from gateway.keys.issue import KeyKind, new_key
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import KEY_FILE_UNUSABLE
from gateway.signing.algorithms import PublicKey
from gateway.trust.jws import signer_key
from tests.support import pki as support

PKI = support.shared()


def refusal(function, *arguments, **named):
    with pytest.raises(ExchangeError) as refused:
        function(*arguments, **named)
    assert refused.value.kind is KEY_FILE_UNUSABLE
    return refused.value.detail


@pytest.mark.parametrize("subsystem", list(PKI.identities), ids=str)
def test_a_key_signs_what_its_certificate_verifies(subsystem):
    key = support.signing_key(PKI, subsystem)
    public = PublicKey.from_certificate(key.certificate)
    public.verify(key.sign(b"text"), b"text")
    assert (public.keyid, public.algorithm) == (key.keyid, key.algorithm)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o777])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    file = tmp_path / "key.pem"
    write_private_key(file, new_key())
    file.chmod(mode)
    assert "chmod 600" in refusal(load_private_key, file)
    file.chmod(0o400)
    load_private_key(file)


def test_a_written_key_is_its_owners_only_and_never_replaced(tmp_path):
    file = tmp_path / "key.pem"
    before = os.umask(0)
    try:
        write_private_key(file, new_key())
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_private_key(file, new_key())


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_passphrase_protects_and_opens(tmp_path, kind):
    file, key = tmp_path / "key.pem", new_key(kind)
    write_private_key(file, key, passphrase="một hai ba")
    assert b"ENCRYPTED" in file.read_bytes()
    opened = load_private_key(file, passphrase="một hai ba")
    assert signer_key(opened) == signer_key(key)
    for wrong in (None, "mot hai ba"):
        assert "một" not in refusal(load_private_key, file, passphrase=wrong)


def test_files_that_are_no_keys_say_so(tmp_path):
    nothing = tmp_path / "nothing.pem"
    assert "No such file" in refusal(load_private_key, nothing)
    nothing.write_text("hello")
    nothing.chmod(0o600)
    assert "no unencrypted private key" in refusal(load_private_key, nothing)
    assert "no certificate" in refusal(load_certificates, nothing)
    assert "no public key" in refusal(load_public_key, nothing)


def test_a_certificate_of_another_key_is_refused():
    mine, theirs = PKI.identities[parties.PORTAL], PKI.identities[parties.UNGRANTED]
    assert "is not the certificate of" in refusal(load_signing_key, mine.key, theirs.certificate)


def test_a_tls_file_brings_its_chain():
    identity = PKI.identities[parties.PORTAL]
    assert len(load_certificates(identity.tls_certificate)) == 2
    assert len(load_signing_key(identity.tls_key, identity.tls_certificate).chain) == 1


def test_public_keys_are_read_as_the_trust_list_holds_them():
    assert load_public_key(PKI.signer_keys[0]) == signer_key(load_private_key(PKI.signers[0]))


def test_no_key_material_in_a_representation():
    key = support.signing_key(PKI, parties.PORTAL)
    assert "PRIVATE" not in repr(key)
    assert "0x" in repr(key)
