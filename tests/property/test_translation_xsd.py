"""XML → JSON → XML by a provider's XSD: what is valid stays valid and the same; JSON → XML → JSON loses nothing."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.simulators.land_register import NAMESPACE, WSDL
from adapters.soap.inferring_files import Documents
from adapters.soap.interface_wsdl import WsdlInterface, WsdlService
from gateway.model.ids import ServiceId
from gateway.validation.schema import SchemaSet
from tests.support.translation import parcel_schema

SPOKEN = WsdlInterface(WsdlService(service=ServiceId("VN", "GOV", "G16", "land", "parcel"), documents=Documents(WSDL)))
XSD = parcel_schema()
_REQUEST = SPOKEN.request_schema("/register")
JSON = SchemaSet({_REQUEST["$id"]: _REQUEST}).compile(_REQUEST["$id"])

CARRIED = st.characters(
    exclude_categories=["Cs"],
    exclude_characters=[*(chr(code) for code in range(32) if chr(code) not in "\t\n\r"), "\ufffe", "\uffff"],
)
TEXT = st.text(CARRIED, max_size=12)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12)


def optional(required: dict, more: dict):
    return st.fixed_dictionaries(required, optional=more)


PEOPLE = optional(
    {"name": TEXT},
    {
        "@role": st.sampled_from(["owner", "tenant"]),
        "number": st.from_regex("[0-9]{12}", fullmatch=True),
        "born": st.none() | st.dates().map(str),
    },
)


COMPANIES = st.tuples(PEOPLE, TEXT).map(
    lambda pair: {"@xsi:type": "{urn:example:land:people}Company", "@since": "1999", **pair[0], "taxCode": pair[1]}
)


def parcels(depth: int):
    below = st.just([]) if depth == 0 else st.lists(parcels(depth - 1), max_size=2)
    return optional(
        {
            "@version": st.integers(-(2**31), 2**31 - 1),
            "number": TEXT,
            "area": optional({"#text": DECIMALS}, {"@unit": TEXT}),
            "person": st.lists(PEOPLE | COMPANIES, max_size=2),
            "mortgaged": st.booleans(),
            "note": st.lists(st.none() | TEXT, max_size=3),
            "part": below,
        },
        {
            "@registered": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
            "price": st.none() | DECIMALS,
            "#any": st.lists(
                st.sampled_from(['<x:a xmlns:x="urn:x">1 &lt; 2</x:a>', '<a xmlns="urn:y"><b c="d"></b></a>']),
                min_size=1,
                max_size=2,
            ),
        },
    )


REGISTRATIONS = st.tuples(parcels(1), TEXT).map(lambda pair: {**pair[0], "reason": pair[1]})


@settings(max_examples=60, deadline=None)
@given(REGISTRATIONS)
def test_documents_survive_and_elements_are_valid(document):
    JSON.check(document)
    _, element = SPOKEN.request("/register", document)
    parsed = etree.fromstring(element)
    assert XSD.validate(parsed), XSD.error_log
    back = SPOKEN.document(element)
    assert back == document
    assert SPOKEN.request("/register", back)[1] == element


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?", fullmatch=True), st.text(" \t\n", max_size=3))
def test_decimals_as_others_write_them_keep_their_value(number, space):
    element = (
        f'<l:register xmlns:l="{NAMESPACE}" version=" 7 "><l:number>1</l:number><l:area>{space}{number}{space}</l:area>'
        "<l:mortgaged>1</l:mortgaged><l:reason/></l:register>"
    ).encode()
    assert XSD.validate(etree.fromstring(element)), XSD.error_log
    document = SPOKEN.document(element)
    assert Decimal(document["area"]["#text"]) == Decimal(number)
    assert (document["@version"], document["mortgaged"]) == (7, True)
