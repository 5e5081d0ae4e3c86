"""``motlan signature debug``: each usual mistake gets its right diagnosis, out of raw HTTP, curl -v text and HAR."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509 import load_pem_x509_certificate

from gateway.model.instant import rfc3339
from gateway.model.message import Head
from gateway.signing.algorithms import keyid_of
from tests.support.cli import refused, run
from tests.support.gateways import OTHER, PORTAL, STRANGER, make_site
from tests.support.jws import compact, stated
from tests.support.signing import BODY, FIELDS, NOW, TARGET, URL, Pair, crafted, with_fields

COVERED = (
    "@method",
    "@target-uri",
    "content-digest",
    *[n.lower() for n, _ in FIELDS if n not in {"Host", "User-Agent"}],
)
DIGEST = f"sha-256=:{base64.b64encode(BODY.sha256).decode()}:"
SENT = (*((n, str(PORTAL) if n == "X-Road-Client" else v) for n, v in FIELDS), ("Content-Digest", DIGEST))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("debug"), "http://127.0.0.1:1", now=NOW)


def _pair(site, subsystem):
    identity = site.pki.identities[subsystem]
    raw = serialization.load_pem_private_key(identity.key.read_bytes(), None)
    der = load_pem_x509_certificate(identity.certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
    return Pair(raw, keyid_of(der))


@pytest.fixture(scope="module")
def pair(site):
    return _pair(site, PORTAL)


def raw(head: Head, body: bytes = BODY.data) -> bytes:
    lines = [f"{head.method} {head.target} HTTP/1.1", *[f"{name}: {value}" for name, value in head.fields]]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def debug(site, tmp_path, capture: bytes, *options, subsystem=PORTAL, at=NOW, trust=False):
    file = tmp_path / "request.txt"
    file.write_bytes(capture)
    known = (
        ["--trust", site.pki.folder / "trust/list.jws"]
        if trust
        else ["--cert", site.pki.identities[subsystem].certificate]
    )
    ran = run("signature", "debug", file, "--url", URL.origin, "--at", rfc3339(at), "--json", *known, *options)
    assert "Traceback" not in ran.said, ran.said
    return ran.code, ran.values


def request(pair, covered=COVERED, **changed):
    return crafted(covered, fields=changed.pop("fields", SENT), pair=pair, **changed)


def _over(pair, change):
    """Signs something else than the base."""
    return lambda base: pair.private.sign(change(base))


def _der(pair):
    return lambda base: pair.raw.sign(base, ec.ECDSA(hashes.SHA256()))


def _replaced(old: str, new: str):
    return lambda base: base.replace(old.encode(), new.encode())


MISTAKES = {
    "trailing newline": (lambda base: base + b"\n", "ends with a line feed"),
    "CRLF": (lambda base: base.replace(b"\n", b"\r\n"), "lines end in CRLF"),
    "header case": (_replaced('"content-type"', '"Content-Type"'), None),
    "no quotes": (lambda base: b"\n".join(x.replace(b'"', b"", 2) for x in base.split(b"\n")), "no quotes"),
    "no space": (lambda base: b"\n".join(x.replace(b": ", b":", 1) for x in base.split(b"\n")), "no space"),
    "last line missing": (lambda base: base.rpartition(b"\n")[0], "lacks its last line"),
    "label in params": (_replaced('params": (', 'params": sig1=('), "label before the list"),
    "method in lower case": (_replaced(": POST", ": post"), "method in lower case"),
    "path for target": (_replaced(URL.origin, ""), "path in the place of @target-uri"),
    "http for https": (_replaced("https://", "http://"), "another scheme"),
    "no query": (_replaced(TARGET, TARGET.partition("?")[0]), "lacks the query"),
    "hashed before": (lambda base: hashlib.sha256(base).digest(), "its SHA-256"),
    "hex hashed before": (lambda base: hashlib.sha256(base).hexdigest().encode(), "in hexadecimal"),
    "newline and CRLF": (lambda base: (base + b"\n").replace(b"\n", b"\r\n"), "CRLF"),
}


@pytest.mark.parametrize("mistake", [name for name, (_, text) in MISTAKES.items() if text])
def test_mistake_in_the_base_is_named_without_seeing_the_callers_base(site, pair, tmp_path, mistake):
    change, text = MISTAKES[mistake]
    target = "/r1/VN/GOV/G01/population/citizen?a=1" if mistake == "no query" else TARGET
    if mistake == "no query":
        change = _replaced("?a=1", "")
    head = request(pair, sign=_over(pair, change), target=target)
    code, found = debug(site, tmp_path, raw(head))
    assert (code, found["step"], found["code"]) == (1, "proof", "client.signature_invalid")
    assert any(text in hint for hint in found["hints"]), found["hints"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_callers_own_base_is_set_beside_ours(site, pair, tmp_path, mistake):
    change, _ = MISTAKES[mistake]
    seen = []
    head = request(pair, sign=lambda base: seen.append(change(base)) or pair.private.sign(seen[0]))
    if not seen[0]:
        pytest.fail("nothing signed")
    own = tmp_path / "base.bin"
    own.write_bytes(seen[0])
    code, found = debug(site, tmp_path, raw(head), "--base", own)
    if seen[0].decode("latin-1") == found["base"]:
        assert code == 0
        return
    ours = found["base"].encode("latin-1")
    offset = found["difference"]["offset"]
    assert (code, ours[:offset]) == (1, seen[0][:offset])
    assert ours[offset : offset + 1] != seen[0][offset : offset + 1]
    assert found["signed_own_base"] is True
    assert found["hints"]


def _head(pair, **changed):
    return with_fields(request(pair), **changed)


def _input(pair, old, new):
    head = request(pair)
    return with_fields(head, signature_input=head.get("signature-input").replace(old, new))


NO_DIGEST = [name for name in COVERED if name != "content-digest"]
CASES = {
    # what the caller did: request → step, code, words of a hint
    "nothing wrong": (request, None, None, None),
    "DER": (lambda p: request(p, sign=_der(p)), "proof", "client.signature_invalid", "in DER"),
    "DER and newline": (
        lambda p: request(p, sign=lambda base: _der(p)(base + b"\n")), "proof", "client.signature_invalid", "line feed",
    ),
    "SHA-512": (
        lambda p: request(p, sign=lambda base: p.raw.sign(base, ec.ECDSA(hashes.SHA512()))),
        "proof", "client.signature_invalid", "sha512",
    ),
    "no signature": (lambda p: _head(p, signature=None, signature_input=None), "proof", "client.signature_missing", None),
    "Signature alone": (lambda p: _head(p, signature_input=None), "proof", "client.signature_missing", None),
    "other tag": (lambda p: request(p, tag='"other"'), "proof", "client.signature_missing", 'tag="motlan-request"'),
    "no tag": (lambda p: request(p, tag=None), "proof", "client.signature_missing", "no tag"),
    "no nonce": (lambda p: request(p, nonce=None), "proof", "client.signature_parameter", None),
    "milliseconds": (
        lambda p: request(p, created=f"{NOW // 1000}", expires=f"{NOW // 1000 + 60}"),
        "proof", "client.signature_not_yet_valid", "milliseconds",
    ),
    "expired": (
        lambda p: request(p, created=f"{NOW // 10**6 - 500}", expires=f"{NOW // 10**6 - 440}"),
        "proof", "client.signature_expired", "440 s before",
    ),
    "from the future": (
        lambda p: request(p, created=f"{NOW // 10**6 + 90}", expires=f"{NOW // 10**6 + 150}"),
        "proof", "client.signature_not_yet_valid", "90 s after",
    ),
    "wrong alg": (lambda p: request(p, alg='"ed25519"'), "proof", "client.signature_algorithm", None),
    "component missing": (
        lambda p: request(p, [name for name in COVERED if name != "x-road-userid"]),
        "proof", "client.signature_cover_incomplete", None,
    ),
    "no digest covered": (lambda p: request(p, NO_DIGEST), "proof", "client.signature_cover_incomplete", None),
    "header lost on the way": (lambda p: _head(p, x_road_userid=None), "proof", "client.signature_component_absent", None),
    "header changed on the way": (lambda p: _head(p, content_type="text/plain"), "proof", "client.signature_invalid", None),
    "order of components changed": (
        lambda p: _input(p, '"@method" "@target-uri"', '"@target-uri" "@method"'),
        "proof", "client.signature_invalid", None,
    ),
    "keyid of another": (lambda p: request(p, keyid='"' + "x" * 43 + '"'), "key", "client.unknown_key", None),
    "keyid in base64": (
        lambda p: request(p, keyid=f'"{p.keyid.replace("-", "+").replace("_", "/")}="'),
        "key", "client.unknown_key", "another form",
    ),
    "keyid in hex": (
        lambda p: request(p, keyid=f'"{base64.urlsafe_b64decode(p.keyid + "=").hex()}"'),
        "key", "client.unknown_key", "hexadecimal",
    ),
    "Host of another": (lambda p: _head(p, host="other.example"), "frame", "client.misdirected", None),
    "two X-Road-Client": (
        lambda p: Head(method="POST", target=TARGET, fields=(*request(p).fields, ("X-Road-Client", str(OTHER)))),
        "claim", "client.duplicate_header_field", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_step_and_reason(site, pair, tmp_path, case):
    make, step, expected, words = CASES[case]
    code, found = debug(site, tmp_path, raw(make(pair)))
    assert (found["step"], found["code"]) == (step, expected)
    assert code == (0 if step is None else 1)
    if words:
        assert any(words in hint for hint in found["hints"]), found["hints"]
    if step is None:
        assert not found["hints"]


BODIES = {
    "line feed behind": (lambda data: data + b"\n", "line feed behind it"),
    "nothing": (lambda data: b"", "no body at all"),
    "other spaces": (lambda data: data.replace(b": ", b":"), "same JSON"),
    "escapes": (lambda data: json.dumps(json.loads(data)).encode(), "same JSON"),
    "byte-order mark": (lambda data: b"\xef\xbb\xbf" + data, "byte-order mark"),
}


@pytest.mark.parametrize("case", BODIES)
def test_digest_of_other_bytes_is_recognised(site, pair, tmp_path, case):
    change, words = BODIES[case]
    digest = base64.b64encode(hashlib.sha256(change(BODY.data)).digest()).decode()
    fields = (*SENT[:-1], ("Content-Digest", f"sha-256=:{digest}:"))
    code, found = debug(site, tmp_path, raw(request(pair, fields=fields)))
    assert (code, found["step"], found["code"]) == (1, "digest", "client.digest_mismatch")
    assert any(words in hint for hint in found["hints"]), found["hints"]
    assert found["values"]["Content-Digest"] == DIGEST


def test_digest_without_colons_is_recognised(site, pair, tmp_path):
    fields = (*SENT[:-1], ("Content-Digest", DIGEST.replace(":", "")))
    _, found = debug(site, tmp_path, raw(request(pair, fields=fields)))
    assert (found["step"], found["code"]) == ("digest", "client.digest_malformed")
    assert "colons" in found["hints"][0]


def test_rsa_with_the_wrong_padding_is_recognised(site, tmp_path):
    rsa = _pair(site, STRANGER)
    fields = tuple((n, str(STRANGER) if n == "X-Road-Client" else v) for n, v in SENT)
    for scheme, words in (
        (padding.PKCS1v15(), "PKCS #1"),
        (padding.PSS(mgf=padding.MGF1(hashes.SHA512()), salt_length=padding.PSS.MAX_LENGTH), "salt of 64"),
    ):
        head = request(rsa, fields=fields, sign=lambda base, scheme=scheme: rsa.raw.sign(base, scheme, hashes.SHA512()))
        _, found = debug(site, tmp_path, raw(head), subsystem=STRANGER)
        assert found["code"] == "client.signature_invalid"
        assert words in found["hints"][0]


def test_trust_list_says_whose_key_it_is(site, pair, tmp_path):
    code, found = debug(site, tmp_path, raw(request(pair)), trust=True)
    assert (code, found["accepted"]) == (0, True)
    fields = tuple((n, str(OTHER) if n == "X-Road-Client" else v) for n, v in SENT)
    _, found = debug(site, tmp_path, raw(request(pair, fields=fields)), trust=True)
    assert (found["step"], found["code"]) == ("key", "client.key_of_another_subsystem")
    other = _pair(site, OTHER)
    head = request(other, keyid=f'"{pair.keyid}"', alg=f'"{pair.algorithm}"')
    _, found = debug(site, tmp_path, raw(head), trust=True)
    assert other.keyid in found["hints"][0]


def curl(head: Head) -> bytes:
    lines = ["*   Trying 127.0.0.1:8443...", f"> {head.method} {head.target} HTTP/1.1"]
    lines += [f"> {name}: {value}" for name, value in head.fields]
    return "\n".join([*lines, "> ", "< HTTP/1.1 401 Unauthorized", "< X-Road-Error: x", "<", "{}"]).encode("latin-1")


def har(head: Head, body: bytes) -> bytes:
    headers = [{"name": name, "value": value} for name, value in head.fields if name != "Host"]
    request = {"method": head.method, "url": URL.origin + head.target, "headers": headers}
    request["postData"] = {"mimeType": "application/json", "text": body.decode()}
    return json.dumps(
        {"log": {"entries": [{"request": {"method": "GET", "url": URL.origin, "headers": []}}, {"request": request}]}}
    ).encode()


def test_capture_may_be_curl_har_or_raw_with_bare_line_feeds(site, pair, tmp_path):
    head = with_fields(request(pair), content_length=str(BODY.size))
    code, found = debug(site, tmp_path, curl(head))
    assert (code, found["form"], found["steps"][-1]["ok"]) == (0, "curl", None)
    body = tmp_path / "body.json"
    body.write_bytes(BODY.data)
    code, found = debug(site, tmp_path, curl(head), "--body", body)
    assert (code, found["steps"][-1]) == (0, {"name": "digest", "ok": True, "code": None, "detail": ""})
    code, found = debug(site, tmp_path, har(head, BODY.data))
    assert (code, found["form"]) == (0, "har")
    assert debug(site, tmp_path, har(head, BODY.data), "--entry", 1)[1]["step"] == "claim"
    code, found = debug(site, tmp_path, raw(head, BODY.data + b"\n").replace(b"\r\n", b"\n"))
    assert (code, found["form"], len(found["notes"])) == (0, "raw", 2)


@pytest.mark.parametrize("text", [b"", b"hello", b'{"log": 1}', b"POST / HTTP/1.1\r\nno colon\r\n\r\n", b"{" * 5000])
def test_file_that_is_no_capture_is_said_to_be_none(site, tmp_path, text):
    file = tmp_path / "x"
    file.write_bytes(text)
    said = refused("signature", "debug", file, "--cert", site.pki.identities[PORTAL].certificate, "--url", URL.origin)
    assert "HAR" in said or "header" in said


def test_people_see_the_base_and_the_first_difference(site, pair, tmp_path):
    seen = []
    head = request(pair, sign=lambda base: seen.append(base + b"\n") or pair.private.sign(seen[0]))
    (tmp_path / "mine").write_bytes(seen[0])
    (tmp_path / "request").write_bytes(raw(head))
    options = ["--cert", site.pki.identities[PORTAL].certificate, "--url", URL.origin, "--at", rfc3339(NOW)]
    ran = run("signature", "debug", tmp_path / "request", *options, "--base", tmp_path / "mine")
    assert ran.code == 1
    assert f"byte {len(seen[0]) - 1}" in ran.out
    assert '"@method": POST' in ran.out
    assert "only the base is not" in ran.out.replace("\n", " ")
    vietnamese = run("signature", "debug", tmp_path / "request", *options, lang="vi")
    assert "Chuỗi ký thừa LF" in vietnamese.out


def _jws_claims():
    fields = tuple((n, str(PORTAL) if n == "X-Road-Client" else v) for n, v in FIELDS)
    claims = stated(fields)
    return fields, claims | {"iss": str(PORTAL), "aud": "/".join(TARGET.partition("?")[0].split("/")[2:7])}


def _jws(pair, claims=None, **changed):
    fields, right = _jws_claims()
    text = compact(claims or right, pair=Pair(pair.raw, pair.keyid), **changed)
    return Head(method="POST", target=TARGET, fields=(*fields, ("Motlan-JWS", text)))


def _last_part(base):
    return base.rpartition(b".")[2]


JWS_CASES = {
    "nothing wrong": (_jws, None, None, None),
    "DER": (lambda p: _jws(p, sign=_der(p)), "proof", "client.signature_invalid", "in DER"),
    "payload alone": (
        lambda p: _jws(p, sign=lambda base: p.private.sign_jws(_last_part(base))), "proof", "client.signature_invalid",
        "without the header",
    ),
    "newline": (
        lambda p: _jws(p, sign=lambda base: p.private.sign_jws(base + b"\n")), "proof", "client.signature_invalid",
        "line feed",
    ),
    "other typ": (lambda p: _jws(p, typ="JWT"), "proof", "client.jws_malformed", None),
    "other target": (
        lambda p: _jws(p, _jws_claims()[1] | {"signed": _jws_claims()[1]["signed"] | {"target": "https://x"}}),
        "proof", "client.jws_mismatch", None,
    ),
    "expired": (
        lambda p: _jws(p, _jws_claims()[1] | {"iat": NOW // 10**6 - 300, "exp": NOW // 10**6 - 200}),
        "proof", "client.signature_expired", "200 s before",
    ),
    "digest of other bytes": (
        lambda p: _jws(p, _jws_claims()[1] | {"signed": _jws_claims()[1]["signed"] | {"digest": "sha-256=:" + base64.b64encode(hashlib.sha256(BODY.data + b"\n").digest()).decode() + ":"}}),
        "digest", "client.digest_mismatch", "line feed behind it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", JWS_CASES)
def test_jws_is_diagnosed_too(site, pair, tmp_path, case):
    make, step, expected, words = JWS_CASES[case]
    _, found = debug(site, tmp_path, raw(make(pair)))
    assert (found["scheme"], found["step"], found["code"]) == ("jws", step, expected)
    if words:
        assert any(words in hint for hint in found["hints"]), found["hints"]
