"""A log that changed its key: evidence from before, across and after it, and evidence by a key whose time was over."""

import pytest

from adapters.simulators.parties import PORTAL
from gateway.keys.file import load_public_key
from gateway.ledger.evidence import Stamp
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_logs import log_keys_in, witnesses_in
from gateway.ledger.evidence_verify import verify_evidence
from gateway.ledger.note import add_signature
from gateway.model.instant import plus
from gateway.trust.document import Signers
from gateway.trust.jws import payload_of
from gateway.trust.wire import decode
from tests.support.evidence import bench
from tests.support.evidence_attested import later_list, lines_of, logs, witness, witnessed
from tests.support.ledger import signing_key
from tests.support.pki import DAY

ORIGIN = "motlan.example/log"
NEW, SIGN_NEW = signing_key("the next log key", ORIGIN)


def bench_of(seed):
    """A bench, and the lists that follow one another: the old key alone, both, the new one alone."""
    made = bench(seed)
    old = made.log.key.encode()
    both = later_list(made, serial=2, days=1, logs=logs(old, NEW.encode()))
    ended = later_list(made, serial=3, days=10, logs=logs(NEW.encode()))
    return made, both, ended


def exchange(made, days=0.0):
    made.now = plus(made.now, days * DAY)
    return made.exchange(PORTAL)


def failed(verified):
    return {each.detail for each in verified.findings if each.verdict is Verdict.FAILED}


def in_force(made, trust):
    """From here on the records name that list."""
    made.list = trust


# -- as it should be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", ["first", "both", "ended", "all"])
def test_before_it(known):
    made, both, ended = bench_of("before")
    lists = {"first": (made.list,), "both": (both,), "ended": (ended,), "all": (made.list, both, ended)}[known]
    data = made.container(made.material(made.exchange(PORTAL)))
    assert verify_evidence(data, made.anchors(lists=lists)).holds


@pytest.mark.parametrize("vkey", ["old", "new"])
@pytest.mark.parametrize("known", ["first", "both", "ended"])
def test_across_it_by_either_key(known, vkey):
    made, both, ended = bench_of("across")
    first = made.list
    in_force(made, both)
    records = exchange(made, 2)
    note = add_signature(made.log.files["checkpoint"], NEW, SIGN_NEW)
    lines = note[len(made.log.files["checkpoint"]) :]
    chosen = made.log.key if vkey == "old" else NEW
    material = witnessed(made, records, lines, trust=(both,), vkey=chosen.encode())
    verified = verify_evidence(
        made.container(material), made.anchors(lists=({"first": first, "both": both, "ended": ended}[known],))
    )
    assert verified.holds, failed(verified)


@pytest.mark.parametrize("known", ["first", "ended"])
def test_after_it_also_of_a_record_from_before(known):
    made, _, ended = bench_of("after")
    first, records = made.list, made.exchange(PORTAL)
    made.log.key, made.log.sign = NEW, SIGN_NEW
    made.log.publish()
    at = plus(made.now, 12 * DAY)
    note = made.log.files["checkpoint"]
    changes = {"made": at, "trust": (made.list, ended), "stamp": Stamp(note, made.stamp(note, at))}
    material = made.material(records, **changes)
    verified = verify_evidence(made.container(material), made.anchors(lists=({"first": first, "ended": ended}[known],)))
    assert verified.holds, failed(verified)


# -- by a key whose time was over --------------------------------------------------------------------------------------


def late(seed, *, made_days, stamped_days, container_days=12, newest=True, stamped=True):
    """A container by the old key. made_days: of the record; stamped_days: of the log's stamp, None: without one;
    container_days: of the container's. newest: whether it carries the list that has taken the key out. stamped: whether
    the container is.
    """
    made, both, ended = bench_of(seed)
    in_force(made, both)
    start = made.now
    records = exchange(made, made_days)
    note = made.log.files["checkpoint"]
    stamp = None if stamped_days is None else Stamp(note, made.stamp(note, plus(start, stamped_days * DAY)))
    trust = (both, ended) if newest else (both,)
    material = made.material(records, trust=trust, stamp=stamp, made=plus(start, container_days * DAY))
    return made, made.container(material, stamped=stamped), ended


