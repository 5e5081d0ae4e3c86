"""docs/mapping.md is the whole language: every key, form, source and outcome word stands in it, and its example is right."""

import re
from enum import Enum
from typing import get_args, get_type_hints

import msgspec
import pytest

from gateway.mapping import document
from gateway.mapping.context import FACTS, LOGIN_FACTS
from tests.support.mappings import complaints
from tests.support.source import ROOT

PAGE = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[a-z_0-9-]+", re.sub(r"[A-Z]+", " ", PAGE)))
STRUCTS = [each for each in vars(document).values() if isinstance(each, type) and issubclass(each, msgspec.Struct)]
ENUMS = [each for each in vars(document).values() if isinstance(each, type) and issubclass(each, Enum)]


@pytest.mark.parametrize(
    "struct", [each for each in STRUCTS if each is not msgspec.Struct], ids=lambda each: each.__name__
)
def test_every_key_is_in_the_reference(struct):
    missing = [field.encode_name for field in msgspec.structs.fields(struct) if field.encode_name not in WORDS]
    assert missing == []


def test_every_form_source_and_fact_is_in_the_reference():
    forms = [member.value for each in (document.Form, document.SentForm, document.AskedForm, document.CompareForm, document.Place, document.Wrapping) for member in each]  # fmt: skip
    assert [word for word in (*forms, *FACTS, *LOGIN_FACTS) if word not in WORDS] == []
    assert [member.value for member in document.Differs if member.value not in PAGE] == []


def test_every_key_says_what_it_is():
    for struct in STRUCTS:
        for name, hint in get_type_hints(struct, include_extras=True).items():
            notes = [note for note in get_args(hint) if isinstance(note, msgspec.Meta)]
            assert notes, f"{struct.__name__}.{name}"
            assert notes[0].description


def test_the_whole_example_has_no_mistakes(tmp_path):
    example = PAGE.partition("## A whole one")[2].partition("```toml\n")[2].partition("```")[0]
    assert complaints(tmp_path, example) == []
