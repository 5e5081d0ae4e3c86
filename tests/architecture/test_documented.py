"""A verb, an error code or a document that nobody wrote about is a mistake."""

import re

import pytest

from gateway.cli.main import VERBS
from gateway.model.errors.catalogue import KINDS
from tests.support.source import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}


def test_every_verb_is_documented() -> None:
    written = "\n".join([README, *PAGES.values()])
    assert not [verb for verb in VERBS if not re.search(rf"\bmotlan {verb}\b", written)]


def test_every_error_code_is_documented() -> None:
    missing = [kind.code for kind in KINDS if f"`{kind.code}`" not in PAGES["errors.md"]]
    assert not missing


def test_every_page_can_be_found_from_the_readme() -> None:
    assert not [name for name in PAGES if f"docs/{name}" not in README]


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "bench/README.md", *(f"docs/{name}" for name in PAGES)])
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (path.parent / target).exists()]
