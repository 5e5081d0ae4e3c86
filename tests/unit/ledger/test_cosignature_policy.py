from itertools import chain, combinations

import pytest

from gateway.ledger.cosignature_policy import parse_policy
from gateway.ledger.note import KeyType
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import WITNESS_POLICY_INVALID
from tests.support.ledger import ORIGIN, signing_key

LOG, _ = signing_key("log", ORIGIN)
KEYS = {
    name: signing_key(name, f"witness.example/{name}", KeyType.COSIGNATURE)[0]
    for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
}

EXAMPLE = f"""# the example of C2SP tlog-policy
log {LOG.encode()}

witness X1 {KEYS["X1"].encode()} https://x1.example/
witness X2 {KEYS["X2"].encode()}
\twitness X3\t {KEYS["X3"].encode()}
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS["Y1"].encode()}
witness Y2 {KEYS["Y2"].encode()}
witness Y3 {KEYS["Y3"].encode()}
group Y-witnesses any Y1 Y2 Y3
 # indented comment
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_standards_example_counts_every_subset_as_it_says() -> None:
    policy = parse_policy(EXAMPLE.encode())
    assert policy.logs == (LOG,)
    assert [(each.name, each.url) for each in policy.witnesses][:2] == [("X1", "https://x1.example/"), ("X2", None)]
    names = list(KEYS)
    for chosen in chain.from_iterable(combinations(names, count) for count in range(7)):
        expected = sum(name[0] == "X" for name in chosen) >= 2 and any(name[0] == "Y" for name in chosen)
        assert policy.satisfied([KEYS[name] for name in chosen]) is expected, chosen


def test_one_witness_none_and_strangers() -> None:
    one = parse_policy(f"witness a {KEYS['X1'].encode()}\nquorum a\n".encode())
    assert one.satisfied({KEYS["X1"]})
    assert not one.satisfied({KEYS["X2"]})
    assert not one.satisfied(())
    assert parse_policy(b"quorum none").satisfied(())


A, B = f"witness a {KEYS['X1'].encode()}", f"witness b {KEYS['X2'].encode()}"
SAME_KEY = f"witness c other.example/w+00000000+{KEYS['X1'].encode().rpartition('+')[2]}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "no quorum"),
        (A, "no quorum"),
        (f"{A}\nquorum b", "line 2"),
        (f"quorum a\n{A}", "line 1"),
        (f"{A}\nquorum a\nquorum a", "line 3"),
        (f"{A}\n{A}\nquorum a", "line 2"),
        (f"{A}\nwitness c {KEYS['X1'].encode()}\nquorum a", "line 2"),
        (f"{A}\n{SAME_KEY}\nquorum a", "line 2"),
        (f"{A}\nwitness none {KEYS['X2'].encode()}\nquorum a", "line 2"),
        (f"{A}\ngroup a any a\nquorum a", "line 2"),
        (f"{A}\ngroup g 2 a\nquorum g", "line 2"),
        (f"{A}\ngroup g 0 a\nquorum g", "line 2"),
        (f"{A}\ngroup g 01 a\nquorum g", "line 2"),
        (f"{A}\ngroup g any\nquorum g", "line 2"),
        (f"{A}\ngroup g any none\nquorum g", "line 2"),
        (f"{A}\ngroup g any b\n{B}\nquorum g", "line 2"),
        (f"{A}\n{B}\ngroup g all a a\nquorum g", "line 3"),
        (f"{A}\n{B}\ngroup g any a\ngroup h any a b\nquorum h", "line 4"),
        (f"{A}\nquorum a extra", "line 2"),
        (f"{A} https://a.example extra\nquorum a", "line 1"),
        (f"witness a {LOG.encode()}\nquorum a", "line 1"),
        (f"log {KEYS['X1'].encode()}\nquorum none", "line 1"),
        (f"log {LOG.encode()}\nlog {LOG.encode()}\nquorum none", "line 2"),
        ("log nonsense\nquorum none", "line 1"),
        ("Quorum none", "line 1"),
        ("quorum none\r\n", "control"),
        ("quorum none\n#" + "x" * 300_000, "too long"),
        ("\n" * 2000 + "quorum none", "1024"),
    ],
)
def test_a_file_that_is_no_policy_is_named_by_its_line(text: str, line: str) -> None:
    with pytest.raises(ExchangeError, match=line) as refused:
        parse_policy(text.encode())
    assert refused.value.kind is WITNESS_POLICY_INVALID


def test_octets_that_are_not_utf8() -> None:
    with pytest.raises(ExchangeError):
        parse_policy(b"# \xff\nquorum none\n")
