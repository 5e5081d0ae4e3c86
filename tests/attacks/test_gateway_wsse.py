"""WS-Security under attack at a real gateway: each attack is refused by its name, and nothing of it is forwarded.

What the verifier says of each by itself is in ``test_wsse_wrapping``; here the whole gateway is in the way: what its
codec reads, what the signature proves, what is recorded, and what goes to the provider.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.model.instant import plus
from gateway.signing.wsse_names import DS, SOAP11, SOAP12, SWA_CONTENT, WSSE
from gateway.signing.wsse_sign import sign_envelope
from tests.support import wsse as w
from tests.support.attacks import World
from tests.support.exchanges import json_answer
from tests.support.gateways import BASIS, OTHER, PORTAL, PROVIDER, PURPOSE
from tests.support.mtls import LEGACY, SHELF
from tests.support.soap_attacks import (
    ASKED,
    BLOCK_REFS,
    BODY_REF,
    EVIL,
    NUMBER,
    REFS,
    TIME_REF,
    accepted,
    blocks,
    crafted,
    document,
    message_id,
    refused,
    resident,
    send,
    value_of,
)
from tests.support.soap_office import ARCHIVE, FACADE, NS, archive, body_of, native, proved, soap_office, told
from tests.support.wsse import Ref
from tests.support.xroad_soap import SOAP, XROAD, envelope, headers

WRAPPER = '<w:wrapper xmlns:w="urn:w">{}</w:wrapper>'
EVIL_BODY = f'<s:Body wsu:Id="evil">{EVIL}</s:Body>'
TOTAL = 50
NOTHING = f"{PROVIDER}/nothing"
"""No service."""
Change = Callable[[str], str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with soap_office(tmp_path_factory.mktemp("site"), extra="[capacity]\nrefusals_per_minute = 100000\n") as made:
        yield made


@pytest.fixture(autouse=True)
def _usual(place: World) -> None:
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">ok</a:archiveResponse>')


def to_nowhere() -> str:
    return document('<n:nothing xmlns:n="urn:n"/>', blocks(service=NOTHING))


def cut(text: str, name: str) -> str:
    """The first element of that name, with all that is in it."""
    begin = text.index(f"<{name}")
    return text[begin : text.index(f"</{name}>", begin) + len(f"</{name}>")]


def body(text: str) -> str:
    return cut(text, "s:Body")


def security(text: str) -> str:
    return cut(text, "wsse:Security ").replace("</wsse:Security >", "</wsse:Security>")


def into_header(text: str, more: str) -> str:
    return text.replace("</s:Header>", more + "</s:Header>", 1)


def swapped(text: str, inside: Change) -> str:
    """The evil Body in the signed one's place, which goes to where ``inside`` puts it in the rest."""
    held = body(text)
    return inside(text.replace(held, "@HERE@")).replace("@HERE@", EVIL_BODY, 1).replace("@SIGNED@", held)


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


def unsigned(element: str) -> Change:
    return lambda text: into_header(text, element)


def changed(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new, 1)


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


def whole(text: str) -> str:
    """The Security header."""
    begin = text.index("<wsse:Security ")
    return text[begin : text.index("</wsse:Security>") + len("</wsse:Security>")]


def signature(text: str) -> str:
    begin = text.index("<ds:Signature ")
    return text[begin : text.index("</ds:Signature>") + len("</ds:Signature>")]


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


# -- one protocol taken for another --------------------------------------------------------------------------------


def test_one_ones_envelope_in_another_ones_connection(place: World) -> None:
    refused(place, crafted(place), "client.key_of_another_subsystem", subsystem=LEGACY)
    text = crafted(place)
    accepted(place, text, confirms=value_of(text), subsystem=PORTAL)


def test_a_certificate_does_not_prove_what_says_that_it_is_another_ones(place: World) -> None:
    root = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), archive())
    refused(place, root, "client.key_of_another_subsystem", subsystem=LEGACY)
    refused(place, root, "client.proof_scheme_not_allowed", subsystem=PORTAL)


def test_a_signature_that_is_hidden_is_none(place: World) -> None:
    """A certificate of one who must sign does not stand in for a signature that was moved out of the way."""
    right = crafted(place)
    moved = right.replace(whole(right), WRAPPER.format(whole(right)))
    refused(place, moved, "client.proof_scheme_not_allowed", subsystem=PORTAL)


def test_a_signed_envelope_is_no_request_of_a_facade(place: World) -> None:
    text = crafted(place, document(native()))
    for subsystem in (None, LEGACY):
        forwarded = place.forwarded
        answer = send(place, text, target=FACADE, subsystem=subsystem)
        assert answer.fault is not None
        assert answer.fault[0] == "client.inconsistent_headers"
        assert "signature" in answer.fields
        assert place.forwarded == forwarded


