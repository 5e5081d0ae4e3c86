"""The names that libxml2 would remember, found before it sees them."""

import pytest

from adapters.soap.vocabulary import Vocabulary
from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import OVERLOADED
from gateway.model.errors.soap import INVALID_XML


@pytest.mark.parametrize(
    "data",
    [
        b"<a></%s>",
        b"<a></p:%s >",
        b"<a>&%s;</a>",
        b"<a b='&%s;'/>",
        b"<a><?%s c?></a>",
        b"<a><?%s?></a>",
        b"<a %s></a>",
        b"<a b='1' %s/>",
        b"<a b='>' %s c='>'/>",
        b"<a b='\"' %s c='\"'></a>",
        b"<a b=' %s></a>",
        b"<a b='1'></a %s='2'>",
        b"<a b='1'></%s c='2'>",
    ],
)
def test_names_in_what_is_not_well_formed_count_too(data: bytes) -> None:
    """libxml2 reads on behind an error, and remembers what it met."""
    words = Vocabulary()
    words.learn([b"a", b"b", b"c", b"p"])
    for _ in range(3):
        words.look(b"<a b='1'></a>")  # so that most of it is known
        words.look(b'<a b="1" c="2"></a>')
    looked = words.look(data % b"strange")
    assert any(b"strange" in token for token in looked.new)
    size = sum(len(token) for token in looked.new)
    with pytest.raises(ExchangeError, match=OVERLOADED.code):
        Vocabulary(most=size).remember(looked)
    assert words.look(data % b"strange").new


@pytest.mark.parametrize("piece", [b"<a></n%d></a>", b"<a>&n%d;</a>", b"<a><?n%d?></a>", b"<a n%d></a>"])
def test_too_many_names_of_any_kind(piece: bytes) -> None:
    with pytest.raises(ExchangeError, match=INVALID_XML.code):
        Vocabulary().look(b"".join(piece % number for number in range(5000)))


def test_entities_that_everybody_may_use_are_none_of_them() -> None:
    assert not Vocabulary().look(b"&amp;&lt;&gt;&quot;&apos;&#10;&#x20;").new


def test_what_one_caller_adds_is_bounded_and_takes_nothing_from_another() -> None:
    words = Vocabulary(most=10_000, share=1000)
    words.remember(words.look(b"<a1/><a2/><a3/><a4/>"), "one")
    for more in (b"<b1/><b2/><b3/><b4/>", b"".join(b"<c%d/>" % number for number in range(9))):
        with pytest.raises(ExchangeError, match=OVERLOADED.code):
            words.remember(words.look(more), "one")
        assert words.look(more).new
    words.remember(words.look(b"<b1/><b2/><b3/><b4/>"), "other")
    assert not words.look(b"<a1/><b4/>").new
