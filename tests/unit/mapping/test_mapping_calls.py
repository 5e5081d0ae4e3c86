"""What a mapping sends, and what it makes of answers."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.mapping.context import UnfitError
from gateway.mapping.judging import Answer
from gateway.model.instant import from_datetime
from gateway.model.outcomes import Outcome
from tests.support.mappings import SMALL, compiled, context, read, sent

NUMBER = {"identity_number": "001190000001"}
CARD = {"soThe": "DN0123456789012", "soDinhDanh": "001190000001", "hoTen": "Nguyễn An", "trangThai": "1"}


def mapping(folder, **changes):
    """The small mapping with parts of it replaced: by name the fields of [request.owner] or [shape.card]."""
    text = SMALL
    for name, fields in changes.items():
        head, mark, rest = text.partition(f"[{name.replace('_', '.')}]\n")
        before, _, after = rest.partition("fields = [\n")
        text = (
            head
            + mark
            + before.replace('schema = "insurance-card.json"\n', "")
            + f"fields = [\n{fields}\n]"
            + after.partition("\n]")[2]
        )
    return compiled(folder, text.replace('compare = [{ asked = "/identity_number", held = "/identity_number", differs = "INVALID_REPLY" }]\n', "") if changes else text)  # fmt: skip


def test_what_is_sent_is_in_the_order_of_the_file(tmp_path):
    sending = sent(mapping(tmp_path), NUMBER)
    assert (sending.method, sending.path, sending.query) == ("POST", "/the", None)
    assert list(sending.body.items()) == [("canBo", "cb"), ("soDinhDanh", "001190000001")]


@pytest.mark.parametrize(
    ("document", "facts", "names"),
    [
        ({}, {}, ("identity_number",)),
        ({"identity_number": "1"}, {}, ("identity_number",)),
        ({"identity_number": "00119000000１"}, {}, ("identity_number",)),
        ({"identity_number": 1}, {}, ("identity_number",)),
        (NUMBER, {"officer": None}, ("officer",)),
        (NUMBER, {"officer": "x" * 21}, ("officer",)),
        (NUMBER, {"officer": "x\n"}, ("officer",)),
    ],
)
def test_what_the_provider_cannot_take_is_named_and_not_sent(tmp_path, document, facts, names):
    with pytest.raises(UnfitError) as caught:
        sent(mapping(tmp_path), document, **facts)
    assert caught.value.elements == names


@pytest.mark.parametrize(
    ("field", "value", "written"),
    [
        ('as = "fold"', "Đỗ  Minh Quân", "DO MINH QUAN"),
        ('as = "upper"', "Đỗ a", "ĐỖ A"),
        ('as = "lower"', "ĐỖ A", "đỗ a"),
        ('as = "first_word"', "Đỗ Minh Anh Quân", "Đỗ"),
        ('as = "middle_words"', "Đỗ Minh Anh Quân", "Minh Anh"),
        ('as = "last_word"', "Đỗ Minh Anh Quân", "Quân"),
        ('as = "last_word"', "Quân", None),
        ('as = "date"', "1990-05", "1990-05"),
        ('as = "date", format = "dd/MM/yyyy"', "1990-05-31", "31/05/1990"),
        ('as = "date", format = "dd/MM/yyyy"', "1990-05", "05/1990"),
        ('as = "date", format = "yyyyMMdd", filler = "01-01"', "1990", "19900101"),
        ('as = "date", format = "yyyyMMdd", filler = "01-01"', "1990-05", "19900501"),
        ('as = "date", precision = ["day"]', "1990", None),
        ('as = "date"', {"date": "1990-05-31", "precision": "day"}, "1990-05-31"),
        ('as = "precision"', "1990-05", "month"),
        ('codes = "status"', "active", "1"),
        ('as = "boolean"', True, True),
        ('as = "integer"', "12", 12),
        ('as = "number"', Decimal("1.10"), Decimal("1.10")),
        ('as = "text"', Decimal("1.10"), "1.10"),
        ('as = "any"', {"a": [1]}, {"a": [1]}),
        ('default = "x"', None, "x"),
        ('else_from = "officer"', "", "cb"),
    ],
)
def test_forms_of_requests(tmp_path, field, value, written):
    made = mapping(tmp_path, request_owner=f'{{ to = "x", from = "/v", {field} }}')
    assert sent(made, {"v": value}).body.get("x") == written


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ('as = "date"', "31/05/1990"),
        ('as = "date"', "1990-02-31"),
        ('codes = "status"', "dead"),
        ('as = "boolean"', "true"),
        ('as = "number"', "1"),
        ('as = "text"', {"a": 1}),
        ('as = "text"', "a\0"),
        ('as = "digits"', "1a"),
        ("each = true", "a"),
        ("max_length = 2", "abc"),
    ],
)
def test_values_that_cannot_be_written_are_refused(tmp_path, field, value):
    with pytest.raises(UnfitError) as caught:
        sent(mapping(tmp_path, request_owner=f'{{ to = "x", from = "/v", {field} }}'), {"v": value})
    assert caught.value.elements == ("v",)


def test_moments_constants_joins_and_settings(tmp_path):
    made = mapping(
        tmp_path,
        request_owner="""
  { to = "luc", from = "now", as = "moment" }, { to = "ngay", from = "now", as = "date", format = "dd/MM/yyyy" },
  { to = "kieu", value = "KS" }, { to = "ten", join = ["/a", "/b"] }, { to = "ma/so", from = "setting.code" },
