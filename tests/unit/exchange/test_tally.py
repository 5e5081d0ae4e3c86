"""Refusals before proof: counted in bounded memory, nothing lost, nothing that an attacker chooses grows."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange.refusing import RefusalRates
from gateway.exchange.tally import Tally, network_of
from gateway.ledger.record import InForce
from gateway.model.ids import RecordId, parse_subsystem
from gateway.model.instant import Instant

ID = RecordId("0197a1c2-0000-7000-8000-000000000001")
NOW = Instant(1_800_000_000_000_000)
IN_FORCE = InForce(policy=None, trust=None, build="test")
CLIENT = parse_subsystem("VN/GOV/H24/portal")


def taken(tally):
    event = tally.take(ID, NOW, IN_FORCE)
    return [] if event is None else event.facts.private[0][1]


refusals = st.tuples(
    st.sampled_from(["client.a", "client.b"]),
    st.text(max_size=300),
    st.ip_addresses().map(str) | st.sampled_from(["", "unix", "::ffff:1.2.3.4%eth0"]),
)


@given(st.lists(refusals, max_size=60))
def test_every_refusal_is_counted_once(refused):
    tally = Tally()
    for code, client, address in refused:
        tally.count(code, client, address, NOW)
    assert sum(row["count"] for row in taken(tally)) == len(refused) == tally.total
    assert taken(tally) == []


def test_whoever_varies_what_they_claim_cannot_make_it_grow():
    tally = Tally()
    for number in range(5_000):
        tally.count("client.signature_missing", f"VN/GOV/X{number}/a", f"10.{number % 250}.1.1", NOW)
    rows = taken(tally)
    assert len(rows) <= 501
    assert sum(row["count"] for row in rows) == 5_000
    assert max(row["count"] for row in rows if row["code"] == "other") == 5_000 - 500


def test_first_of_a_kind_is_dated():
    tally = Tally()
    tally.count("client.a", "", "10.0.0.1", NOW)
    tally.count("client.a", "", "10.0.0.77", Instant(NOW + 5_000_000))
    [row] = taken(tally)
    assert (row["count"], row["network"], row["first"]) == (2, "10.0.0.0/24", "2027-01-15T08:00:00.000Z")


def test_networks_are_no_hosts():
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1::/48"
    assert network_of("no address") == ""


class Hand:
    """A clock that stands still."""

    def __init__(self):
        self.seconds = 0.0

    def monotonic(self):
        return self.seconds

    def now(self):
        return NOW


def test_refused_caller_is_recorded_so_often_a_minute():
    clock = Hand()
    rates = RefusalRates(clock, per_minute=60)
    other = parse_subsystem("VN/GOV/H26/one-stop")
    assert [rates.allow(CLIENT) for _ in range(61)] == [True] * 60 + [False]
    assert rates.allow(other)
    clock.seconds = 1.0
    assert [rates.allow(CLIENT) for _ in range(2)] == [True, False]
    clock.seconds = 1_000.0
    assert [rates.allow(CLIENT) for _ in range(61)] == [True] * 60 + [False]
