"""A large envelope is looked at before it is parsed: without a listed key nobody makes us read all of it."""

import time

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors import wsse as kinds
from gateway.model.errors.signature import (
    SIGNATURE_EXPIRED,
    SIGNATURE_INVALID,
    SIGNATURE_MISSING,
    SIGNATURE_NOT_YET_VALID,
)
from gateway.model.errors.soap import INVALID_SOAP, INVALID_XML, ROOT_TOO_LARGE
from gateway.model.errors.trust import UNKNOWN_KEY
from gateway.model.instant import plus
from gateway.signing.wsse_glance import glance, is_worth_a_glance
from gateway.signing.wsse_names import SOAP11
from gateway.signing.wsse_sign import sign_envelope
from tests.support import wsse as w

LISTED = w.keys()
OPENED = b"<s:Envelope xmlns:s='" + SOAP11.encode() + b"' "
KEYS = {each.keyid: w.public(each) for each in LISTED}


def signed(signer=None, more=b""):
    """An envelope of more than 64 KiB."""
    data = sign_envelope(w.envelope(), key=signer or w.key(), now=w.NOW).envelope
    end = data.rindex(b"</")
    return data[:end] + b" " * 70_000 + more + data[end:]


def refused(data, *, now=w.NOW, keys=None):
    with pytest.raises(ExchangeError) as caught:
        glance(data, w.store(), KEYS if keys is None else keys, now)
    return caught.value.kind


@pytest.mark.parametrize(
    "signer", [each for each in LISTED if each.algorithm != "ed25519"], ids=lambda each: each.algorithm
)
def test_what_a_listed_key_signed_passes(signer):
    data = signed(signer)
    assert is_worth_a_glance(data)
    glance(data, w.store(), KEYS, w.NOW)
    glance(b'\xef\xbb\xbf<?xml version="1.0"?><!-- x -->' + data, w.store(), KEYS, w.NOW)


def test_small_ones_are_parsed_at_once():
    assert not is_worth_a_glance(w.envelope())
    assert is_worth_a_glance(b"x" * 65_537)


def test_what_is_behind_the_header_is_not_read():
    """It is when the signature was one."""
    glance(signed(more=b"<not & xml" * 10_000), w.store(), KEYS, w.NOW)


def test_what_nobody_signed():
    data = signed()
    value = data.partition(b"<ds:SignatureValue>")[2][:20]
    assert refused(data.replace(value, b"A" * 20, 1)) == SIGNATURE_INVALID
    assert refused(data.replace(b"DigestValue>", b"DigestValue>AAAA", 1)) in {
        SIGNATURE_INVALID,
        kinds.SECURITY_MALFORMED,
    }
    assert refused(w.envelope() + b" " * 70_000) == SIGNATURE_MISSING
    assert refused(b"<a/>" + b" " * 70_000) == ROOT_TOO_LARGE
    assert refused(signed(), keys={}) == SIGNATURE_INVALID


def test_a_key_that_is_not_listed():
    assert refused(signed(w.gateway_key())) in {UNKNOWN_KEY, SIGNATURE_INVALID}


def test_another_time_than_the_signed_one():
    data = signed()
    assert refused(data, now=plus(w.NOW, 400)) == SIGNATURE_EXPIRED
    assert refused(data, now=plus(w.NOW, -400)) == SIGNATURE_NOT_YET_VALID
    created = data.partition(b"Created>")[2][:19]
    later = created[:-2] + (b"00" if created[-2:] != b"00" else b"01")
    assert refused(data.replace(created, later, 1)) == kinds.SECURITY_DIGEST_MISMATCH


def test_a_timestamp_that_was_not_signed():
    data = signed()
    identifier = data.partition(b":Timestamp")[2].partition(b'Id="')[2].partition(b'"')[0]
    assert refused(data.replace(b'"' + identifier + b'"', b'"another"', 1)) == kinds.SECURITY_COVER_INCOMPLETE


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", kinds.XML_FORBIDDEN),
        (b"<?pi?><a/>", kinds.XML_FORBIDDEN),
        (b"<a><b></a>", INVALID_XML),
        (OPENED + b" ".join(b"x%d='1'" % number for number in range(2000)) + b"><s:Header/>", kinds.XML_TOO_COMPLEX),
        (OPENED + b"><s:Header/>", SIGNATURE_MISSING),
        (OPENED + b"><s:Body/>", SIGNATURE_MISSING),
        (OPENED + b"><a><s:Header/></a>", ROOT_TOO_LARGE),
        (OPENED.replace(b"Envelope", b"Letter") + b"><s:Header/>", INVALID_SOAP),
        (b"<a>" * 300, INVALID_XML),
        (b"x", INVALID_XML),
    ],
)
def test_the_beginning_is_held_to_the_same_rules(head, kind):
    assert refused(head + b" " * 70_000) == kind


@pytest.mark.parametrize(
    "flood",
    [b"<a/>", b"<a Id='1'/>", b"<a xmlns:b='c'/>", b"<a b='>'/>", b"&lt;"],
    ids=["tags", "ids", "ns", "gt", "lt"],
)
def test_a_megabyte_of_a_stranger_costs_little(flood):
    """Reading all of it takes some hundred times as long."""
    data = signed(more=flood * (1_000_000 // len(flood)))
    data = data.replace(data.partition(b"<ds:SignatureValue>")[2][:20], b"A" * 20, 1)
    in_header = data.replace(b"Header>", b"Header>" + flood * (1_000_000 // len(flood)), 1)
    for each, kind in ((data, SIGNATURE_INVALID), (in_header, ROOT_TOO_LARGE)):
        best = 1.0
        for _ in range(5):
            start = time.thread_time()
            assert refused(each) == kind
            best = min(best, time.thread_time() - start)
        assert best < 0.02
