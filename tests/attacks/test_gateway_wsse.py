"""WS-Security under attack at a real gateway: each attack is refused by its name, and nothing of it is forwarded.

What the verifier says of each by itself is in ``test_wsse_wrapping``; here the whole gateway is in the way: what its
codec reads, what the signature proves, what is recorded, and what goes to the provider.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.model.instant import plus
from gateway.signing.wsse_names import DS, SOAP11, SOAP12, SWA_CONTENT, WSSE
from tests.support import wsse as w
from tests.support.attacks import World
from tests.support.gateways import BASIS, OTHER, PORTAL, PROVIDER, PURPOSE
from tests.support.soap_attacks import (
    BLOCK_REFS,
    BODY_REF,
    EVIL,
    EVIL_BODY,
    NUMBER,
    REFS,
    TIME_REF,
    WRAPPER,
    Change,
    accepted,
    blocks,
    body,
    changed,
    crafted,
    cut,
    document,
    into_header,
    message_id,
    refused,
    send,
    signature,
    swapped,
    to_nowhere,
    unsigned,
    value_of,
    whole,
)
from tests.support.soap_office import NS, body_of, soap_office, told
from tests.support.wsse import Ref
from tests.support.xroad_soap import XROAD

TOTAL = 50


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with soap_office(tmp_path_factory.mktemp("site"), extra="[capacity]\nrefusals_per_minute = 100000\n") as made:
        yield made


@pytest.fixture(autouse=True)
def _usual(place: World) -> None:
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">ok</a:archiveResponse>')


CLASSIC: dict[str, tuple[Change, str]] = {
    "1 signed Body in an unknown header": (
        lambda t: swapped(t, lambda r: into_header(r, WRAPPER.format("@SIGNED@"))),
        "client.security_reference",
    ),
    "2 the same, and the new Body has its id": (
        lambda t: swapped(t, lambda r: into_header(r, WRAPPER.format("@SIGNED@"))).replace('"evil"', '"body"'),
        "client.security_id_duplicate",
    ),
    "3 signed Body beside the new one's child": (
        lambda t: t.replace(body(t), EVIL_BODY.replace("</s:Body>", WRAPPER.format(body(t)) + "</s:Body>")),
        "client.invalid_soap",
    ),
    "4 signed Body in the new one's child": (
        lambda t: t.replace(body(t), EVIL_BODY.replace("</a:archive>", body(t) + "</a:archive>")),
        "client.security_reference",
    ),
    "5 signed Body in Security": (
        lambda t: swapped(t, lambda r: r.replace("</wsse:Security>", "@SIGNED@</wsse:Security>")),
        "client.security_malformed",
    ),
    "6 signed Body in an Object of the Signature": (
        lambda t: swapped(t, lambda r: r.replace("</ds:Signature>", "<ds:Object>@SIGNED@</ds:Object></ds:Signature>")),
        "client.security_malformed",
    ),
    "7 the new Body first, the signed one behind": (
        lambda t: t.replace(body(t), EVIL_BODY + body(t)),
        "client.invalid_soap",
    ),
    "8 signed Timestamp in a header, a fresh one in its place": (
        lambda t: into_header(
            t.replace(cut(t, "wsu:Timestamp"), cut(t, "wsu:Timestamp").replace('"time"', '"new"')),
            WRAPPER.format(cut(t, "wsu:Timestamp")),
        ),
        "client.security_reference",
    ),
}


@pytest.mark.parametrize("name", CLASSIC)
def test_the_eight_classic_wrappings(place: World, name: str) -> None:
    change, code = CLASSIC[name]
    right = crafted(place)
    attack = change(right)
    assert attack != right
    assert NUMBER in attack  # what was signed is still there
    refused(place, attack, code)
    accepted(place, right, confirms=value_of(right))  # and the attack did not use it up


INCOMPLETE, DIGEST = "client.security_cover_incomplete", "client.security_digest_mismatch"
TWICE, UNREADABLE = "client.duplicate_header_field", "client.invalid_xml"

CHANGED: dict[str, tuple[Change, str]] = {
    "the new Body behind the signed one": (lambda t: t.replace(body(t), body(t) + EVIL_BODY), "client.invalid_soap"),
    "two children of Body": (lambda t: t.replace("</s:Body>", EVIL + "</s:Body>"), "client.invalid_soap"),
    "two Signatures": (lambda t: t.replace(cut(t, "ds:Signature "), ""), "client.security_missing"),
    "two Security headers": (lambda t: t.replace(whole(t), whole(t) * 2), TWICE),
    "a Security header for another actor": (
        lambda t: t.replace(whole(t), whole(t) + f'<wsse:Security xmlns:wsse="{WSSE}" s:actor="urn:other"/>'),
        TWICE,
    ),
    "Security in another block": (lambda t: t.replace(whole(t), WRAPPER.format(whole(t))), "client.signature_missing"),
    "Security in Body": (
        lambda t: t.replace(whole(t), "").replace("<number>", whole(t) + "<number>"),
        "client.signature_missing",
    ),
    "no Security": (lambda t: t.replace(whole(t), ""), "client.signature_missing"),
    "no Timestamp": (lambda t: t.replace(cut(t, "wsu:Timestamp"), ""), "client.security_missing"),
    "an officer that nobody signed": (unsigned(f'<x:userId xmlns:x="{XROAD}">boss</x:userId>'), INCOMPLETE),
    "a case that nobody signed": (unsigned(f'<x:issue xmlns:x="{XROAD}">1</x:issue>'), INCOMPLETE),
    "a party that nobody signed": (
        unsigned('<r:representedParty xmlns:r="http://x-road.eu/xsd/representation.xsd"><r:partyCode>1</r:partyCode></r:representedParty>'),
        INCOMPLETE,
    ),
    "an address that nobody signed": (
        unsigned('<a:To xmlns:a="http://www.w3.org/2005/08/addressing">urn:other</a:To>'),
        INCOMPLETE,
    ),
    "a second purpose": (unsigned('<m:purpose xmlns:m="urn:motlan:soap:v1">9</m:purpose>'), TWICE),
    "a second client": (lambda t: into_header(t, cut(t, "x:client").replace(' wsu:Id="client"', "")), TWICE),
    "another purpose": (changed(f">{PURPOSE}<", ">9.999<"), DIGEST),
    "another basis": (changed(f'basis="{BASIS}"', 'basis="none"'), DIGEST),
    "another number": (changed(NUMBER, "001090000002"), DIGEST),
    "an actor on the purpose": (changed("<m:purpose ", '<m:purpose s:actor="urn:other" '), DIGEST),
    "a role that hides the purpose": (changed("<m:purpose ", '<m:purpose s:mustUnderstand="0" '), DIGEST),
    "a prefix that means another namespace": (changed(f'xmlns:a="{NS}"', 'xmlns:a="urn:evil"'), DIGEST),
    "a default namespace inside": (changed("<number>", '<number xmlns="urn:evil">'), DIGEST),
    "Body's id on a number": (changed("<number>", '<number Id="body">'), "client.security_id_duplicate"),
    "Body's id on a number, as xml:id": (changed("<number>", '<number xml:id="body">'), "client.security_id_duplicate"),
    "Body's id on another header": (unsigned('<w:x xmlns:w="urn:w" wsu:Id="body"/>'), "client.security_id_duplicate"),
    "the other SOAP": (lambda t: t.replace(SOAP11, SOAP12), "client.invalid_soap"),
    "a DOCTYPE": (lambda t: "<!DOCTYPE x>" + t, UNREADABLE),
    "an entity": (changed(NUMBER, "&number;"), UNREADABLE),
    "a processing instruction": (changed("<number>", "<?x y?><number>"), UNREADABLE),
    "XInclude": (
        changed("<number>", '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/><number>'),
        UNREADABLE,
    ),
    "schemaLocation": (
        changed("<number>", '<number xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:a http://127.0.0.1:1/">'),
        UNREADABLE,
    ),
    **{
        f"declared as {charset}": (lambda t, c=charset: f'<?xml version="1.0" encoding="{c}"?>{t}', UNREADABLE)
        for charset in ("UTF-16", "UTF-7", "cp037", "ISO-8859-1", "windows-1258", "rot13")
    },
    "a byte order mark and another charset": (
        lambda t: '\ufeff<?xml version="1.0" encoding="ISO-8859-1"?>' + t,
        UNREADABLE,
    ),
    "XML 1.1": (lambda t: '<?xml version="1.1"?>' + t, UNREADABLE),
}  # fmt: skip


CHANGED["two Signatures"] = (lambda t: t.replace(signature(t), signature(t) * 2), "client.security_ambiguous")


@pytest.mark.parametrize("name", CHANGED)
def test_a_message_changed_on_its_way(place: World, name: str) -> None:
    change, code = CHANGED[name]
    right = crafted(place)
    attack = change(right)
    assert attack != right
    refused(place, attack, code)


def test_utf_16_is_not_what_was_signed(place: World) -> None:
    refused(place, crafted(place).encode("utf-16"), "client.invalid_xml", content_type="text/xml")


XSLT = (
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet'
    ' xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/></ds:Transform>'
)
STR = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"


def transformed(text: str) -> tuple[Ref, ...]:
    return tuple(ref._replace(transforms=text) if ref.uri == "#body" else ref for ref in REFS)


PROFILE = {
    "an unsigned Body": ({"refs": (*BLOCK_REFS, TIME_REF)}, INCOMPLETE),
    "an unsigned Timestamp": ({"refs": (*BLOCK_REFS, BODY_REF)}, INCOMPLETE),
    "an unsigned client": ({"refs": REFS[1:]}, INCOMPLETE),
    "an unsigned purpose": ({"refs": [ref for ref in REFS if ref.uri != "#purpose"]}, INCOMPLETE),
    "SHA-1 digests": (
        {"refs": [ref._replace(digest=f"{DS}sha1") for ref in REFS]},
        "client.security_algorithm",
    ),
    "RSA with SHA-1": ({"method": f"{DS}rsa-sha1"}, "client.security_algorithm"),
    "HMAC": ({"method": f"{w.MORE}hmac-sha256"}, "client.security_algorithm"),
    "XSLT": ({"refs": transformed(XSLT)}, "client.security_transform"),
    "STR-Transform": ({"refs": transformed(f'<ds:Transform Algorithm="{STR}"/>')}, "client.security_transform"),
    "a transform of their own": (
        {"refs": transformed('<ds:Transform Algorithm="urn:mine"/>')},
        "client.security_transform",
    ),
    "a reference outside": (
        {"refs": (*REFS, w.Ref("http://127.0.0.1:1/", octets=b""))},
        "client.security_reference",
    ),
    "an empty reference": ({"refs": (*REFS, w.Ref("", octets=b""))}, "client.security_reference"),
    "an attachment that is not there": (
        {"refs": (*REFS, w.Ref("cid:a", octets=b"x", transforms=f'<ds:Transform Algorithm="{SWA_CONTENT}"/>'))},
        "client.attachment_missing",
    ),
}


@pytest.mark.parametrize("name", PROFILE)
def test_a_right_signature_that_is_not_enough(place: World, name: str) -> None:
    how, code = PROFILE[name]
    text = crafted(place, **how)
    recorded = code == "client.attachment_missing"  # the caller is proved by then
    refused(place, text, code, recorded=recorded, confirms=value_of(text) if recorded else None)


def test_a_certificate_swapped_in_the_token(place: World) -> None:
    right = crafted(place)
    mine, theirs = (w.token(place.key(each).certificate) for each in (PORTAL, PROVIDER))
    assert mine in right
    refused(place, right.replace(mine, theirs), "client.key_of_another_subsystem")
    other = crafted(place, signer=place.key(PROVIDER), method=place.key(PROVIDER).xml_algorithm)
    refused(place, other, "client.key_of_another_subsystem")
    gateway = place.gateway.pipeline._parts.sealer._key.certificate
    refused(place, right.replace(mine, w.token(gateway)), "client.unknown_key")


def test_a_signature_of_one_for_a_call_of_another(place: World) -> None:
    """Every block is signed, by somebody who is not the client that they name."""
    text = crafted(place, document(header=blocks(client=OTHER)))
    refused(place, text, "client.key_of_another_subsystem")


# -- what is signed is what is read --------------------------------------------------------------------------------


READ_THE_SAME: dict[str, Change] = {
    "a comment in the number": changed("001090", "0010<!-- 9 -->90"),
    "CDATA in the number": changed(NUMBER, f"<![CDATA[{NUMBER[:6]}]]>{NUMBER[6:]}"),
    "a character reference": changed(NUMBER, f"&#48;{NUMBER[1:]}"),
    "a comment in the purpose": changed(f">{PURPOSE}<", f">{PURPOSE[:4]}<!---->{PURPOSE[4:]}<"),
    "CDATA in the purpose": changed(f">{PURPOSE}<", f"><![CDATA[{PURPOSE}]]><"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "a block that means nothing": unsigned('<w:trace xmlns:w="urn:w" wsu:Id="trace">x</w:trace>'),
    "what Envelope says of namespaces": changed("<s:Envelope ", '<s:Envelope xmlns:q="urn:q" xml:base="http://e/" '),
}


@pytest.mark.parametrize("name", READ_THE_SAME)
def test_what_canonical_form_drops_changes_nothing(place: World, name: str) -> None:
    right = crafted(place)
    text = READ_THE_SAME[name](right)
    assert text != right
    answer = accepted(place, text, confirms=value_of(text))
    sent = body_of(place.provider.last).decode()
    assert f"<number>{NUMBER}</number>" in sent
    assert f">{PURPOSE}</m:purpose>" in sent
    assert "trace" not in sent
    assert "trace" not in answer.body.decode()


# -- once ----------------------------------------------------------------------------------------------------------


def test_a_message_is_taken_once_wherever_it_goes(place: World) -> None:
    text = crafted(place)
    accepted(place, text, confirms=value_of(text))
    for target in ("/soap", "/", f"{place.site.url}/xroad-endpoint", f"https://localhost:{place.site.port}/soap"):
        refused(place, text, "client.replayed_nonce", recorded=True, confirms=value_of(text), target=target)


@pytest.mark.parametrize(
    "disguise",
    [
        unsigned('<w:trace xmlns:w="urn:w">other</w:trace>'),
        changed("001090", "0010<!-- -->90"),
        changed("<s:Header>", "<s:Header>\n"),
        lambda text: text.replace("<ds:SignatureValue>", "<ds:SignatureValue>\n"),
    ],
)
def test_the_same_signed_info_in_another_envelope(place: World, disguise: Change) -> None:
    text = crafted(place)
    accepted(place, text, confirms=value_of(text))
    twin = disguise(text)
    assert twin != text
    refused(place, twin, "client.replayed_nonce", recorded=True, confirms=value_of(text))


def test_a_message_id_serves_once(place: World) -> None:
    identifier = message_id()
    first = crafted(place, document(header=blocks(identifier=identifier)))
    accepted(place, first, confirms=value_of(first))
    other = crafted(place, document(EVIL, blocks(identifier=identifier)))
    refused(place, other, "client.message_id_reused", recorded=True, confirms=value_of(other))


def test_a_refused_message_has_used_its_signature(place: World) -> None:
    text = crafted(place, to_nowhere())
    refused(place, text, "server.serverproxy.unknown_service", recorded=True, confirms=value_of(text))
    rows = place.rows()
    again = send(place, text)
    assert again.fault is not None
    assert [each["kind"] for each in place.records(rows)] == ["refusal"]


def test_fifty_copies_at_once(place: World) -> None:
    text, forwarded, rows = crafted(place), place.forwarded, place.rows()
    with ThreadPoolExecutor(max_workers=TOTAL) as pool:
        answers = list(pool.map(lambda _: send(place, text), range(TOTAL)))
    ends = Counter("ok" if each.fault is None else each.fault[0] for each in answers)
    assert ends == {"ok": 1, "client.replayed_nonce": TOTAL - 1}
    assert place.forwarded == forwarded + 1
    assert Counter(each["kind"] for each in place.records(rows)) == {"request": 1, "answer": 1, "refusal": TOTAL - 1}


def test_after_a_restart_too(place: World) -> None:
    text = crafted(place)
    accepted(place, text, confirms=value_of(text))
    place.restart()
    refused(place, text, "client.replayed_nonce", recorded=True, confirms=value_of(text))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(-359, None), (-365, "client.signature_expired"), (58, None), (65, "client.signature_not_yet_valid")],
)
def test_at_the_edges_of_its_time(place: World, seconds: float, code: str | None) -> None:
    text = crafted(place, at=plus(place.clock.now(), seconds))
    if code is None:
        accepted(place, text, confirms=value_of(text))
    else:
        refused(place, text, code)
