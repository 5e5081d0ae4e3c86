"""A signed call through the gateway with Motlan-JWS: requests, PyJWT and cryptography. Usage: see README.md."""

import base64
import hashlib
import os
import secrets
import sys
import time
import uuid

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

ALG = "ES256"
ANSWER_FIELDS = (
    "content-type", "content-encoding", "x-road-id", "x-road-client", "x-road-service", "x-road-request-id",
    "x-road-request-hash", "x-road-error", "motlan-outcome", "motlan-receipt",
)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def content_digest(body):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def thumbprint(certificate):
    return b64url(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest())


def sign(prepared, client, service, key, certificate):
    """Add Motlan-JWS to a prepared request; every header of ours that it sends is stated. Returns the JWS and its jti."""
    stated = ("content-type", "x-road-client", "x-road-id", "x-road-userid", "x-road-issue", "motlan-purpose")
    signed = {"method": prepared.method, "target": prepared.url,
              "headers": {name: prepared.headers[name] for name in stated if name in prepared.headers}}
    if prepared.body:
        signed["digest"] = content_digest(prepared.body)
    now, jti = int(time.time()), secrets.token_urlsafe(24)
    claims = {"iss": client, "aud": service, "iat": now, "exp": now + 60, "jti": jti, "signed": signed}
    header = {"typ": "motlan-request+jwt", "x5t#S256": thumbprint(certificate)}
    token = prepared.headers["Motlan-JWS"] = jwt.encode(claims, key, ALG, headers=header)
    return token, jti


def verify(answer, token, jti, gateway):
    """Raise ValueError unless the gateway signed this answer to this request."""
    def need(condition, what):
        if not condition:
            raise ValueError(what)

    given = answer.headers.get("motlan-jws")
    need(given, "no signature of a gateway")
    try:
        header = jwt.get_unverified_header(given)
        claims = jwt.decode(given, gateway.public_key(), [ALG], leeway=60, options={"require": ["iat"]})
    except jwt.InvalidTokenError as error:
        raise ValueError(f"the signature is wrong ({error})") from None
    need(header["typ"] == "motlan-response+jwt", "it is no answer")
    need(header.get("x5t#S256") == thumbprint(gateway), "signed by another key")
    need(time.time() - claims["iat"] < 360, "the answer is of another time")
    need(claims["request_sha256"] == b64url(hashlib.sha256(token.encode()).digest()), "the answer is to another request")
    # an error of the gateway may come without this one, if it could not read our JWS
    is_error = answer.status_code >= 400 and "x-road-error" in answer.headers
    need(claims.get("request_jti") == jti or (is_error and "request_jti" not in claims), "it does not name our jti")

    signed = claims["signed"]
    need(signed["status"] == answer.status_code, "the status is another one")
    need(signed["digest"] == content_digest(answer.content), "the body is another one")
    for name in {*signed["headers"], *[name for name in ANSWER_FIELDS if name in answer.headers]}:
        need(signed["headers"].get(name) == answer.headers.get(name), f"{name} is not what was signed")


def main(gateway_url, ca, client, key, cert, gateway_cert, path, purpose, body_file=None):
    headers = {
        "X-Road-Client": client,
        "X-Road-Id": str(uuid.uuid4()),
        "Motlan-Purpose": purpose if purpose.startswith('"') else f'"{purpose}"',
    }
    headers |= {name: os.environ[variable] for variable, name in (("OFFICER", "X-Road-UserId"), ("CASE", "X-Road-Issue"))
                if os.environ.get(variable)}
    body = read(body_file) if body_file else None
    if body:
        headers["Content-Type"] = "application/json"
    session = requests.Session()
    prepared = session.prepare_request(
        requests.Request("POST" if body else "GET", gateway_url + path, headers=headers, data=body))
    service = "/".join(path.partition("?")[0].split("/")[2:7])  # of /r1/instance/class/member/subsystem/service/…
    certificate, gateway = (x509.load_pem_x509_certificate(read(file)) for file in (cert, gateway_cert))
    token, jti = sign(prepared, client, service, read(key), certificate)
    try:
        answer = session.send(prepared, verify=ca, timeout=60, allow_redirects=False)
        verify(answer, token, jti, gateway)
    except (requests.RequestException, ValueError) as error:
        print(f"not verified: {error}", file=sys.stderr)
        return 2
    print(f"verified: {answer.status_code}", file=sys.stderr)
    sys.stdout.buffer.write(answer.content)
    return 0 if answer.status_code < 400 else 1


if __name__ == "__main__":
    if len(sys.argv) not in (9, 10):
        sys.exit("usage: sample_jws.py GATEWAY_URL CA CLIENT_ID KEY CERT GATEWAY_CERT PATH PURPOSE [BODYFILE]")
    sys.exit(main(*sys.argv[1:]))
