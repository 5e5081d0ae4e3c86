"""A signed call through the gateway with requests and cryptography. Usage: see README.md."""

import base64
import hashlib
import os
import re
import secrets
import sys
import time
import uuid

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

ALG = "ecdsa-p256-sha256"
ANSWER_FIELDS = (
    "content-type", "content-encoding", "x-road-id", "x-road-client", "x-road-service", "x-road-request-id",
    "x-road-request-hash", "x-road-error", "motlan-outcome", "motlan-receipt",
)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def b64(data):
    return base64.b64encode(data).decode()


def content_digest(body):
    return f"sha-256=:{b64(hashlib.sha256(body).digest())}:"


def keyid(certificate):
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signature_base(values, params):
    return "\n".join([f"{component}: {value}" for component, value in values.items()]
                     + [f'"@signature-params": {params}']).encode("ascii")


def sign(prepared, key, certificate):
    """Add Signature-Input and Signature to a prepared request; everything that it sends is covered."""
    signed = ("content-digest", "content-type", "x-road-client", "x-road-id", "x-road-userid", "x-road-issue",
              "motlan-purpose")
    values = {'"@method"': prepared.method, '"@target-uri"': prepared.url}
    values |= {f'"{name}"': prepared.headers[name] for name in signed if name in prepared.headers}
    now = int(time.time())
    params = (f'({" ".join(values)});created={now};expires={now + 60};nonce="{secrets.token_urlsafe(24)}"'
              f';keyid="{keyid(certificate)}";alg="{ALG}";tag="motlan-request"')
    r, s = decode_dss_signature(key.sign(signature_base(values, params), ECDSA(hashes.SHA256())))
    signature = f":{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}:"  # r and s, not DER
    prepared.headers["Signature-Input"] = f"sig1={params}"
    prepared.headers["Signature"] = f"sig1={signature}"
    return params, signature


def verify(answer, sent, params, signature, gateway):
    """Raise ValueError unless the gateway signed this answer to this request."""
    def need(condition, what):
        if not condition:
            raise ValueError(what)

    members = re.findall(r"([a-z0-9_*.-]+)=(\(([^)]*)\)([^,]*))", answer.headers.get("signature-input", ""))
    member = next((found for found in members if ';tag="motlan-response"' in found[3]), None)
    need(member, "no signature of a gateway")
    label, answer_params, listed, rest = member
    need(f';keyid="{keyid(gateway)}"' in rest, "signed by another key")
    need(f';alg="{ALG}"' in rest, "another algorithm")

    covered = listed.split()
    needed = ['"@status"', '"content-digest"', '"@method";req', '"@target-uri";req']
    needed += [f'"{name}"' for name in ANSWER_FIELDS if name in answer.headers]
    if "content-digest" in sent.headers:
        needed.append('"content-digest";req')
    # an error of the gateway may come without these two, if it could not read our signature
    if answer.status_code < 400 or "x-road-error" not in answer.headers:
        needed += ['"signature-input";req;key="sig1"', '"signature";req;key="sig1"']
    missing = [component for component in needed if component not in covered]
    need(not missing, f"not covered: {missing}")

    ours = {
        '"@status"': str(answer.status_code),
        '"@method";req': sent.method,
        '"@target-uri";req': sent.url,
        '"content-digest";req': sent.headers.get("content-digest"),
        '"signature-input";req;key="sig1"': params,
        '"signature";req;key="sig1"': signature,
    }
    values = {name: ours[name] if name in ours else answer.headers.get(name.strip('"')) for name in covered}
    need(None not in values.values(), "a covered component is absent or unknown")
    octets = re.search(rf"(?:^|, *){re.escape(label)}=:([A-Za-z0-9+/=]+):", answer.headers.get("signature", ""))
    need(octets, "no signature under that label")
    raw = base64.b64decode(octets[1])
    need(len(raw) == 64, "the signature is not 64 bytes")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        gateway.public_key().verify(der, signature_base(values, answer_params), ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ValueError("the signature is wrong") from None
    created = int(re.search(r";created=(\d+)", rest)[1])
    need(-60 < time.time() - created < 360, "the answer is of another time")
    need(answer.headers["content-digest"] == content_digest(answer.content), "the body is another one")


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
        headers |= {"Content-Type": "application/json", "Content-Digest": content_digest(body)}
    session = requests.Session()
    prepared = session.prepare_request(
        requests.Request("POST" if body else "GET", gateway_url + path, headers=headers, data=body))
    certificate, gateway = (x509.load_pem_x509_certificate(read(file)) for file in (cert, gateway_cert))
    params, signature = sign(prepared, load_pem_private_key(read(key), None), certificate)
    try:
        answer = session.send(prepared, verify=ca, timeout=60, allow_redirects=False)
        verify(answer, prepared, params, signature, gateway)
    except (requests.RequestException, ValueError) as error:
        print(f"not verified: {error}", file=sys.stderr)
        return 2
    print(f"verified: {answer.status_code}", file=sys.stderr)
    sys.stdout.buffer.write(answer.content)
    return 0 if answer.status_code < 400 else 1


if __name__ == "__main__":
    if len(sys.argv) not in (9, 10):
        sys.exit("usage: sample.py GATEWAY_URL CA CLIENT_ID KEY CERT GATEWAY_CERT PATH PURPOSE [BODYFILE]")
    sys.exit(main(*sys.argv[1:]))