@pytest.mark.parametrize(
    "more",
    [
        f'<wsse:Security xmlns:wsse="{WSSE}"/>',
        f'<x:userId xmlns:x="{XROAD}">boss</x:userId>',
        '<m:purpose xmlns:m="urn:motlan:soap:v1">9</m:purpose>',
    ],
)
def test_a_facade_takes_no_header_that_means_something_elsewhere(place: World, more: str) -> None:
    forwarded = place.forwarded
    answer = send(place, envelope(more, native()), target=FACADE, subsystem=LEGACY)
    assert answer.fault is not None
    assert answer.fault[0] == "client.inconsistent_headers"
    assert place.forwarded == forwarded


def test_an_envelope_is_no_rest_call(place: World) -> None:
    forwarded = place.forwarded
    path = "/r1/" + str(ARCHIVE)
    answer = send(place, crafted(place), target=path)
    assert answer.fields["x-road-error"] == "client.missing_header"
    signed_twice = send(place, crafted(place), target=path, fields=[("X-Road-Client", str(PORTAL))])
    assert signed_twice.fields["x-road-error"] == "client.signature_missing"
    assert place.forwarded == forwarded


HTTP_FIELDS = (
    ("X-Road-Client", str(PORTAL)),
    ("X-Road-UserId", "boss"),
    ("X-Road-Issue", "another"),
    ("X-Road-Represented-Party", "COM/1"),
    ("Motlan-Purpose", '"9.999"'),
    ("Motlan-Receipt", "mine"),
    ("Motlan-JWS", "a.b.c"),
    ("Signature-Input", 'a=("@method");tag="motlan-request"'),
    ("Signature", "a=:AAAA:"),
    ("Authorization", "Basic bWU6bWU="),
)


@pytest.mark.parametrize("by_certificate", [True, False])
@pytest.mark.parametrize("service", [ARCHIVE, SHELF])
def test_header_fields_of_http_say_nothing_over_soap(place: World, service: str, *, by_certificate: bool) -> None:
    """Neither to us nor, passed on, to the provider: it would be told of another officer than the record names."""
    if service is ARCHIVE:
        asked = archive()
    else:
        place.provider.reply = json_answer({"ok": 1})
        asked = f'<s:shelfBooks xmlns:s="urn:motlan:service:{SHELF}"/>'
    forwarded = place.forwarded
    if by_certificate:
        root = envelope(headers(str(LEGACY), str(service), message_id()), asked)
        send(place, root, subsystem=LEGACY, fields=HTTP_FIELDS)
    else:
        send(place, crafted(place, document(asked, blocks(service=service))), fields=HTTP_FIELDS)
    if place.forwarded == forwarded:
        assert service is SHELF  # an operation that only its own description knows
        return
    told_on = {value for _, value in place.provider.last.headers}
    assert not told_on & {value for _, value in HTTP_FIELDS} - {str(PORTAL)}
    if by_certificate:
        assert str(PORTAL) not in told_on


def test_other_signatures_prove_no_envelope(place: World) -> None:
    """An RFC 9421 signature and a JWS over the same HTTP request, both right for a REST call, are none over SOAP."""
    unsigned_root = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), archive())
    message = place.message(service=ARCHIVE, body=unsigned_root, fields={"Content-Type": "text/xml"})
    fields = [pair for pair in message.head.fields if pair[0] not in {"Host", "Content-Type"}]
    refused(place, unsigned_root, "client.signature_missing", fields=fields)


def test_the_next_actor_may_be_told_what_we_need_not_understand(place: World) -> None:
    other = '<t:tx xmlns:t="urn:t" s:mustUnderstand="1" s:actor="urn:another"/>'
    text = into_header(crafted(place), other)
    accepted(place, text, confirms=value_of(text))
    ours = into_header(crafted(place), other.replace(' s:actor="urn:another"', ""))
    refused(place, ours, "client.must_understand")


# -- what it costs -------------------------------------------------------------------------------------------------


FLOODS: dict[str, Callable[[], str]] = {
    "names": lambda: "".join(f"<n{secrets.token_hex(50)}/>" for _ in range(4000)),
    "white space": lambda: "".join(f"<b>{_blank()}</b>" for _ in range(7000)),
}


def _blank() -> str:
    return "".join(" \t\n"[byte % 3] for byte in secrets.token_bytes(58))


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("where", ["in the element", "in a signed envelope's header"])
def test_strangers_leave_nothing_in_memory(place: World, name: str, where: str) -> None:
    """libxml2 remembers every name for as long as its thread lives. Whom nobody has proved may not fill it."""
    resident_before = 0
    for number in range(40):
        if where == "in the element":
            data = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), archive(FLOODS[name]()))
        else:
            data = into_header(crafted(place), WRAPPER.format(FLOODS[name]())).replace(NUMBER, "1").encode()
        assert send(place, data).fault is not None
        if number == 9:
            resident_before = resident()
    assert resident() - resident_before < 5 * 1024 * 1024
    prefix = f"p{secrets.token_hex(8)}"
    asked = f'<{prefix}:archive xmlns:{prefix}="{NS}"/>'
    root = envelope(headers(str(LEGACY), str(ARCHIVE), message_id()), asked)
    accepted(place, root, subsystem=LEGACY)


