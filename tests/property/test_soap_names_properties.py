"""No name that libxml2 sees in a message of a stranger is overlooked, however the message hides it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.soap.reading import Vocabulary

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
        for each in etree.fromstring(data).iter(etree.Element):
            names = {each.prefix or "", each.tag, *each.attrib, *each.nsmap.values()}
            texts = {text for name in names for text in (etree.QName(name).localname if name[:1] == "{" else name,)}
            assert {text.encode() for text in texts if text} <= words._names
