"""Which epochs a gateway's memory opens: today's, for an hour yesterday's, and those of its sibling processes."""

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.exchange.epochs import Epochs
from gateway.exchange.siblings import Siblings
from gateway.ledger.epoch import Recipient, open_epoch
from gateway.model.instant import vietnam_day
from gateway.storage.memory import MemoryStore
from tests.support.ledger import noise
from tests.support.storage import NOW, TestClock

DAY, HOUR = 86_400, 3600
SECRET = noise("siblings", 32)
TODAY = vietnam_day(NOW)
AUDITOR = X25519PrivateKey.from_private_bytes(noise("auditor", 32))


class Drawn:
    """Bytes that differ each time."""

    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def __call__(self, size):
        self.count += 1
        return noise((self.seed, self.count), size)


@pytest_asyncio.fixture
async def store():
    opened = MemoryStore()
    yield opened
    await opened.close()


def epochs(store, clock, seed="a", siblings=None):
    return Epochs(store.log, clock, Drawn(seed), (Recipient("auditor", AUDITOR.public_key()),), siblings)


def siblings():
    """Those of one more process: each has its own copy."""
    return Siblings.parse(Siblings(TODAY, SECRET).inherited(TODAY))


@pytest.mark.asyncio
async def test_the_epoch_before_is_kept_for_an_hour(store):
    clock = TestClock()
    kept = epochs(store, clock)
    first = await kept.renew()
    clock.pass_(DAY)
    second = await kept.renew()
    clock.pass_(HOUR - 1)
    assert (kept.find(first.id), kept.find(second.id)) == (first, second)
    clock.pass_(2)
    assert (kept.find(first.id), kept.find(second.id)) == (None, second)
    assert kept.find("20779-unheard") is None


@pytest.mark.asyncio
async def test_a_clock_set_back_does_not_keep_it_longer(store):
    clock = TestClock()
    kept = epochs(store, clock)
    first = await kept.renew()
    clock.pass_(DAY)
    await kept.renew()
    clock.pass_(-5)
    assert kept.find(first.id) is None


@pytest.mark.asyncio
async def test_sibling_processes_open_each_others_epochs_and_strangers_do_not(store):
    one, two = epochs(store, TestClock(), "a", siblings()), epochs(store, TestClock(), "b", siblings())
    stranger = epochs(store, TestClock(), "c", Siblings(TODAY, noise("others", 32)))
    made = await one.renew()
    await two.renew()
    await stranger.renew()
    found = two.find(made.id)
    assert found is not None
    assert (found.key, found.pseudonym_key) == (made.key, made.pseudonym_key)
    assert stranger.find(made.id).key != made.key
    assert epochs(store, TestClock(), "d").find(made.id) is None
    sealed = {epoch_id: sealed for epoch_id, _, sealed in await store.log.epochs()}
    assert open_epoch(sealed[made.id], AUDITOR).key == made.key  # the auditors' way to it is as ever


@pytest.mark.asyncio
async def test_yesterdays_epochs_of_siblings_go_out_of_memory_too(store):
    clock = TestClock()
    one, two = epochs(store, clock, "a", siblings()), epochs(store, clock, "b", siblings())
    made = await one.renew()
    await two.renew()
    clock.pass_(DAY)
    await two.renew()
    assert two.find(made.id).key == made.key
    clock.pass_(HOUR + 1)
    assert two.find(made.id) is None
    clock.pass_(2 * DAY)
    await two.renew()
    assert two.find(made.id) is None


@pytest.mark.asyncio
async def test_a_clock_behind_the_shared_secret_gets_keys_of_its_own(store):
    clock = TestClock()
    shared = siblings()
    shared.advance(TODAY + 1)
    made = await epochs(store, clock, "a", shared).renew()
    assert made.id.startswith(f"{TODAY}-")
    assert epochs(store, clock, "b", siblings()).find(made.id).key != made.key


def test_what_a_process_inherits_later_opens_nothing_earlier():
    earlier = siblings()
    keys = earlier.keys(f"{TODAY}-aa")
    later = Siblings.parse(earlier.inherited(TODAY + 3))
    assert keys is not None
    assert later.keys(f"{TODAY}-aa") is None
    assert later.keys(f"{TODAY + 3}-aa") == earlier.keys(f"{TODAY + 3}-aa") != keys


@pytest.mark.parametrize("text", ["", "1", "1:zz", "1:aa", f"x:{SECRET.hex()}"])
def test_what_is_no_secret_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Siblings.parse(text)
