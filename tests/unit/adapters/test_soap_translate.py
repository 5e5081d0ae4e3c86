"""What readers and writers of elements do with what no schema describes."""

import secrets

import pytest
from lxml import etree

from adapters.soap.translate_read import ReaderCompiler
from adapters.soap.translate_shapes import Items, Kind, Markup, Member, MisfitError, Record, Scalar
from adapters.soap.translate_write import WriterCompiler
from tests.support.soap_attacks import resident

TEXT = Scalar(kind=Kind.STRING)
OPEN = Record(extra=Member(name="", tag="extra", shape=Record()))


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        (Record(), "<a n031093271828='x'/>"),
        (Record(), "<a><n031093271828/></a>"),
        (Items(item=Member(name="b", tag="b", shape=TEXT)), "<a><n031093271828/></a>"),
        (OPEN, "<a><n031093271828 name='x'/></a>"),
        (OPEN, "<a><extra name='x' n031093271828=''/></a>"),
        (OPEN, "<a><extra name='x'><n031093271828/></extra></a>"),
    ],
)
def test_no_number_in_a_name_is_told(shape, data):
    with pytest.raises(MisfitError) as refused:
        ReaderCompiler({}).compile(shape)(etree.fromstring(data))
    assert "…" in refused.value.place
    assert "031093271828" not in refused.value.place


@pytest.mark.parametrize("shape", [Markup(), Record(any_at=0)], ids=["markup", "any"])
def test_xml_within_json_leaves_no_names_behind(shape):
    write = WriterCompiler({}, {}).root("a", shape)
    before = 0
    for number in range(30):
        text = f"<x>{''.join(f'<n{secrets.token_hex(60)}/>' for _ in range(4000))}</x>"
        written = write(text if isinstance(shape, Markup) else {"#any": [text]})
        assert written.startswith(b"<a><x><n")
        if number == 4:
            before = resident()
    assert resident() - before < 8 * 1024 * 1024


@pytest.mark.parametrize("text", ["</x><x>", "<b>", "<b/", "<!DOCTYPE a><a/>", "\ud800", "&b;"])
def test_xml_within_json_is_nothing_but_content(text):
    write = WriterCompiler({}, {}).root("a", Markup())
    with pytest.raises(MisfitError):
        write(text)
    assert write("b <c d='e'/>") == b'<a>b <c d="e"></c></a>'
