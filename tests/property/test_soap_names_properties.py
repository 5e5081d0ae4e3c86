"""No name that libxml2 sees in a message of a stranger is overlooked, however the message hides it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.soap.vocabulary import Vocabulary

NAME = st.sampled_from(["a", "b:c", "đ", "x-y.z", "b:x1", "include"])
VALUE = st.text(alphabet="ab >'=:/đ\t", max_size=8).map(lambda text: text.replace("<", "").replace("&", ""))
SPACE = st.sampled_from([" ", "\n", "\t ", "  "])
HIDDEN = st.sampled_from(
    ["<![CDATA[ <n m='1' ]]>", '<!-- <n m="2> -->', "<![CDATA[>]]>", "text = 'x'", "&lt;n o='1'", "", "\"'"]
)


@st.composite
def attribute(draw: st.DrawFn, number: int) -> str:
    value, quote = draw(VALUE), draw(st.sampled_from("\"'"))
    value = value.replace(quote, "")
    gap = draw(st.sampled_from(["", " ", "\n"]))
    return f"{draw(SPACE)}{draw(NAME)}{number}{gap}={gap}{quote}{value}{quote}"


@st.composite
def element(draw: st.DrawFn, depth: int = 0) -> str:
    name = draw(NAME)
    attributes = "".join(draw(attribute(number)) for number in range(draw(st.integers(0, 3))))
    spaces = draw(st.sampled_from([' xmlns:q="urn:p"', " xmlns:q = 'urn:q'", ""]))
    inner = "".join(draw(element(depth + 1)) for _ in range(draw(st.integers(0, 2)) if depth < 2 else 0))
    return f"<{name}{attributes}{spaces}>{draw(HIDDEN)}{inner}{draw(HIDDEN)}</{name}>"


@settings(max_examples=60, deadline=None)
@given(st.lists(element(), min_size=1, max_size=3))
def test_every_name_is_counted(elements: list[str]) -> None:
    words = Vocabulary()
    for text in elements:
        data = f'<r xmlns:b="urn:b">{text}</r>'.encode()
        words.remember(words.look(data))
        assert not words.look(data).new
        assert names_in(data) <= words._names


@settings(max_examples=60, deadline=None)
@given(st.lists(element(), min_size=2, max_size=5), st.lists(element(), min_size=1, max_size=3))
def test_what_is_like_known_messages_hides_nothing_either(known: list[str], elements: list[str]) -> None:
    words = Vocabulary()
    words.learn([b"r", b"b", b"urn:b"])
    for text in known:
        words.remember(words.look(f'<r xmlns:b="urn:b">{text}</r>'.encode()))
        words.look(f'<r xmlns:b="urn:b">{text}</r>'.encode())
    for text in elements:
        data = f'<r xmlns:b="urn:b">{text}</r>'.encode()
        if not words.look(data).new:
            assert names_in(data) <= words._names


def test_another_name_in_a_known_place():
    words = Vocabulary()
    data = b'<a b="1" xmlns:p="urn:p"><p:c d="2"/><e f="g"></e></a>'
    words.remember(words.look(data))
    for _ in range(20):
        assert not words.look(data.replace(b"1", b"other")).new
    for known, name in ((b"b", b"B"), (b"p:c", b"p:C"), (b"urn:p", b"urn:P"), (b"e f", b"e F"), (b"<a ", b"<A ")):
        assert words.look(data.replace(known, name)).new
    assert words.look(b"""<a b='"' z="1" d='"'/>""").new
    assert words.look(b"""<a b=">" z="1" d=">"/>""").new
    assert words.look(b"""<a b="1">"<p:c z="2"/></a>""").new


def names_in(data: bytes) -> set[bytes]:
    """The names that a parser finds."""
    found: set[str] = set()
    for each in etree.fromstring(data).iter(etree.Element):
        names = {each.prefix or "", each.tag, *each.attrib, *each.nsmap.values()}
        found |= {text for name in names for text in (etree.QName(name).localname if name[:1] == "{" else name,)}
    return {text.encode() for text in found if text}
