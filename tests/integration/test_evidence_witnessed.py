"""Evidence out of a gateway that witnesses and a timestamp authority watch: one checkpoint that both have seen."""

import time
from contextlib import AsyncExitStack

import pytest

from gateway.ledger.evidence_witnesses import COSIGNED
from gateway.ledger.note import VerifierKey, parse_vkey
from gateway.model.instant import rfc3339
from tests.support.attesting import witness
from tests.support.cli import refused, run
from tests.support.evidence_office import KEPT, export, stamped_office, verify
from tests.support.exchanges import json_answer
from tests.support.served import publish

_WITNESSES = """
[witnesses]
policy = "{policy}"
every_seconds = 1.0
alarm_seconds = 30.0
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The gateway, two witnesses, and a third whose key a verifier might name."""
    folder = tmp_path_factory.mktemp("witnessed")
    policy = folder / "witnesses.policy"
    policy.write_text("quorum none\n")
    with stamped_office(folder, extra=_WITNESSES.format(policy=policy)) as made:
        made.provider.reply = json_answer({"full_name": "Nguyễn Thị Ánh"})
        log = parse_vkey(made.site.pki.log_vkey)
        stack = AsyncExitStack()

        async def start():
            return [await stack.enter_async_context(witness(folder, name, {log.name: (log,)})) for name in "ab"]

        made.witnesses = made.run(start())
        lines = [
            f"witness {name} {each.key.encode()} {each.url}/" for name, each in zip("ab", made.witnesses, strict=True)
        ]
        policy.write_text("\n".join([*lines, "group both all a b", "quorum both", ""]))
        made.restart()
        yield made
        made.run(stack.aclose())


def wait_for_both(office, record):
    """Until a checkpoint with this record in it was cosigned by both, and stamped; the log grows meanwhile."""
    log = office.gateway.core.store.log
    for _ in range(100):
        stored = office.run(log.record(record))
        if stored.index is not None:
            cosigned = [each.size for each in office.run(log.attestations("cosignature", size=stored.index + 1))]
            stamped = {each.size for each in office.run(log.attestations("timestamp", size=stored.index + 1))}
            if any(cosigned.count(size) == 2 and size in stamped for size in cosigned):
                return
        office.send(office.message())
        time.sleep(0.1)
    raise AssertionError("no checkpoint was both cosigned and stamped")


def test_a_container_with_cosignatures(office, tmp_path):
    answer = office.send(office.message(service=KEPT, body=b'{"identity_number":"031093271828"}'))
    record = answer.head.get("motlan-receipt")
    wait_for_both(office, record)
    file = tmp_path / "x.asice"
    made = export(office, record, file)
    assert (made["log_stamped"], made["wrong"]) == (True, [])
    a, b = (each.key for each in office.witnesses)
    both = ("--witness", a.encode(), "--witness", b.encode())
    code, found = verify(office, file, *both, "--quorum", "2")
    assert (code, {each["verdict"] for each in found["findings"]}) == (0, {"proved"})
    assert found["leaves_open"] == []
    (said,) = [each["detail"] for each in found["findings"] if each["what"] == COSIGNED.en]
    assert said.startswith(f"2: {a.name} at ")
    assert said.endswith("; 2 demanded")
    # One of them is known; none is; one more is wanted than there are.
    assert verify(office, file, "--witness", a.encode(), "--quorum", "1")[0] == 0
    assert verify(office, file)[0] == 0
    stranger = VerifierKey("witness.example/c", b.public, b.type)
    for options in (("--quorum", "1"), ("--witness", stranger.encode(), "--quorum", "1"), (*both, "--quorum", "3")):
        code, found = verify(office, file, *options)
        assert code == 1
        assert [each["what"] for each in found["findings"] if each["verdict"] == "failed"] == [COSIGNED.en]


def test_a_trust_list_may_name_the_witnesses(office, tmp_path):
    """Among its logs, by the keys that they cosign with; the gateway goes on with such a list as with any."""
    log = parse_vkey(office.site.pki.log_vkey)
    named = [{"origin": key.name, "vkey": key.encode()} for key in (log, *(each.key for each in office.witnesses))]
    publish(office.site, serial=2, issued=rfc3339(office.clock.now()), logs=named)
    office.restart()
    answer = office.send(office.message(service=KEPT, body=b'{"identity_number":"031093271828"}'))
    record = answer.head.get("motlan-receipt")
    wait_for_both(office, record)
    file = tmp_path / "x.asice"
    assert export(office, record, file)["wrong"] == []
    assert verify(office, file, "--quorum", "2")[0] == 0
    assert verify(office, file, "--quorum", "3")[0] == 1


def test_a_key_that_is_no_witnesss(office, tmp_path):
    file = tmp_path / "x.asice"
    file.write_bytes(b"")
    options = ("evidence", "verify", file, "--trust", office.site.pki.trust_list)
    assert "a witness cosigns with another kind" in refused(*options, "--witness", office.site.pki.log_vkey, code=2)
    assert run(*options, "--witness", "nonsense").code == 1
    crl = tmp_path / "x.crl"
    crl.write_bytes(b"-----BEGIN nothing")
    assert "no revocation list in DER or PEM" in refused(*options, "--crl", crl)
