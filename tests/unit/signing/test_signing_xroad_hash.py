"""X-Road-Request-Hash, recomputed step by step as PR-REST §4.3 and protocols.md §1 describe it."""

import base64
import hashlib

from gateway.model.message import EMPTY, Body
from gateway.signing.xroad_hash import request_hash

FIELDS = (("X-Road-Client", "VN/GOV/H31/portal"), ("accept", "application/json"), ("X-Name", "Nguy\xe1\xbb\x85n"))
HEAD = (
    b"POST\r\n/r1/VN/GOV/G01/population/citizen/a%2Fb?x=1\r\n"
    b"X-Road-Client:VN/GOV/H31/portal\r\naccept:application/json\r\nX-Name:Nguy\xe1\xbb\x85n\r\n"
    b"X-Road-Request-Id:req-1\r\n"
)
TARGET = "/r1/VN/GOV/G01/population/citizen/a%2Fb?x=1"


def _sha(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def test_with_a_body():
    value = request_hash(method="POST", target=TARGET, forwarded=FIELDS, body=Body(b"abc"), request_id="req-1")
    assert base64.b64decode(value) == _sha(_sha(HEAD) + _sha(b"abc"))


def test_without_a_body():
    value = request_hash(method="POST", target=TARGET, forwarded=FIELDS, body=EMPTY, request_id="req-1")
    assert base64.b64decode(value) == _sha(HEAD)


def test_message_id_that_the_gateway_made_comes_last():
    value = request_hash(method="POST", target=TARGET, forwarded=FIELDS, body=EMPTY, request_id="req-1", made_id="id-1")
    assert base64.b64decode(value) == _sha(HEAD + b"X-Road-Id:id-1\r\n")