def test_a_text_of_fifty_megabytes(place: World) -> None:
    rows, before = place.rows(), resident()
    text = crafted(place)
    huge = text.replace(NUMBER, "1" * 50_000_000).encode()
    try:
        answer = send(place, huge)
    except (ConnectionError, OSError):  # told before all is sent
        pass
    else:
        assert answer.fault is not None
        assert answer.fault[0] == "client.body_too_large"
    del huge
    assert resident() - before < 80 * 1024 * 1024  # the message itself is made in this process
    assert place.rows() == rows


# -- answers -------------------------------------------------------------------------------------------------------


def test_an_answer_confirms_its_own_request_and_no_other(place: World) -> None:
    first, second = crafted(place), crafted(place)
    answers = [accepted(place, each, confirms=value_of(each)) for each in (first, second)]
    for answer, other in zip(answers, (second, first), strict=True):
        with pytest.raises(Exception, match="confirm"):
            proved(place, answer, value_of(other))
    faulty = crafted(place, to_nowhere())
    fault = refused(place, faulty, "server.serverproxy.unknown_service", recorded=True, confirms=value_of(faulty))
    with pytest.raises(Exception, match="confirm"):
        proved(place, fault, value_of(first))


def test_an_answer_cannot_be_changed(place: World) -> None:
    text = crafted(place)
    answer = accepted(place, text, confirms=value_of(text))
    for old, new in ((b">ok<", b">no<"), (str(PORTAL.member_code).encode(), b"H99")):
        assert old in answer.body
        twisted = type(answer)(**{**answer.__dict__, "body": answer.body.replace(old, new, 1)})
        with pytest.raises(Exception, match=r"signature|digest|unsigned|intact|server"):
            proved(place, twisted, value_of(text))


def test_a_provider_cannot_bring_a_security_header_into_an_answer(place: World) -> None:
    """Consumers whose libraries look for it anywhere would take the provider's for ours."""
    text, rows = crafted(place), place.rows()
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">{whole(text)}</a:archiveResponse>')
    answer = send(place, text)
    assert answer.fault is not None
    assert answer.fault[0] == "server.serverproxy.service_failed.invalid_reply"
    proved(place, answer, value_of(text))
    assert [(each["kind"], each.get("outcome")) for each in place.records(rows)][-1] == ("answer", "INVALID_REPLY")


@pytest.mark.parametrize("name", ["Id", "xml:id", "ID"])
def test_ids_of_a_provider_are_never_those_of_our_signature(place: World, name: str) -> None:
    text = crafted(place)
    first = accepted(place, text, confirms=value_of(text))
    ours = first.body.decode().partition('wsu:Id="')[2].partition('"')[0]
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}" {name}="{ours}">ok</a:archiveResponse>')
    text = crafted(place)
    second = accepted(place, text, confirms=value_of(text))
    assert second.body.decode().count(f'"{ours}"') == 1


def test_faults_say_nothing_of_persons(place: World) -> None:
    other = "079085000123"
    inner = f'<a:archive xmlns:a="{NS}"><number>{other}</number></a:archive>'
    for text in (
        crafted(place, document(inner)).replace(other, other[::-1]),
        crafted(place, document(inner, blocks(service=NOTHING))),
        crafted(place, document(f"<n{other}/>")),
        into_header(crafted(place), f'<x:issue xmlns:x="{XROAD}">{other}</x:issue>'),
        into_header(crafted(place), f'<x:userId xmlns:x="{XROAD}">{other}Đ</x:userId>'),
    ):
        answer = send(place, text)
        assert answer.fault is not None
        assert other not in answer.fault[1]


def test_the_seal_of_a_refusal_is_made_of_our_own_key(place: World) -> None:
    """Whoever sends a signed message in our name gets no signature of ours over what it chose."""
    root = envelope(headers("VN/GOV/G22/motlan", str(ARCHIVE), message_id()), ASKED)
    key = place.gateway.pipeline._parts.sealer._key
    signed = sign_envelope(root, key=key, now=place.clock.now())
    refused(place, signed.envelope, "client.unknown_key")


def test_soap_1_2_is_answered_in_soap_1_2(place: World) -> None:
    text = crafted(place).replace(SOAP, SOAP12)
    answer = send(place, text, content_type="application/soap+xml; charset=utf-8")
    assert b"client.security_digest_mismatch" in answer.body
    assert answer.fields["content-type"].startswith("application/soap+xml")
    proved(place, answer, None)
