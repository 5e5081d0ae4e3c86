"""A small TLS server on loopback that verifies and signs as the gateway does, and lies on request."""

import datetime as dt
import http.server
import ipaddress
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import Instant, from_datetime
from gateway.model.message import AnswerHead, Body, Fields, Head
from gateway.signing.algorithms import PrivateKey, PublicKey, keyid_of
from gateway.signing.digest import content_digest, verify_content_digest
from gateway.signing.http_sig import parse_signature, verify_request
from gateway.signing.http_sig_sign import sign_response
from gateway.signing.message_jws import digested, parse_message_jws, verify_message_jws
from gateway.signing.message_jws_sign import sign_message_jws_response
from gateway.signing.target import public_url

CONTENT = '{"outcome":"FOUND","full_name":"Nguyễn Văn An"}'.encode()


class Party:
    """A P-256 key with a certificate by one CA, on disk and in our types."""

    def __init__(self, folder: Path, name: str, issuer: "Party | None" = None) -> None:
        self.raw = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        signer = issuer.raw if issuer else self.raw
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name if issuer else self.name)
            .public_key(self.raw.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(_key_usage(authority=issuer is None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.raw.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
        self.key_file, self.certificate_file = folder / f"{name}.key.pem", folder / f"{name}.pem"
        pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.key_file.write_bytes(self.raw.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
        self.certificate_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        keyid = keyid_of(self.certificate.public_bytes(serialization.Encoding.DER))
        self.private = PrivateKey(self.raw, keyid=keyid)
        self.public = PublicKey(self.raw.public_key(), keyid=keyid)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    """What Python 3.13 and later want to see of a CA (RFC 5280 §4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


class SignedServer:
    """Answers each verified request with CONTENT. ``lie``: what the next answers are spoiled with."""

    def __init__(self, folder: Path) -> None:
        self.ca = Party(folder, "ca")
        tls = Party(folder, "tls", self.ca)
        self.caller, self.gateway, self.other = (
            Party(folder, name, self.ca) for name in ("caller", "gateway", "other")
        )
        self.lie = ""
        self.refused: list[str] = []
        self.seen: list[tuple[Head, bytes]] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate_file, tls.key_file)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = public_url(f"https://127.0.0.1:{self._server.server_port}")
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, head: Head, content: bytes) -> tuple[AnswerHead, bytes]:
        """The whole answer to a request, honest or not."""
        now = from_datetime(dt.datetime.now(dt.UTC))
        self.seen.append((head, content))
        status, fields, body, parsed = 200, (), CONTENT, None
        jws = head.get("motlan-jws")
        try:
            if jws is None:
                parsed = parse_signature(head)
                verify_request(head, parsed, self.caller.public, public_url=self.url, has_body=bool(content), now=now)
                verify_content_digest(head, Body(content))
            else:
                self._verify_jws(head, content, now)
        except ExchangeError as error:
            self.refused.append(str(error))
            status, fields, body = error.kind.status, (("X-Road-Error", error.kind.code),), b'{"code":"refused"}'
        if self.lie == "error":
            status, fields, body = 403, (("X-Road-Error", "server.serverproxy.access_denied"),), b'{"code":"denied"}'
        fields = (
            ("Content-Type", "application/json"),
            ("Content-Digest", content_digest(Body(body))),
            ("X-Road-Id", head.get("x-road-id") or "none"),
            ("Motlan-Receipt", "0199a5f0-0000-7000-8000-000000000002"),
            *fields,
        )
        answer = AnswerHead(status=status, fields=fields)
        key = (self.other if self.lie == "other key" else self.gateway).private
        signed_at = now if self.lie != "old" else now - 3_600_000_000
        if jws is not None:
            about = {"other request": jws + "A", "unbound": ""}.get(self.lie, jws)
            made = sign_message_jws_response(answer, Body(body), request=about, key=key, now=signed_at)
            fields += (("Motlan-JWS", made.value),) if self.lie != "unsigned" else ()
            return self._told(status, fields, body)
        about = head if self.lie != "other request" else Head(method=head.method, target="/r1/x", fields=head.fields)
        signed = sign_response(
            answer,
            about,
            public_url=self.url,
            caller=parsed.members if parsed and self.lie != "unbound" else None,
            key=key,
            now=signed_at,
        )
        fields += signed.fields if self.lie != "unsigned" else ()
        return self._told(status, fields, body)

    def _verify_jws(self, head: Head, content: bytes, now: Instant) -> None:
        parsed = parse_message_jws(head)
        client, service = parse_subsystem(head.get("x-road-client") or ""), parse_service("/".join(_called(head)))
        proof = verify_message_jws(
            head, parsed, self.caller.public, client=client, service=service, public_url=self.url,
            has_body=bool(content), now=now,
        )  # fmt: skip
        verify_content_digest(digested(head, proof), Body(content))

    def _told(self, status: int, fields: Fields, body: bytes) -> tuple[AnswerHead, bytes]:
        """What was signed, and what is told: they differ where the lie is about what is signed."""
        fields += (("Motlan-Outcome", "FOUND"),) if self.lie == "field added" else ()
        fields = tuple((n, "changed" if n == "Motlan-Receipt" and self.lie == "field" else v) for n, v in fields)
        return (
            AnswerHead(status=201 if self.lie == "status" else status, fields=fields),
            body if self.lie != "body" else body.replace(b"FOUND", b"fOUND"),
        )


LIES = ("body", "field", "field added", "status", "unsigned", "other key", "other request", "unbound", "old")


def _called(head: Head) -> list[str]:
    """The five parts of the service in a path."""
    return head.path.split("/")[2:7]


def _handler(owner: SignedServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            head = Head(method=self.command, target=self.path, fields=tuple(self.headers.items()))
            answer, body = owner.answer(head, content)
            self.send_response(answer.status)
            for name, value in answer.fields:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve  # noqa: N815 - the standard library's names

        def log_message(self, *_args: object) -> None:
            pass

    return Handler
