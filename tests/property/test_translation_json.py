"""JSON → XML → JSON and back, for any schema that our generator thinks of: nothing is lost, and what we write is valid."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.model.jsontext import WrittenNumber, encode
from gateway.validation.schema import SchemaSet
from tests.support.translation import ELEMENT, as_request, interface, schema_of

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8) | st.sampled_from(
    [
        "họ tên",
        "@attribute",
        "#text",
        "_x0020_",
        "1st",
        "a:b",
        "additional",
        "item",
        "name",
        "xmlns",
        "$ref",
        "_x005F_",
        "ký hiệu",
        "-",
    ]
)
TEXT = st.text(
    st.characters(
        exclude_categories=["Cs"],
        exclude_characters=[chr(i) for i in range(32) if chr(i) not in "\t\n\r"] + ["\ufffe", "\uffff"],
    ),
    max_size=20,
)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=None, min_value=-(10**20), max_value=10**20)
DATES = st.dates().map(lambda date: date.isoformat())


def _string(facets):
    return {"type": "string", **facets}


LEAVES = st.sampled_from(
    [
        ({"type": "string"}, TEXT),
        ({"type": "string", "pattern": "^[0-9]{12}$"}, st.text("0123456789", min_size=12, max_size=12)),
        ({"type": "string", "format": "date"}, DATES),
        ({"type": "integer"}, st.integers(-(10**30), 10**30)),
        ({"type": "number"}, NUMBERS),
        ({"type": "boolean"}, st.booleans()),
        ({"enum": ["a<b", "&", " c "]}, st.sampled_from(["a<b", "&", " c "])),
        ({"type": ["string", "null"]}, TEXT | st.none()),
        ({"type": ["integer", "null"]}, st.integers() | st.none()),
        (
            {},
            st.recursive(
                st.none() | st.booleans() | TEXT | st.integers(),
                lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
                max_leaves=4,
            ),
        ),
        ({"type": ["string", "integer"]}, TEXT | st.integers()),
    ]
)


def _array(inner):
    schema, values = inner
    return {"type": "array", "items": schema}, st.lists(values, max_size=3)


def _object(parts):
    members, required, extra = parts
    properties = {name: schema for name, (schema, _) in members.items()}
    chosen = [name for name in properties if name in required]
    schema = {
        "type": "object",
        "properties": properties,
        "required": chosen,
        "additionalProperties": extra[0] if extra else False,
    }
    values = st.fixed_dictionaries(
        {name: values for name, (_, values) in members.items() if name in required},
        optional={name: values for name, (_, values) in members.items() if name not in required},
    )
    if extra:
        more = st.dictionaries(NAMES.filter(lambda name: name not in members), extra[1], max_size=2)
        values = st.tuples(values, more).map(lambda both: {**both[0], **both[1]})
    return schema, values


OBJECTS = st.tuples(st.dictionaries(NAMES, LEAVES | LEAVES.map(_array), max_size=4), st.sets(NAMES), st.none() | LEAVES)
SCHEMAS = OBJECTS.map(_object) | st.recursive(
    LEAVES,
    lambda inner: (
        inner.map(_array)
        | st.tuples(st.dictionaries(NAMES, inner, max_size=4), st.sets(NAMES), st.none() | LEAVES).map(_object)
        | inner.filter(lambda pair: "type" in pair[0] and isinstance(pair[0]["type"], str)).map(
            lambda pair: ({"anyOf": [pair[0], {"type": "null"}]}, pair[1] | st.none())
        )
    ),
    max_leaves=8,
)


def _same(one, other):
    """Equal in value and type; of numbers the value decides."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return Decimal(one) == Decimal(other)
    return type(one) is type(other) and one == other


@settings(max_examples=60, deadline=None)
@given(SCHEMAS, st.data())
def test_documents_survive_as_elements_that_are_valid(pair, data):
    schema, values = pair
    document = data.draw(values)
    spoken = interface(schema, schema)
    payload = spoken.payload(ELEMENT, document)
    xsd = schema_of(spoken.wsdl("https://gateway.example/soap"))
    xsd.assertValid(etree.fromstring(payload))
    back = spoken.document(as_request(payload))
    assert _same(back, document)
    again = spoken.payload(ELEMENT, back)
    assert again == payload
    SchemaSet({"urn:one": schema}).compile("urn:one").check(back)


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_numbers_keep_their_value_and_plain_ones_their_digits(lexeme):
    spoken = interface({"type": "number"}, {"type": "number"})
    number = Decimal(lexeme)
    written = number if str(number) == lexeme else WrittenNumber(lexeme)
    back = spoken.document(as_request(spoken.payload(ELEMENT, written)))
    assert Decimal(back) == number
    if "e" not in lexeme.lower():
        assert encode(back).decode() == lexeme
