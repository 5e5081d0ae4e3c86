"""What callers write stays a value at the provider: no markup, no second field, no other path, no other header."""

import json
import time
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from lxml import etree

from adapters.mapped import MappedTarget
from adapters.rest.http1 import Response
from adapters.simulators.wire import Answer, Received
from adapters.soap.wsdl import Contract, ContractError
from gateway.mapping.compile import Mapping
from gateway.mapping.context import UnfitError
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.wiring.mappings import compiled as product_mapping
from tests.support.adapters import NOON, SCHEMAS, Countersigned, contract, mapping_file, provider, recorded
from tests.support.exchanges import Provider
from tests.support.mappings import compiled, sent

PLACES = """\
[contract]
protocol = "rest"

[request.all]
fields = [
  { to = "inner/doc/name", from = "/text" },
  { to = "inner/doc/@kind", from = "/text" },
  { to = "plain", from = "/text" },
  { to = "text/a", from = "/text" },
  { to = "q", from = "/text", place = "query" },
  { to = "p", from = "/text", place = "path" },
  { to = "X-Value", from = "/header", place = "header" },
]

[shape.card]
schema = "insurance-card.json"
fields = [{ to = "/card_number", from = "soThe", required = true }]

[[outcome]]
field = "maLoi"
values = { "0" = "FINE" }

[[operation]]
kind = "lookup"

[[operation.call]]
path = "/the/{p}/card"
request = ["all"]
wrap = [{ at = "inner", as = "xml_text" }, { at = "text", as = "json_text" }]
shape = "card"
"""

HOSTILE = {
    "a closing tag": "</name><admin>1</admin><name>",
    "CDATA": "]]><x/><![CDATA[",
    "an entity": "&lt;x&gt;&amp;#60;&name;",
    "a quote": "\" kind2='1' ",
    "a declaration": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;',
    "a comment": "--><!-- x",
    "JSON": '","admin":true,"x":"',
    "a backslash": '\\",\\u0022admin\\u0022:1',
    "a path": "../../admin",
    "an encoded path": "..%2f..%2Fadmin%00",
    "a query": "x&admin=1#f",
    "another place": "{q}{p}/{inner}",
    "a template": "${7*7}{{7*7}}%s%(x)s",
    "a mark": "\\ue0000\\ue000",
}
REFUSED = {
    "a line break": "x\r\nX-Admin: 1",
    "a line feed": "x\ny",
    "NUL": "x\0y",
    "a control character": "x\x1by",
    "a mark of templates": "\ue0000\ue000",
    "half of a pair": "x\ud800",
    "not a character": "x\uffff",
    "turned around": "x\u202ey",
    "too long": "x" * 5000,
    "a dot": "..",
}


@pytest.fixture(scope="module")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Mapping:
    return compiled(tmp_path_factory.mktemp("mapping"), PLACES)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_value_stays_a_value_in_every_place(mapping: Mapping, name: str) -> None:
    value = HOSTILE[name]
    sending = sent(mapping, {"text": value, "header": "plain"})
    assert sending.body is not None
    assert sending.body["plain"] == value
    document = etree.fromstring(sending.body["inner"])
    assert [each.tag for each in document.iter()] == ["doc", "name"]
    assert (document.findtext("name"), dict(document.attrib)) == (value, {"kind": value})
    assert json.loads(sending.body["text"]) == {"a": value}
    assert parse_qsl(sending.query or "", keep_blank_values=True) == [("q", value)]
    parts = sending.path.split("/")
    assert [parts[0], parts[1], unquote(parts[2]), parts[3]] == ["", "the", value, "card"]
    assert len(parts) == 4


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_place_can_carry_is_refused_before_anything_is_sent(mapping: Mapping, name: str) -> None:
    with pytest.raises(UnfitError):
        sent(mapping, {"text": REFUSED[name], "header": "plain"})


@pytest.mark.parametrize("value", ["x\r\nX-Admin: 1", "x\0", "x\r", "\u202e"])
def test_a_header_takes_no_line(mapping: Mapping, value: str) -> None:
    with pytest.raises(UnfitError):
        sent(mapping, {"text": "x", "header": value})


async def asked(
    mapping: Mapping, document: dict[str, str], soap: Contract | None = None
) -> tuple[Outcome, list[Received]]:
    """One call of a provider on a socket: how it ended, and what arrived."""
    system = Provider()
    system.reply = Answer(body=b'{"maLoi":"0","soThe":"1"}')
    await system.start()
    target = MappedTarget(provider(system.url), mapping, contract=soap, now=lambda: NOON)
    try:
        reply = await target.send(recorded(document), Countersigned(), time.monotonic() + 5)
        return reply.outcome, system.seen
    finally:
        await target.close()
        await system.stop()


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.asyncio
async def test_the_provider_gets_one_request_with_one_value(mapping: Mapping, name: str) -> None:
    value = HOSTILE[name]
    outcome, seen = await asked(mapping, {"text": value, "header": "a"})
    if outcome is Outcome.REJECTED:
        assert not seen
        return
    (received,) = seen
    assert json.loads(received.body)["plain"] == value
    assert unquote(urlsplit(received.target).path.split("/")[2]) == value
    assert [value for name, value in received.headers if name.lower() == "x-value"] == ["a"]


