"""Motlan-JWS under attack at a real gateway. What the verifier says of a text by itself is in ``test_jws_signatures``."""

import base64
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.keys.file import FileKey
from gateway.model.ids import SubsystemId, encode
from gateway.model.message import Body
from gateway.signing.digest import content_digest
from tests.support.attacks import World, world
from tests.support.gateways import ECHO, OTHER, PORTAL, PURPOSE, WRITE
from tests.support.rawhttp import Message

REQUEST = "motlan-request+jwt"
COPIES = 50


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site"), extra="[capacity]\nrefusals_per_minute = 100000\n") as made:
        yield made


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(key: FileKey, payload: dict[str, Any], **header: str) -> str:
    """A JWS that is right over whatever it says."""
    protected = {"alg": key.jws_algorithm, "typ": REQUEST, "x5t#S256": key.keyid} | header
    base = f"{b64(json.dumps(protected).encode())}.{b64(json.dumps(payload).encode())}"
    return f"{base}.{b64(key.sign_jws(base.encode()))}"


def claims(gate: World, message: Message, **changed: Any) -> dict[str, Any]:
    """What a right JWS states of a request. changed: claims, or members of ``signed``."""
    at = gate.clock.now() // 1_000_000
    head = message.head
    names = [name.lower() for name, _ in head.fields if name.lower() not in {"host", "content-digest"}]
    signed = {
        "method": head.method,
        "target": message.url + head.target,
        "headers": {name: head.get(name) for name in names},
    }
    if message.body:
        signed["digest"] = content_digest(Body(message.body))
    stated = {
        "iss": head.get("x-road-client"),
        "aud": str(ECHO),
        "iat": at,
        "exp": at + 60,
        "jti": secrets.token_urlsafe(16),
        "signed": signed | {name: changed.pop(name) for name in ("method", "target", "digest") if name in changed},
    }
    return stated | changed


def plain(gate: World, **how: Any) -> Message:
    """A request as anybody writes it before it is signed."""
    return gate.message(**how).having(signature=None, signature_input=None)


def stated(gate: World, *, client: SubsystemId = PORTAL, key: FileKey | None = None, **how: Any) -> Message:
    """A request with a right JWS. how: of the request, or changed claims."""
    of_request = {name: how.pop(name) for name in ("method", "path", "body", "fields", "service") if name in how}
    message = plain(gate, client=client, **of_request)
    return signed(message, compact(key or gate.key(client), claims(gate, message, **how)))


def signed(message: Message, text: str) -> Message:
    return message.having(("Motlan-JWS", text))


def refuses(gate: World, message: Message, code: str, status: int, *, recorded: bool = False) -> None:
    gate.refuses(message, code, status, recorded=recorded, signed=False)


def test_a_right_one_passes_once(gate: World) -> None:
    message, forwarded, rows = stated(gate), gate.forwarded, gate.rows()
    response = gate.send(message)
    assert (response.status, response.code) == (200, None), response.body
    assert gate.forwarded == forwarded + 1
    assert [each["kind"] for each in gate.records(rows)] == ["request", "answer"]
    answer = json.loads(base64.urlsafe_b64decode((response.head.get("motlan-jws") or "").split(".")[1] + "=="))
    assert answer["request_jti"]
    refuses(gate, message, "client.replayed_nonce", 409, recorded=True)


def test_one_jti_serves_one_request_of_one_key(gate: World) -> None:
    jti = "a-jti-of-16-characters"
    assert gate.send(stated(gate, jti=jti)).status == 200
    refuses(gate, stated(gate, jti=jti, body=b'{"b":2}'), "client.replayed_nonce", 409, recorded=True)
    message = plain(gate, client=OTHER)
    assert gate.send(signed(message, compact(gate.key(OTHER), claims(gate, message, jti=jti)))).status == 200


def test_a_jti_is_no_nonce(gate: World) -> None:
    """What one way of signing used up, the other may use."""
    value = "shared-by-both-of-them"
    assert gate.send(stated(gate, jti=value)).status == 200
    gate.accepts(gate.message(nonce=f'"{value}"'))


def test_fifty_copies_at_once(gate: World) -> None:
    forwarded = gate.forwarded
    answers = gate.send_at_once([stated(gate)] * COPIES)
    assert Counter(each.code for each in answers) == {None: 1, "client.replayed_nonce": COPIES - 1}
    assert gate.forwarded == forwarded + 1


def test_a_message_id_serves_once(gate: World) -> None:
    fields = {"X-Road-Id": "jws-1"}
    assert gate.send(stated(gate, fields=fields)).status == 200
    refuses(gate, stated(gate, fields=fields), "client.message_id_reused", 409, recorded=True)


def test_after_a_restart_too(gate: World) -> None:
    message = stated(gate)
    assert gate.send(message).status == 200
    gate.restart()
    refuses(gate, message, "client.replayed_nonce", 409, recorded=True)


