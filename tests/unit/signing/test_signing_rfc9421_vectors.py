"""RFC 9421's own examples: §2.4 and Appendix B, except those with components that are refused here."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_COMPONENT_UNSUPPORTED, SIGNATURE_INVALID
from gateway.model.message import AnswerHead, Head
from gateway.signing.algorithms import PrivateKey, PublicKey
from gateway.signing.components import Source, build_base, compile_cover
from gateway.signing.sf import parse_byte_sequences, parse_signature_input
from gateway.signing.target import public_url

RSA_PSS = PublicKey(
    load_pem_public_key(b"""-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----
"""),
    keyid="test-key-rsa-pss",
)
P256 = PublicKey(
    load_pem_public_key(b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----
"""),
    keyid="test-key-ecc-p256",
)
ED25519_PRIVATE = PrivateKey(
    load_pem_private_key(
        b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
""",
        None,
    ),
    keyid="test-key-ed25519",
)
ED25519 = PublicKey(
    load_pem_public_key(b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""),
    keyid="test-key-ed25519",
)

EXAMPLE = public_url("https://example.com")
HELLO_DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
REQUEST = Head(
    method="POST",
    target="/foo?param=Value&Pet=dog",
    fields=(
        ("Host", "example.com"),
        ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("Content-Type", "application/json"),
        ("Content-Digest", HELLO_DIGEST),
        ("Content-Length", "18"),
    ),
)
RESPONSE = AnswerHead(
    status=200,
    fields=(
        ("Date", "Tue, 20 Apr 2021 02:07:56 GMT"),
        ("Content-Type", "application/json"),
        (
            "Content-Digest",
            "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
        ),
        ("Content-Length", "23"),
    ),
)
BUSY_DIGEST = "sha-512=:0Y6iCBzGg5rZtoXS95Ijz03mslf6KAMCloESHObfwnHJDbkkWWQz6PhhU9kxsTbARtY2PTBOzq24uJFpHsMuAg==:"
BUSY = AnswerHead(status=503, fields=(("Content-Type", "application/json"), ("Content-Digest", BUSY_DIGEST)))
CLIENT_CERT = (
    ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVk"
    "aWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnX"
    "XfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSME"
    "GDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4"
    "YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmu"
    "ydBVoU4hBVZ1yhk=:"
)
PROXIED = Head(
    method="POST",
    target="/foo?param=Value&Pet=dog",
    fields=(*REQUEST.fields, ("Client-Cert", CLIENT_CERT)),
)
DEMO = Head(method="GET", target="/demo?name1=Value1&Name2=value2", fields=(("Accept", "application/json, */*"),))

VECTORS = {
    "B.2.1 minimal": (
        '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
        (
            "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG"
            "52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVro"
            "gUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ"
            "98Xw9Q=="
        ),
        RSA_PSS,
        Source(REQUEST, EXAMPLE),
    ),
    "B.2.3 full cover": (
        (
            '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length")'
            ';created=1618884473;keyid="test-key-rsa-pss"'
        ),
        (
            "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fU"
            "xN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA"
            "1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKE"
            "gM4cUA=="
        ),
        RSA_PSS,
        Source(REQUEST, EXAMPLE),
    ),
    "B.2.4 response": (
        '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
        "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
        P256,
        Source(RESPONSE),
    ),
    "B.2.6 ed25519": (
        '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
        ED25519,
        Source(REQUEST, EXAMPLE),
    ),
    "B.3 TLS-terminating proxy": (
        '("@path" "@query" "@method" "@authority" "client-cert");created=1618884473;keyid="test-key-ecc-p256"',
        "xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw==",
        P256,
        Source(PROXIED, public_url("https://service.internal.example")),
    ),
    "B.4 transformations": (
        '("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"',
        "ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==",
        ED25519,
        Source(DEMO, public_url("https://example.org")),
    ),
    "2.4 response bound to its request": (
        (
            '("@status" "content-digest" "content-type" "@authority";req "@method";req "@path";req "content-digest";req)'
            ';created=1618884479;keyid="test-key-ecc-p256"'
        ),
        "dMT/A/76ehrdBTD/2Xx8QuKV6FoyzEP/I9hdzKN8LQJLNgzU4W767HK05rx1i8meNQQgQPgQp8wq2ive3tV5Ag==",
        P256,
        Source(BUSY, None, Source(REQUEST, EXAMPLE)),
    ),
}


def _base(signature_input: str, source: Source) -> bytes:
    member = parse_signature_input(f"sig={signature_input}")["sig"]
    use = "answer" if isinstance(source.head, AnswerHead) else "request"
    return build_base(compile_cover(member.inner, use), member.params_text, source)


@pytest.mark.parametrize("name", VECTORS)
def test_published_signature_verifies(name):
    signature_input, signature, key, source = VECTORS[name]
    octets, _ = parse_byte_sequences(f"sig=:{signature}:")["sig"]
    key.verify(octets, _base(signature_input, source))


@pytest.mark.parametrize("name", VECTORS)
def test_published_signature_is_refused_over_another_base(name):
    signature_input, signature, key, source = VECTORS[name]
    with pytest.raises(ExchangeError) as caught:
        key.verify(base64.b64decode(signature), _base(signature_input, source) + b" ")
    assert caught.value.kind is SIGNATURE_INVALID


def test_ed25519_signature_is_reproduced():
    signature_input, signature, _, source = VECTORS["B.2.6 ed25519"]
    assert base64.b64encode(ED25519_PRIVATE.sign(_base(signature_input, source))).decode() == signature


def test_published_base_of_the_bound_response():
    signature_input, _, _, source = VECTORS["2.4 response bound to its request"]
    assert _base(signature_input, source).decode().split("\n") == [
        '"@status": 503',
        f'"content-digest": {BUSY_DIGEST}',
        '"content-type": application/json',
        '"@authority";req: example.com',
        '"@method";req: POST',
        '"@path";req: /foo',
        f'"content-digest";req: {HELLO_DIGEST}',
        f'"@signature-params": {signature_input}',
    ]


def test_query_parameters_of_example_b_2_2_are_refused_by_name():
    with pytest.raises(ExchangeError) as caught:
        compile_cover('("@authority" "content-digest" "@query-param";name="Pet")', "request")
    assert caught.value.kind is SIGNATURE_COMPONENT_UNSUPPORTED
    assert "@query-param" in caught.value.detail
