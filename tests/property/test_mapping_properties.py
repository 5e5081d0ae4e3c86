"""What mappings do with anything at all: readers never raise, writers' XML is read back, dates survive a round trip."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mapped_answer import PARSERS
from adapters.soap.trees import text_tree
from gateway.mapping.compile import Mapping
from gateway.mapping.context import Context, UnfitError
from gateway.mapping.formats import date_reader, date_writer
from gateway.mapping.judging import Answer
from gateway.mapping.xmltext import xml_text
from gateway.model.dates import PartialDate
from gateway.model.outcomes import Outcome
from tests.support.adapters import NOON, canonical, mapping_file

POPULATION = Mapping(mapping_file("population.toml").document, PARSERS)
INSURANCE = Mapping(mapping_file("social-insurance.toml").document, PARSERS)
NAMES = sorted(
    {field.from_ for shape in POPULATION.document.shape.values() for field in shape.fields if field.from_}
    | {"Ho", "ChuDem", "Ten", "Nam", "NgayThangNam", "MaTinhThanh", "ChiTiet"}
)
TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["1", "00", "19900131", "1990-01-31", "VN", "001190000001", "A"])
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.sampled_from(NAMES), TEXTS), inner, max_size=5)
    ),
    max_leaves=20,
)
ENOUGH = settings(max_examples=60, deadline=None)


@ENOUGH
@given(tree=JSON, status=st.sampled_from([200, 200, 400, 404, 500, 504]))
def test_whatever_a_provider_sends_has_an_outcome(tree, status):
    for mapping in (POPULATION, INSURANCE):
        for operation in mapping.operations:
            for call in operation.calls:
                given_tree = {"CongDan": tree, "thanhVien": tree, "TonTai": tree, "maSoBhxh": tree, "errorCode": "0"}
                context = Context(document={"identity_number": "001190000001"}, facts={}, now=NOON)
                reading = call.read(Answer(status=status, tree=given_tree), context)
                assert isinstance(reading.outcome, Outcome)
                assert reading.outcome is not Outcome.NOT_FOUND or status != 504


@ENOUGH
@given(citizen=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8))
def test_what_is_found_is_a_canonical_citizen_but_for_the_forms_of_plain_texts(citizen):
    (call,) = POPULATION.operation("").calls
    asked = {"identity_number": "001190000001"}
    tree = {"CongDan": {**citizen, "SoDinhDanh": "001190000001", "HoVaTen": "Nguyễn An"}}
    reading = call.read(Answer(status=200, tree=tree), Context(document=asked, facts={}, now=NOON))
    if reading.outcome is Outcome.FOUND:
        for name in ("birth_date", "ethnicity", "religion", "nationality", "sex", "marital_status", "blood_group"):
            if name in reading.document:
                canonical("citizen").check({name: reading.document[name]})


@ENOUGH
@given(document=JSON)
def test_a_request_is_sent_or_refused_by_names(document):
    for mapping in (POPULATION, INSURANCE):
        for operation in mapping.operations:
            context = Context(
                document=document if isinstance(document, dict) else {},
                facts={"purpose": "1", "agency": "H24", "officer": "a", "record": "r"},
                now=NOON,
            )
            assert refused(operation, context) <= {
                *("identity_number", "old_card_number", "full_name", "birth_date"),
                *("insurance_number", "sex", "province"),
            }


def refused(operation, context):
    try:
        operation.check(context.document, context)
        for call in operation.calls:
            if call.applies(context):
                call.send(context)
    except UnfitError as error:
        return set(error.elements)
    return set()


XML_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}", fullmatch=True)
XML_TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=12
).filter(lambda text: text == text.strip())
TREES = st.recursive(
    XML_TEXTS,
    lambda inner: st.dictionaries(
        XML_NAMES, st.one_of(inner, st.lists(inner, min_size=2, max_size=3)), min_size=1, max_size=4
    ),
    max_leaves=12,
)


@ENOUGH
@given(root=XML_NAMES, tree=TREES)
def test_xml_text_is_read_back_as_it_was(root, tree):
    assert text_tree(xml_text({root: tree})) == {root: tree}


DATES = st.dates(date(1800, 1, 1), date(2200, 12, 31)).map(lambda day: PartialDate(day.year, day.month, day.day))
PARTIAL = st.one_of(
    DATES, DATES.map(lambda day: PartialDate(day.year, day.month)), DATES.map(lambda day: PartialDate(day.year))
)


@ENOUGH
@given(day=PARTIAL, form=st.sampled_from(["yyyy-MM-dd", "yyyyMMdd", "yyyy/MM/dd"]))
def test_dates_survive_their_format_as_far_as_they_are_known(day, form):
    written = date_writer(form, None)(day)
    assert len(written) == len(form) or day.day is None
    if day.day is not None:
        assert date_reader(form)(written) == day
    else:
        assert date_reader(None)(written.replace("/", "-")) == day


@ENOUGH
@given(day=DATES, form=st.sampled_from(["dd/MM/yyyy", "MM-dd-yyyy", "yyyy.MM.dd"]))
def test_dates_survive_any_format(day, form):
    assert date_reader(form)(date_writer(form, None)(day)) == day
