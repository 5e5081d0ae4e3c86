"""What tests of the mapping language share: a mapping out of a text, its complaints, a call without a network."""

from pathlib import Path
from typing import Any

from adapters.mapped_answer import PARSERS
from gateway.config.mappings import load_mapping
from gateway.config.product import product_schemas
from gateway.config.schemas import SchemaFolder
from gateway.mapping.calls import Reading, Sending
from gateway.mapping.compile import Mapping, compile_mapping
from gateway.mapping.context import Context
from gateway.mapping.judging import Answer
from gateway.model.instant import Instant
from tests.support.adapters import NOON

SMALL = """\
asked = [{ element = "/identity_number", as = "digits", length = 12 }]

[contract]
protocol = "rest"

[[codes.status]]
source = "annex B"
valid_from = 2024-01-01
values = { "1" = "active", "0" = "expired" }

[request.owner]
fields = [
  { to = "canBo", from = "officer", required = true, max_length = 20 },
  { to = "soDinhDanh", from = "/identity_number", required = true },
]

[shape.card]
schema = "insurance-card.json"
fields = [
  { to = "/card_number", from = "soThe", required = true },
  { to = "/identity_number", from = "soDinhDanh" },
  { to = "/name", from = "hoTen", as = "whole_name" },
  { to = "/status", from = "trangThai", codes = "status" },
]

[[outcome]]
field = "maLoi"
values = { "0" = "FINE", "404" = "NOT_FOUND", "401" = "DENIED" }

[[operation]]
kind = "lookup"

[[operation.call]]
path = "/the"
request = ["owner"]
items = "duLieu"
shape = "card"
compare = [{ asked = "/identity_number", held = "/identity_number", differs = "INVALID_REPLY" }]
"""


def schemas() -> SchemaFolder:
    """The product's."""
    return SchemaFolder.read(product_schemas(), [])


def complaints(folder: Path, text: str) -> list[str]:
    """What is wrong with a mapping: ``LINE KEY: TEXT``."""
    file = folder / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    _, problems = load_mapping(file, schemas())
    return [f"{each.line} {each.key}: {each.text}" for each in problems]


def compiled(folder: Path, text: str) -> Mapping:
    """A mapping without mistakes."""
    file = folder / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    made, problems = load_mapping(file, schemas())
    assert made is not None, [str(each) for each in problems]
    return compile_mapping(made.document, schemas(), PARSERS)


def context(document: Any = None, *, now: Instant = NOON, **facts: str | None) -> Context:
    """A request's context."""
    return Context(document={} if document is None else document, facts={"officer": "cb", **facts}, now=now)


def sent(mapping: Mapping, document: Any, *, now: Instant = NOON, **facts: str | None) -> Sending:
    """What the first call of the first operation sends; raises UnfitError."""
    operation, made = mapping.operations[0], context(document, now=now, **facts)
    operation.check(made.document, made)
    return operation.calls[0].send(made)


def read(mapping: Mapping, tree: Any, document: Any = None, *, status: int = 200, now: Instant = NOON) -> Reading:
    """What the first call makes of an answer."""
    return mapping.operations[0].calls[0].read(Answer(status=status, tree=tree), context(document, now=now))