@pytest.mark.asyncio
async def test_a_header_that_is_not_latin_is_not_sent(mapping: Mapping) -> None:
    outcome, seen = await asked(mapping, {"text": "x", "header": "Nguyễn"})
    assert (outcome, seen) == (Outcome.REJECTED, [])


# -- SOAP --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.asyncio
async def test_a_value_stays_a_value_in_an_envelope(name: str) -> None:
    value = HOSTILE[name]
    root = etree.fromstring(contract().request("TraCuuThongTinCongDan", {"MaYeuCau": "1", "HoVaTen": value}))
    (element,) = root.iterfind("{*}Body/*")
    assert [etree.QName(each).localname for each in element.iter()] == ["TraCuuThongTinCongDan", "MaYeuCau", "HoVaTen"]
    assert element.findtext("{*}HoVaTen") == value


@pytest.mark.parametrize("name", ["</HoVaTen>", "HoVaTen xmlns='urn:x'", "@a b", "HoVaTen/x", "Body", ""])
def test_no_element_is_made_of_a_name_of_somebody(name: str) -> None:
    with pytest.raises(ContractError):
        contract().request("TraCuuThongTinCongDan", {"MaYeuCau": "1", name: "x"})


@pytest.mark.asyncio
async def test_the_population_database_is_asked_for_whom_the_record_names() -> None:
    """A name with markup, through the whole target: the number and the audit fields stay what they are."""
    file = mapping_file("population.toml")
    system = Provider()
    system.reply = Answer(status=500, body=b"")
    await system.start()
    target = MappedTarget(provider(system.url), product_mapping(file), contract=contract(), now=lambda: NOON)
    name = "A</dan:HoVaTen><dan:SoDinhDanh>001099999999</dan:SoDinhDanh><dan:HoVaTen>"
    document = {"full_name": name, "birth_date": "1990-01-01"}
    await target.send(recorded(document), Countersigned(), time.monotonic() + 5)
    await target.close()
    await system.stop()
    (element,) = etree.fromstring(system.seen[0].body).iterfind("{*}Body/*")
    assert element.find("{*}SoDinhDanh") is None
    assert element.findtext("{*}MaCanBo") == "cb-7"
    assert "001099999999" in (element.findtext("{*}HoVaTen") or "")


# -- contracts ---------------------------------------------------------------------------------------------------------


POPULATION = SCHEMAS / "wsdl/population.wsdl"
OUTSIDE = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:e" targetNamespace="urn:e">{}<xs:element name="a" type="b"/></xs:schema>'


@pytest.mark.parametrize("how", ["include", "import", "redefine"])
@pytest.mark.parametrize(
    "place", ["../outside.xsd", "{folder}/outside.xsd", "file://{folder}/outside.xsd", "http://127.0.0.1:1/x.xsd"]
)
def test_the_schemas_of_answers_stay_in_their_folder(tmp_path: Path, how: str, place: str) -> None:
    inner = '<xs:simpleType name="b"><xs:restriction base="xs:string"/></xs:simpleType>'
    (tmp_path / "outside.xsd").write_text(OUTSIDE.format(inner).replace('<xs:element name="a" type="b"/>', ""))
    folder = tmp_path / "contract"
    folder.mkdir()
    location = place.format(folder=tmp_path)
    answers = folder / "answers.xsd"
    namespace = ' namespace="urn:other"' if how == "import" else ""
    answers.write_text(OUTSIDE.format(f'<xs:{how}{namespace} schemaLocation="{location}"/>'))
    with pytest.raises(ContractError):
        Contract(POPULATION, root=SCHEMAS, answers=(answers,))


# -- what an answer may cost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b'{"maLoi":"0","soThe":' + b"9" * 500_000 + b"}",
        b'{"maLoi":"0","soThe":"1","soThe":"2"}',
        b'{"maLoi":"0","maLoi":"1"}',
        b"<a>" * 50_000,
    ],
)
@pytest.mark.asyncio
async def test_hostile_answers_are_invalid_soon(mapping: Mapping, body: bytes) -> None:
    target = MappedTarget(provider("http://127.0.0.1:9"), mapping, now=lambda: NOON)
    started = time.monotonic()
    answer = target.answer(
        Response(status=200, fields=(), body=Body(body)), mapping.operations[0].calls[0], Countersigned()
    )
    await target.close()
    assert answer.tree is None
    assert time.monotonic() - started < 1