""",
    )
    made_context = context({"a": "A", "b": "B"}, now=from_datetime(datetime(2026, 11, 21, 18, 30, 5, tzinfo=UTC)))
    made_context.settings["code"] = "7"
    assert made.operations[0].calls[0].send(made_context).body == {
        "luc": "20261122013005",
        "ngay": "22/11/2026",
        "kieu": "KS",
        "ten": "A B",
        "ma": {"so": "7"},
    }


def test_query_path_and_headers_are_escaped(tmp_path):
    fields = """{ to = "ma", from = "/a", place = "path" }, { to = "q&", from = "/b", place = "query" },
  { to = "X-Agency", from = "officer", place = "header" },"""
    text = SMALL.replace('path = "/the"', 'method = "GET"\npath = "/the/{ma}"')
    text = text[: text.index("fields = [\n")] + f"fields = [\n{fields}\n]" + text[text.index("\n\n[shape.card]") :]
    made = compiled(tmp_path, text)
    sending = sent(made, {"a": "1/2 ?", "b": "x&y=ế"})
    assert (sending.path, sending.query) == ("/the/1%2F2%20%3F", "q%26=x%26y%3D%E1%BA%BF")
    assert (sending.headers, sending.body) == ((("X-Agency", "cb"),), None)
    with pytest.raises(UnfitError):
        sent(made, {"a": "..", "b": "x"})


def test_a_card_is_read(tmp_path):
    reading = read(mapping(tmp_path), {"maLoi": "0", "duLieu": CARD}, NUMBER)
    assert reading.outcome is Outcome.FOUND
    assert reading.document == {
        "card_number": "DN0123456789012",
        "identity_number": "001190000001",
        "name": {"full": "Nguyễn An"},
        "status": "active",
    }


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(status=200, tree={"duLieu": []}), Outcome.NOT_FOUND),
        (Answer(status=200, tree={}), Outcome.NOT_FOUND),
        (Answer(status=200, tree={"duLieu": [CARD, CARD]}), Outcome.AMBIGUOUS),
        (Answer(status=200, tree={"duLieu": {**CARD, "soDinhDanh": "001190000002"}}), Outcome.INVALID_REPLY),
        (Answer(status=200, tree={"duLieu": {"hoTen": "A"}}), Outcome.INVALID_REPLY),
        (Answer(status=200, tree={"duLieu": "A"}), Outcome.INVALID_REPLY),
        (Answer(status=200, tree={"duLieu": {**CARD, "hoTen": ["A", {}]}}), Outcome.FOUND),
        (Answer(status=200, tree={"duLieu": {**CARD, "hoTen": {"a": "A"}}}), Outcome.INVALID_REPLY),
        (Answer(status=200, tree={"maLoi": "404"}), Outcome.NOT_FOUND),
        (Answer(status=200, tree={"maLoi": 401}), Outcome.DENIED),
        (Answer(status=200, tree={"maLoi": "9", "duLieu": CARD}), Outcome.REJECTED),
        (Answer(status=400, tree={"maLoi": "404"}), Outcome.NOT_FOUND),
        (Answer(status=504, tree={"maLoi": "404"}), Outcome.UNAVAILABLE),
        (Answer(status=503, tree={"maLoi": "404"}), Outcome.UNAVAILABLE),
        (Answer(status=429, tree={"maLoi": "404"}), Outcome.UNAVAILABLE),
        (Answer(status=500, tree=None), Outcome.UNAVAILABLE),
        (Answer(status=404, tree=None), Outcome.REJECTED),
        (Answer(status=403, tree=None), Outcome.DENIED),
        (Answer(status=200, text="unauthorized access"), Outcome.DENIED),
        (Answer(status=200, text="hello"), Outcome.INVALID_REPLY),
        (Answer(status=302, tree={"duLieu": CARD}), Outcome.INVALID_REPLY),
        (Answer(status=500, fault="Client.Data"), Outcome.REJECTED),
        (Answer(status=500, fault="Server"), Outcome.UNAVAILABLE),
    ],
)
def test_what_answers_mean(tmp_path, answer, outcome):
    call = mapping(tmp_path).operations[0].calls[0]
    assert call.read(answer, context(NUMBER)).outcome is outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, Outcome.DONE), (500, Outcome.UNKNOWN), (503, Outcome.UNAVAILABLE), (302, Outcome.UNKNOWN), (400, Outcome.REJECTED)],
)  # fmt: skip
def test_the_end_of_a_write_that_may_have_acted_is_unknown(tmp_path, status, outcome):
    text = SMALL.replace('kind = "lookup"', 'kind = "write"')
    text = text[: text.index("items =")]
    assert read(compiled(tmp_path, text), {}, status=status).outcome is outcome


def test_a_write_whose_answer_makes_no_sense_is_unknown(tmp_path):
    text = SMALL.replace('kind = "lookup"', 'kind = "write"')
    assert read(compiled(tmp_path, text), {"duLieu": "x"}, NUMBER).outcome is Outcome.UNKNOWN


def test_code_tables_hold_from_day_to_day_in_vietnamese_time(tmp_path):
    later = '[[codes.status]]\nsource = "annex C"\nvalid_from = 2026-07-01\nvalues = { "1" = "suspended" }\n\n'
    text = SMALL.replace("valid_from = 2024-01-01", "valid_from = 2024-01-01\nvalid_to = 2026-06-30")
    made = compiled(tmp_path, text.replace("[request.owner]", later + "[request.owner]"))

    def status(*when):
        now = from_datetime(datetime(*when, tzinfo=UTC))
        return read(made, {"duLieu": CARD}, NUMBER, now=now).document["status"]

    assert status(2026, 6, 30, 16, 59) == "active"
    assert status(2026, 6, 30, 17, 0) == "suspended"
    assert status(2023, 12, 31) == "unlisted"


@pytest.mark.parametrize(
    ("field", "value", "made"),
    [
        ('as = "boolean"', "1", True),
        ('as = "boolean", true = ["Co"], false = ["Khong"]', "Khong", False),
        ('as = "boolean"', False, False),
        ('as = "integer"', "0012", None),
        ('as = "integer"', "12", 12),
        ('as = "number"', "1.10", Decimal("1.10")),
        ('as = "number"', Decimal("1.10"), Decimal("1.10")),
        ('as = "number"', "1e3", None),
        ('as = "day", format = "dd/MM/yyyy"', "31/05/1990", "1990-05-31"),
        ('as = "day"', "1990-05", None),
        ('as = "date", format = "dd/MM/yyyy"', "00/00/1990", {"date": "1990", "precision": "year"}),
        ('as = "date", filler = ["01-01", "12-31"]', "19901231", {"date": "1990", "precision": "year"}),
        ('as = "date", parts = { year = "n", month = "t" }', {"n": "1990", "t": "5"}, {"date": "1990-05", "precision": "month"}),
        ('as = "moment"', "20261122013005", "2026-11-22T01:30:05+07:00"),
        ('as = "moment"', "2026-11-22T01:30:05Z", "2026-11-22T01:30:05+00:00"),
        ('as = "moment", format = "dd/MM/yyyy HH:mm"', "22/11/2026 01:30", "2026-11-22T01:30:00+07:00"),
        ('as = "moment"', "20261322013005", None),
        ('codes = "status", unlisted = "unknown"', "8", "unknown"),
        ('as = "name", parts = { family = "h", given = "t" }, otherwise = "whole_name"', {"h": "A", "t": "B"}, {"full": "A B", "family": "A", "given": "B"}),
        ('as = "name", parts = { family = "h", given = "t" }, otherwise = "whole_name"', "A B", {"full": "A B"}),
        ('as = "any"', {"a": None}, {"a": None}),
        ("each = true", ["a", " ", "b"], ["a", "b"]),
        ('as = "text"', "Nguye\u0302\u0303n ", "Nguyễn"),
        ('as = "text"', {"@lang": "vi", "": "A"}, "A"),
    ],
)  # fmt: skip
def test_forms_of_answers(tmp_path, field, value, made):
    reading = read(mapping(tmp_path, shape_card=f'{{ to = "/x", from = "v", {field} }}'), {"duLieu": {"v": value}})
    assert reading.outcome is (Outcome.INVALID_REPLY if made is None else Outcome.FOUND)
    assert made is None or reading.document == {"x": made}


def test_xml_and_json_text_inside_are_written_and_read(tmp_path):
    text = SMALL.replace('{ to = "soDinhDanh", from', '{ to = "data/hoSo/so", from').replace(
        'request = ["owner"]',
        'request = ["owner"]\nwrap = [{ at = "data", as = "xml_text" }]\n'
        'unwrap = [{ at = "kq", as = "xml_text" }, { at = "them", as = "json_text" }]',
    )
    made = compiled(tmp_path, text.replace('items = "duLieu"', 'items = "kq/ketQua"'))
    assert sent(made, NUMBER).body["data"] == "<hoSo><so>001190000001</so></hoSo>"
    xml = "<ketQua><soThe>DN1</soThe><hoTen>A &amp; B</hoTen></ketQua>"
    assert read(made, {"kq": xml, "them": '{"a": 1}'}).document == {"card_number": "DN1", "name": {"full": "A & B"}}
    for broken in ("<a>", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "<ketQua><soThe>\udc80</soThe></ketQua>"):
        assert read(made, {"kq": broken}).outcome is Outcome.INVALID_REPLY
    assert read(made, {"kq": xml, "them": '{"a": 1, "a": 2}'}).outcome is Outcome.INVALID_REPLY


@pytest.mark.parametrize(
    ("tree", "moment"),
    [
        ({"@luc": "20261122000000"}, (2026, 11, 21, 17)),
        ({"luc": "20261122000000"}, (2026, 11, 21, 17)),
        ({"@luc": "2026-11-22T00:00:00+00:00"}, (2026, 11, 22)),
        ({"@luc": "hôm nay"}, None),
        ({}, None),
    ],
)
def test_when_the_data_is_of_is_an_attribute_or_a_member_and_never_a_reason_to_refuse(tmp_path, tree, moment):
    made = compiled(tmp_path, SMALL.replace('items = "duLieu"', 'items = "duLieu"\nupdated_at = "@luc"'))
    reading = read(made, {**tree, "duLieu": CARD}, NUMBER)
    assert reading.outcome is Outcome.FOUND
    assert reading.updated_at == (None if moment is None else from_datetime(datetime(*moment, tzinfo=UTC)))


def test_lists_of_structures_are_sent_and_read(tmp_path):
    rows = (
        '[request.row]\nfields = [{ to = "ma", from = "/code" }, { to = "ten", from = "/title", required = true }]\n\n'
    )
    text = SMALL.replace("[shape.card]", rows + "[shape.card]").replace(
        '{ to = "soDinhDanh", from = "/identity_number", required = true }',
        '{ to = "data", from = "/rows", group = "row", each = true }',
    )
    made = compiled(tmp_path, text)
    body = sent(made, {"rows": [{"code": "1", "title": "A"}, {"title": "B"}]}).body
    assert body["data"] == [{"ma": "1", "ten": "A"}, {"ten": "B"}]
    with pytest.raises(UnfitError) as caught:
        sent(made, {"rows": [{"code": "1"}]})
    assert caught.value.elements == ("title",)


def test_a_path_is_never_called_without_its_value(tmp_path):
    """``/persons/`` is another resource than a person's."""
    fields = '{ to = "ma", from = "/a", place = "path" },'
    text = SMALL.replace('{ to = "canBo"', f'{fields}\n  {{ to = "canBo"', 1)
    path = next(line for line in SMALL.splitlines() if line.startswith('path = "/'))
    made = compiled(tmp_path, text.replace(path, 'path = "/persons/{ma}/{ma}"', 1))
    assert sent(made, {**NUMBER, "a": "x/y"}).path == "/persons/x%2Fy/x%2Fy"
    for missing in ({}, {"a": ""}, {"a": None}, {"a": "."}, {"a": ".."}):
        with pytest.raises(UnfitError) as caught:
            sent(made, {**NUMBER, **missing})
        assert caught.value.elements == ("ma",)