@pytest.mark.parametrize(
    ("made_days", "stamped_days", "holds"),
    [
        (2, 2.01, True),
        (9.9, 9.95, True),
        (9.9, 10.5, False),  # nobody saw the checkpoint while the key was the log's
        (11, 11.1, False),
        (2, 11, False),  # dated back, by whoever found the old key
        (2, None, False),  # and without a stamp of the log
        (11, None, False),
    ],
)
def test_a_former_key_signs_nothing_after_its_end(made_days, stamped_days, holds):
    made, data, ended = late("late", made_days=made_days, stamped_days=stamped_days)
    verified = verify_evidence(data, made.anchors(lists=(ended,)))
    assert verified.holds is holds
    if not holds:
        (why,) = failed(verified)
        assert why.startswith("it is signed with a former key of the log, which trust list 3 took out at 2027-01-25")


def test_that_it_ended_may_be_known_from_the_verifiers_own_list_alone():
    made, data, ended = late("unknown", made_days=11, stamped_days=11.1, newest=False)
    assert verify_evidence(data, made.anchors(lists=(later_list(made, serial=2, days=1),))).holds
    assert not verify_evidence(data, made.anchors(lists=(ended,))).holds


@pytest.mark.parametrize(("container_days", "holds"), [(9, True), (10.1, False)])
def test_a_container_that_was_itself_stamped_before_the_end_shows_that_it_is_older(container_days, holds):
    made, data, ended = late("in time", made_days=2, stamped_days=None, container_days=container_days, newest=False)
    assert verify_evidence(data, made.anchors(lists=(ended,))).holds is holds


def test_the_time_that_a_container_states_itself_shows_nothing():
    """Who has the gateway's key and a former key of the log writes any date: without a stamp nobody has seen it then."""
    made, data, ended = late("stated", made_days=2, stamped_days=None, container_days=9, newest=False, stamped=False)
    assert verify_evidence(data, made.anchors()).holds  # who has not heard of the end
    assert not verify_evidence(data, made.anchors(lists=(ended,))).holds
    assert verify_evidence(data, made.anchors(lists=(ended,), vkeys=(made.log.key.encode(),))).holds


def test_a_witness_shows_that_it_is_older():
    made, both, ended = bench_of("witness")
    in_force(made, both)
    records = exchange(made, 2)
    lines = lines_of(made, "a")
    material = witnessed(made, records, lines, trust=(both, ended), stamp=None, made=plus(made.now, 10 * DAY))
    data = made.container(material)
    key, _ = witness("a")
    assert not verify_evidence(data, made.anchors(lists=(ended,))).holds
    assert verify_evidence(data, made.anchors(lists=(ended,), witnesses=(key,))).holds


def test_a_verifier_may_know_better():
    made, data, ended = late("by hand", made_days=11, stamped_days=11.1)
    assert verify_evidence(data, made.anchors(lists=(ended,), vkeys=(made.log.key.encode(),))).holds


# -- what lists say ----------------------------------------------------------------------------------------------------


def test_a_key_ends_with_the_first_list_that_leaves_it_out_and_may_come_back():
    made, both, ended = bench_of("lists")
    old = made.log.key.encode()
    again = later_list(made, serial=4, days=20, logs=logs(old))
    read = [decode(payload_of(each)) for each in (made.list, both, ended, again)]
    assert log_keys_in(read[:2])[old].ended is None
    assert log_keys_in(read[:3])[old].ended == read[2]
    assert log_keys_in((read[2], read[0]))[old].ended == read[2]
    assert log_keys_in(read)[old].ended is None
    assert log_keys_in(read)[NEW.encode()].ended == read[3]


def test_lists_of_other_signers_about_other_logs_end_nothing():
    """A verifier may bring the lists of two countries."""
    made, _, _ = bench_of("countries")
    read = decode(payload_of(made.list))
    stranger = made.pki.role_keys["auditor"].with_name("auditor.pub.pem")
    other = later_list(
        made,
        serial=9,
        signers=Signers(required=1, keys=(load_public_key(stranger),)),
        logs=logs(witness("a")[0].encode()),
    )
    abroad = decode(payload_of(other))
    assert log_keys_in((read, abroad))[made.log.key.encode()].ended is None
    assert set(log_keys_in((read, abroad))) == {made.log.key.encode()}
    assert witnesses_in((read, abroad)) == (witness("a")[0],)
