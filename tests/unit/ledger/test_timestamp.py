from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.simulators.tsa import POLICY, Wrong
from gateway.ledger.timestamp import (
    imprint_of,
    parse_token,
    response_of,
    signer_of,
    timestamp_request,
    token_of,
    verify_token,
)
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import TIMESTAMP_INVALID
from gateway.model.instant import from_datetime
from tests.support.attesting import DAY, authority
from tests.support.ledger import MemoryLog

NONCE = 2**63 + 12345
AT = datetime(2026, 11, 22, 9, 30, 15, 250_000, tzinfo=UTC)
AUTHORITY = authority()
TEXT = MemoryLog().files["checkpoint"]


def stamped(text: bytes = TEXT, wrong: Wrong | None = None) -> bytes:
    tsa = AUTHORITY.simulator()
    tsa.wrong = wrong
    return tsa.stamp(timestamp_request(text, NONCE, POLICY))


def verified(response: bytes, text: bytes = TEXT, roots: tuple[bytes, ...] = AUTHORITY.roots) -> int:
    return verify_token(response, text, roots, policy=POLICY, nonce=NONCE)


def test_a_request_is_what_another_library_reads() -> None:
    read = tsp.TimeStampReq.load(timestamp_request(TEXT, NONCE, POLICY), strict=True).native
    assert read["version"] == "v1"
    assert read["message_imprint"]["hash_algorithm"]["algorithm"] == "sha256"
    assert read["message_imprint"]["hashed_message"] == imprint_of(TEXT)
    assert read["req_policy"] == POLICY
    assert read["nonce"] == NONCE
    assert read["cert_req"] is True
    assert "req_policy" not in {k for k, v in tsp.TimeStampReq.load(timestamp_request(TEXT, 1)).native.items() if v}
    with pytest.raises(ValueError):
        timestamp_request(TEXT, 0)


def test_a_timestamp_verifies_and_says_when_in_whole_seconds() -> None:
    tsa = AUTHORITY.simulator()
    tsa.clock = lambda: AT
    response = tsa.stamp(timestamp_request(TEXT, NONCE))
    described = parse_token(response)
    assert (described.nonce, described.imprint, described.policy) == (NONCE, imprint_of(TEXT), POLICY)
    early = authority(starts=-3650 * DAY)
    tsa = early.simulator()
    tsa.clock = lambda: datetime.now(UTC).replace(microsecond=250_000)
    response = tsa.stamp(timestamp_request(TEXT, NONCE))
    at = verify_token(response, TEXT, early.roots)
    assert at == parse_token(response).at
    assert at == from_datetime(tsp.TimeStampResp.load(response).native["time_stamp_token"]["content"]
                               ["encap_content_info"]["content"]["gen_time"].replace(microsecond=0))  # fmt: skip


def test_the_token_comes_out_byte_for_byte_and_goes_back() -> None:
    response = stamped()
    token = token_of(response)
    assert token == tsp.TimeStampResp.load(response)["time_stamp_token"].dump()
    assert response_of(token) == response
    assert signer_of(response) == AUTHORITY.certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("wrong", [Wrong.NONCE, Wrong.NO_NONCE, Wrong.IMPRINT, Wrong.POLICY, Wrong.SIGNATURE])
def test_a_timestamp_of_something_else_does_not_verify(wrong: Wrong) -> None:
    with pytest.raises(ExchangeError) as refused:
        verified(stamped(wrong=wrong))
    assert refused.value.kind is TIMESTAMP_INVALID


def test_a_refusal_says_so() -> None:
    with pytest.raises(ExchangeError, match="grants no timestamp"):
        parse_token(stamped(wrong=Wrong.REJECTED))


def test_another_text_does_not_verify() -> None:
    with pytest.raises(ExchangeError):
        verified(stamped(), TEXT + "— witness.example AAAA\n".encode())
    with pytest.raises(ExchangeError):
        verified(stamped(), b"")


@pytest.mark.parametrize(
    ("reason", "made"),
    [
        ("another root", authority),
        ("no purpose", lambda: authority(purpose="none")),
        ("another purpose", lambda: authority(purpose="signing")),
        ("purpose not critical", lambda: authority(critical=False)),
        ("ended before the stamp", lambda: authority(starts=-2 * DAY, ends=-DAY)),
        ("begins after the stamp", lambda: authority(starts=DAY)),
    ],
)
def test_an_authority_that_may_not_stamp(reason: str, made: Callable[[], object]) -> None:
    other = made()
    response = other.simulator().stamp(timestamp_request(TEXT, NONCE, POLICY))  # type: ignore[attr-defined]
    roots = AUTHORITY.roots if reason == "another root" else other.roots  # type: ignore[attr-defined]
    with pytest.raises(ExchangeError) as refused:
        verified(response, roots=roots)
    assert refused.value.kind is TIMESTAMP_INVALID


def test_certificates_that_ended_since_still_verify() -> None:
    past = authority(starts=-10 * DAY, ends=-5 * DAY)
    tsa = past.simulator()
    tsa.clock = lambda: datetime.fromtimestamp(datetime.now(UTC).timestamp() - 7 * DAY, UTC)
    # The CAs of this test begin a day ago, so the whole chain cannot be judged a week ago: only the leaf is at issue.
    with pytest.raises(ExchangeError):
        verify_token(tsa.stamp(timestamp_request(TEXT, NONCE)), TEXT, past.roots)
    short = authority(starts=-7200, ends=-3600)
    tsa = short.simulator()
    tsa.clock = lambda: datetime.fromtimestamp(datetime.now(UTC).timestamp() - 5400, UTC)
    assert verify_token(tsa.stamp(timestamp_request(TEXT, NONCE)), TEXT, short.roots)


def test_one_authority_alone_can_be_demanded() -> None:
    other = authority()
    assert verify_token(stamped(), TEXT, AUTHORITY.roots, authority=AUTHORITY.certificate.public_bytes(Encoding.DER))
    with pytest.raises(ExchangeError):
        verify_token(stamped(), TEXT, AUTHORITY.roots, authority=other.certificate.public_bytes(Encoding.DER))
    with pytest.raises(ExchangeError):
        verify_token(stamped(), TEXT, ())
    with pytest.raises(ExchangeError):
        verify_token(stamped(), TEXT, (b"no certificate",))


def test_every_cut_and_every_flipped_byte_is_refused() -> None:
    response = stamped()
    for length in range(0, len(response), 97):
        with pytest.raises(ExchangeError):
            verified(response[:length])
    accepted = []
    for place in range(0, len(response), 13):
        broken = bytearray(response)
        broken[place] ^= 1
        try:
            verified(bytes(broken))
        except ExchangeError:
            continue
        accepted.append(place)
    # What the signature does not cover: algorithm parameters, and the certificates that are carried but not needed.
    assert len(accepted) <= 5
    for junk in (b"", b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"<html>", bytes(2_000_000)):
        with pytest.raises(ExchangeError):
            verified(junk)
        with pytest.raises(ExchangeError):
            token_of(junk)
