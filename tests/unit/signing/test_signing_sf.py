"""The strict structured-field parser: what it reads and what it refuses."""

import pytest

from gateway.signing.sf import (
    SfError,
    Token,
    inner_list,
    parse_byte_sequences,
    parse_signature_input,
    string,
)


def test_signature_input_is_read():
    text = 'sig1=("@method" "content-digest";req);created=1;keyid="k\\"\\\\";x=tok/en;b=:YWI=:;f;g=?0, other=()'
    members = parse_signature_input(text)
    assert list(members) == ["sig1", "other"]
    assert members["sig1"].params == {
        "created": 1, "keyid": 'k"\\', "x": Token("tok/en"), "b": b"ab", "f": True, "g": False,
    }  # fmt: skip
    assert isinstance(members["sig1"].params["x"], Token)
    items = inner_list(members["sig1"].inner)
    assert [(item.value, item.params) for item in items] == [("@method", {}), ("content-digest", {"req": True})]
    assert inner_list(members["other"].inner) == ()


@pytest.mark.parametrize(
    ("received", "canonical"),
    [
        (";created=1", ";created=1"),
        ('; created=1;  alg="x"', ';created=1;alg="x"'),
        (";created=007", ";created=7"),
        (";created=-0", ";created=0"),
        (";created=0", ";created=0"),
        (";f=?1", ";f"),
        (";f=?0", ";f=?0"),
        (';nonce="; =0 =?1"', ';nonce="; =0 =?1"'),
    ],
)  # fmt: skip
def test_parameters_are_serialised_canonically(received, canonical):
    assert parse_signature_input(f"s=(){received}")["s"].params_text == canonical


def test_inner_list_is_serialised_canonically():
    assert [item.text for item in inner_list('(  "a"; req=?1   "b"  )')] == ['"a";req', '"b"']


def _read(text):
    return [inner_list(member.inner) for member in parse_signature_input(text).values()]


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "sig1", "sig1=", "sig1=1", 'sig1="("', "sig1=(", 'sig1=("a', 'sig1=("a);created=1', "sig1=())",
        "sig1=() x", "sig1=(),", "sig1=(), ", "sig1=();", "sig1=();created=", "sig1=();created=1.5",
        "sig1=();created=1234567890123456", "sig1=();created=@1", 'sig1=();n=%"a"', "sig1=();n=:a:", "sig1=();n=:YWJ=:",
        "sig1=();n=:YWI:", "sig1=();n=?2", 'sig1=();n="\\a"', 'sig1=();n="é"', 'sig1=();n="\x00"', "sig1=();Created=1",
        "sig1=();created=1;created=1", "sig1=();created=1 ;expires=2", "sig1=(), sig1=()", "Sig1=()", "sig1 =()",
        "sig1= ()", "sig1=();created =1", "sig1=()\n", "sig1=(\n)", "\tsig1=()", "sig1=();n='a'", "1=()", "=()",
        ", ".join(f"s{number}=()" for number in range(17)), "s=()" + "".join(f";p{n}" for n in range(17)),
    ],
)  # fmt: skip
def test_signature_input_that_is_wrong_or_ambiguous_is_refused(text):
    with pytest.raises(SfError):
        _read(text)


@pytest.mark.parametrize(
    "text",
    ['("a""b")', "(a)", "(1)", '("a"\t"b")', '("a" ;req)', '("a";req;req)', '("a",  "b")', "(:YQ==:)",
     "(" + " ".join(f'"h{number}"' for number in range(65)) + ")"],
)  # fmt: skip
def test_inner_list_that_is_wrong_is_refused(text):
    with pytest.raises(SfError):
        inner_list(text)


@pytest.mark.parametrize(
    "text", ["", "a", "a=", "a=::,", "a=:YQ==:;p", "a=:YQ==:, a=:YQ==:", "a=:YQ:", "a=:YR==:", "a=:Y Q=:", "a=YQ==",
             "a=:YQ==: b=:YQ==:", "a=:YQ===:", "a=:_-8=:"],
)  # fmt: skip
def test_byte_sequences_that_are_wrong_are_refused(text):
    with pytest.raises(SfError):
        parse_byte_sequences(text)


def test_byte_sequences_are_read():
    assert parse_byte_sequences(" a=:YQ==: ,\tb=:: ") == {"a": (b"a", ":YQ==:"), "b": (b"", "::")}


@pytest.mark.parametrize("text", ["é", "a\nb", "\x7f"])
def test_string_outside_ascii_cannot_be_written(text):
    with pytest.raises(SfError):
        string(text)