def test_on_another_request_it_is_none(gate: World) -> None:
    right = stated(gate)
    mismatch = "client.jws_mismatch"
    refuses(gate, right.at(method="PUT"), mismatch, 401)
    refuses(gate, right.at(target=right.head.target + "/more"), mismatch, 401)
    refuses(gate, right.at(target=right.head.target + "?a=1"), mismatch, 401)
    refuses(gate, right.at(target="/r1/" + encode(WRITE)), mismatch, 401)
    refuses(gate, right.having(host=f"localhost:{gate.site.port}"), mismatch, 401)
    refuses(gate, right.having(motlan_purpose='"9.999"'), mismatch, 401)
    refuses(gate, right.having(x_road_userid="boss"), "client.signature_cover_incomplete", 401)
    refuses(gate, right.having(content_digest=content_digest(Body(b"{}"))), mismatch, 401)
    assert gate.send(right).status == 200  # none of that used it up


def test_another_body_than_was_stated(gate: World) -> None:
    right = stated(gate)
    refuses(gate, right.having(body=b'{"a":2}'), "client.digest_mismatch", 400, recorded=True)
    refuses(gate, right, "client.replayed_nonce", 409, recorded=True)
    bare = stated(gate).having(content_digest=None)  # a JWS may be all that says it
    refuses(gate, bare.having(body=b'{"a":2}'), "client.digest_mismatch", 400, recorded=True)
    assert gate.send(stated(gate).having(content_digest=None)).status == 200


CONFUSED = {
    "a trust list's type": "motlan-trust+jwt",
    "a bundle's type": "motlan-bundle+jwt",
    "an answer's type": "motlan-response+jwt",
    "any type": "JWT",
}


@pytest.mark.parametrize("name", CONFUSED)
def test_a_jws_of_another_use(gate: World, name: str) -> None:
    message = plain(gate)
    text = compact(gate.key(), claims(gate, message), typ=CONFUSED[name])
    refuses(gate, signed(message, text), "client.jws_malformed", 400)


def test_jws_that_the_gateway_and_the_publisher_signed_are_no_requests(gate: World) -> None:
    message = plain(gate)
    answer = gate.send(stated(gate)).head.get("motlan-jws") or ""
    published = (gate.site.pki.folder / "trust/list.jws").read_text().strip()
    refuses(gate, signed(message, answer), "client.jws_malformed", 400)
    for text in (published[:4000], answer.replace(".", "..", 1), f"{answer.split('.')[0]}.{answer.split('.')[1]}."):
        refuses(gate, signed(message, text), "client.jws_malformed", 400)


def test_whose_key_it_is(gate: World) -> None:
    message = plain(gate)
    stranger = compact(gate.key(OTHER), claims(gate, message))
    refuses(gate, signed(message, stranger), "client.key_of_another_subsystem", 403)
    hidden = compact(gate.key(OTHER), claims(gate, message), **{"x5t#S256": gate.key().keyid, "alg": "ES256"})
    refuses(gate, signed(message, hidden), "client.signature_invalid", 401)
    unknown = compact(gate.key(), claims(gate, message), **{"x5t#S256": "A" * 43})
    refuses(gate, signed(message, unknown), "client.unknown_key", 401)


def test_both_ways_of_signing_at_once(gate: World) -> None:
    both = gate.message()
    refuses(gate, signed(both, compact(gate.key(), claims(gate, both))), "client.bad_header", 400)
    twice = stated(gate)
    refuses(
        gate, twice.having(("Motlan-JWS", twice.head.get("motlan-jws") or "")), "client.duplicate_header_field", 400
    )


def test_it_says_nothing_over_soap(gate: World) -> None:
    message = stated(gate).at(target="/soap")
    forwarded = gate.forwarded
    answer = gate.send(message)
    assert answer.code == "client.invalid_content_type"
    assert gate.forwarded == forwarded


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(-119, None), (-121, "client.signature_expired"), (59, None), (62, "client.signature_not_yet_valid")],
)
def test_at_the_edges_of_its_time(gate: World, seconds: int, code: str | None) -> None:
    at = gate.clock.now() // 1_000_000 + seconds
    message = stated(gate, iat=at, exp=at + 60)
    if code is None:
        assert gate.send(message).status == 200
    else:
        refuses(gate, message, code, 401)


def test_the_provider_is_told_nothing_that_was_not_stated(gate: World) -> None:
    """Not the JWS either: it is no proof to anybody but us."""
    message = stated(gate).having(x_tracking="secret", x_forwarded_for="1.2.3.4", x_http_method_override="DELETE")
    response = gate.send(message)
    assert response.status == 200
    told = {name.lower() for name, _ in response.json()["headers"]}
    assert not told & {"motlan-jws", "x-tracking", "x-forwarded-for", "x-http-method-override"}


def test_an_answer_names_the_request_that_it_is_to(gate: World) -> None:
    first, second = gate.send(stated(gate)), gate.send(stated(gate))
    hashes = [
        json.loads(base64.urlsafe_b64decode((each.head.get("motlan-jws") or "").split(".")[1] + "=="))["request_sha256"]
        for each in (first, second)
    ]
    assert hashes[0] != hashes[1]


def test_purpose_is_what_was_stated(gate: World) -> None:
    message = plain(gate, fields={"Motlan-Purpose": f'"{PURPOSE}";basis="none"'})
    text = compact(gate.key(), claims(gate, message))
    refuses(gate, signed(message, text), "server.serverproxy.basis_not_granted", 403, recorded=True)
