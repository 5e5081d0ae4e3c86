"""What a mapping file says, as it is written: frozen, not yet checked against schemas. ``docs/mapping.md`` explains it.

A name that Python keeps for itself stands here with an underscore (``from_``) and in the file without (``from``).
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gateway.model.charsets import Charset
from gateway.model.outcomes import Outcome

Note = Meta
_KEYWORDS = {"from_": "from", "as_": "as", "is_": "is"}


class Protocol(StrEnum):
    """What a provider speaks."""

    SOAP = "soap"
    REST = "rest"


class Kind(StrEnum):
    """What an operation does."""

    LOOKUP = "lookup"
    WRITE = "write"


class Form(StrEnum):
    """How an answer's field becomes a canonical element."""

    TEXT = "text"
    NAME = "name"
    WHOLE_NAME = "whole_name"
    DATE = "date"
    DAY = "day"
    MOMENT = "moment"
    ADDRESS = "address"
    CODED = "coded"
    NATIONALITY = "nationality"
    CODE = "code"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    SHAPE = "shape"
    ANY = "any"


class SentForm(StrEnum):
    """How an element of the request is written for the provider."""

    TEXT = "text"
    FOLD = "fold"
    UPPER = "upper"
    LOWER = "lower"
    DIGITS = "digits"
    DATE = "date"
    PRECISION = "precision"
    MOMENT = "moment"
    CODE = "code"
    FIRST_WORD = "first_word"
    MIDDLE_WORDS = "middle_words"
    LAST_WORD = "last_word"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    GROUP = "group"
    ANY = "any"


class Place(StrEnum):
    """Where in a provider's request a field goes."""

    BODY = "body"
    QUERY = "query"
    PATH = "path"
    HEADER = "header"


class AskedForm(StrEnum):
    """What an element of the request must look like before anything is sent."""

    TEXT = "text"
    DIGITS = "digits"
    DATE = "date"
    TAX_CODE = "tax_code"
    ANY = "any"


class CompareForm(StrEnum):
    """How what was asked is compared with what the provider holds."""

    TEXT = "text"
    NAME = "name"
    FOLDED_NAME = "folded_name"
    DATE = "date"


class Differs(StrEnum):
    """What it means when they differ."""

    MISMATCH = "MISMATCH"
    """The answer names the element."""
    INVALID_REPLY = "INVALID_REPLY"
    """The provider answered about somebody else."""
    NOT_FOUND = "NOT_FOUND"
    """This item is not the one; others may be."""


class Wrapping(StrEnum):
    """A document that travels as text inside another."""

    JSON_TEXT = "json_text"
    XML_TEXT = "xml_text"


STALE_SESSION = "STALE_SESSION"
"""What a rule may say beside the outcomes: log in again and repeat the call, once."""
FINE = "FINE"
"""What a rule's value may mean: no error, go on."""


class Contract(Struct, frozen=True, kw_only=True):
    """``[contract]``: what the provider speaks."""

    protocol: Annotated[Protocol, Note(description="soap or rest.")]
    wsdl: Annotated[str | None, Note(description="Its WSDL: beside this file, or below the product's schemas/.")] = None
    answers: Annotated[
        tuple[str, ...], Note(description="XSDs that answers are validated against; absent: they are not.")
    ] = ()
    charsets: Annotated[
        tuple[Charset, ...],
        Note(description="Tried in order where bytes are not the UTF-8 that they claim to be (Q17)."),
    ] = ()
    answer_limit: Annotated[int, Note(description="Bytes of an answer.", ge=1)] = 1024 * 1024
    signed: Annotated[bool, Note(description="SOAP requests go, and answers come, with WS-Security.")] = False

    def __post_init__(self) -> None:
        if (self.protocol is Protocol.SOAP) != (self.wsdl is not None):
            raise ValueError("a SOAP contract names its wsdl, a REST contract has none")
        if self.signed and self.protocol is not Protocol.SOAP:
            raise ValueError("only SOAP requests are signed by WS-Security")


class CodeTable(Struct, frozen=True, kw_only=True):
    """``[[codes.NAME]]``: a code list, from when to when it holds."""

    source: Annotated[str, Note(description="Where the list stands.")]
    valid_from: Annotated[date | None, Note(description="First day.")] = None
    valid_to: Annotated[date | None, Note(description="Last day.")] = None
    values: Annotated[dict[str, str], Note(description="The provider's code -> what it means.")]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a code table has codes")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("a code table ends before it begins")


class Asked(Struct, frozen=True, kw_only=True, rename=_KEYWORDS):
    """An item of ``asked``: what an element of the request must look like, or the request is refused here."""

    element: Annotated[str, Note(description="Pointer into the request.")]
    as_: Annotated[AskedForm, Note(description="What it must look like.")] = AskedForm.TEXT
    length: Annotated[int | None, Note(description="Exactly so many characters.", ge=1)] = None
    max_length: Annotated[int, Note(description="At most so many characters.", ge=1)] = 100


class Needs(Struct, frozen=True, kw_only=True):
    """``[[operation.needs]]``: one of these groups of elements must be there."""

    any_of: Annotated[tuple[tuple[str, ...], ...], Note(description="Groups of pointers.", min_length=1)]
    say: Annotated[tuple[str, ...], Note(description="Elements that the refusal names.", min_length=1)]


class Sent(Struct, frozen=True, kw_only=True, rename=_KEYWORDS):
    """An item of ``fields`` of ``[request.NAME]``: one field of the provider's request."""

    to: Annotated[str, Note(description="Path of the provider's field: names with / between them.")]
    place: Annotated[Place, Note(description="body, query, path or header.")] = Place.BODY
    from_: Annotated[str | None, Note(description="A pointer into the request, or a name such as officer.")] = None
    else_from: Annotated[str | None, Note(description="Where it comes from if from has nothing.")] = None
    join: Annotated[tuple[str, ...], Note(description="Several sources, joined with a space.")] = ()
    value: Annotated[str | None, Note(description="A constant instead of a source.")] = None
    default: Annotated[str | None, Note(description="If the sources have nothing.")] = None
    as_: Annotated[SentForm | None, Note(description="How it is written; text.")] = None
    format: Annotated[str | None, Note(description="Of dates and moments.")] = None
    precision: Annotated[tuple[str, ...], Note(description="Only for dates known to the day, month or year.")] = ()
    filler: Annotated[str | None, Note(description="MM-dd for what is not known of a date.")] = None
    codes: Annotated[str | None, Note(description="Code table, read backwards.")] = None
    group: Annotated[str | None, Note(description="[request.NAME] for the fields of a structure.")] = None
    each: Annotated[bool, Note(description="The source is a list; the field too.")] = False
    required: Annotated[bool, Note(description="Without it the request is refused.")] = False
    max_length: Annotated[int | None, Note(description="Characters the provider takes.", ge=1)] = None
    say: Annotated[str | None, Note(description="The name by which a refusal calls it.")] = None
    when: Annotated[tuple[str, ...], Note(description="Only if all these sources have something.")] = ()
    unless: Annotated[tuple[str, ...], Note(description="Only if none of these sources has something.")] = ()


class RequestPart(Struct, frozen=True, kw_only=True):
    """``[request.NAME]``: fields of a request, in the provider's order."""

    fields: Annotated[tuple[Sent, ...], Note(description="One inline table for each.", min_length=1)]


class Field(Struct, frozen=True, kw_only=True, rename=_KEYWORDS):
    """An item of ``fields`` of ``[shape.NAME]``: one canonical element and where it comes from."""

    to: Annotated[str, Note(description="Pointer of the canonical element.")]
    from_: Annotated[str | None, Note(description="Path of the answer's field, below the item.")] = None
    else_from: Annotated[str | None, Note(description="Path to take if from has nothing.")] = None
    asked: Annotated[str | None, Note(description="Pointer into the request, instead of a path.")] = None
    value: Annotated[str | None, Note(description="A constant instead of a path.")] = None
    as_: Annotated[Form | None, Note(description="What it becomes; text.")] = None
    otherwise: Annotated[
        Form | None, Note(description="The form, if text stands where a structure is expected (Q03).")
    ] = None
    parts: Annotated[dict[str, str], Note(description="Which field below from is which part.")] = msgspec.field(
        default_factory=dict
    )
    codes: Annotated[str | None, Note(description="Code table of a code.")] = None
    unlisted: Annotated[str | None, Note(description="What a code becomes that is not in its table.")] = None
    shape: Annotated[str | None, Note(description="[shape.NAME] of a structure.")] = None
    each: Annotated[bool, Note(description="A list: every item by itself.")] = False
    format: Annotated[str | None, Note(description="Of dates and moments, where it is not one of the usual.")] = None
    filler: Annotated[tuple[str, ...], Note(description="MM-dd that stand for: only the year is known.")] = ()
    true: Annotated[tuple[str, ...], Note(description="What means true.")] = ("true", "1")
    false: Annotated[tuple[str, ...], Note(description="What means false.")] = ("false", "0")
    required: Annotated[bool, Note(description="Without it the answer is not as promised.")] = False


class Shape(Struct, frozen=True, kw_only=True):
    """``[shape.NAME]``: what a structure of the answer becomes."""

    schema: Annotated[str | None, Note(description="Canonical schema that the pointers are of.")] = None
    closed: Annotated[bool, Note(description="A field that is neither mapped nor ignored is an invalid answer.")] = (
        False
    )
    ignore: Annotated[tuple[str, ...], Note(description="Paths that are known and not wanted.")] = ()
    fields: Annotated[tuple[Field, ...], Note(description="One inline table for each.", min_length=1)]


class Rule(Struct, frozen=True, kw_only=True, rename=_KEYWORDS):
    """``[[outcome]]``: what something in an answer means. Rules go in order; every condition of one must hold."""

    is_: Annotated[str | None, Note(description="The outcome; or STALE_SESSION.")] = None
    status: Annotated[tuple[int, ...], Note(description="HTTP statuses; 5 stands for 500 to 599.")] = ()
    text: Annotated[str | None, Note(description="A short plain text that begins so, in any case.")] = None
    fault: Annotated[str | None, Note(description="A SOAP fault whose code begins so.")] = None
    missing: Annotated[str | None, Note(description="Path of a field that is not there or empty.")] = None
    field: Annotated[str | None, Note(description="Path of a field whose value decides.")] = None
    contains: Annotated[str | None, Note(description="The field's text contains this, in any case.")] = None
    codes: Annotated[str | None, Note(description="Code table: value -> outcome.")] = None
    values: Annotated[dict[str, str], Note(description="Value -> outcome, or FINE.")] = msgspec.field(
        default_factory=dict
    )
    other: Annotated[str | None, Note(description="The outcome of any other value; absent: REJECTED.")] = None
    absent: Annotated[str | None, Note(description="The outcome where the field is not there; absent: go on.")] = None


class Compared(Struct, frozen=True, kw_only=True, rename=_KEYWORDS):
    """An item of ``compare``: who is answered must be who was asked."""

    asked: Annotated[str, Note(description="Pointer into the request, or kept.NAME.")]
    held: Annotated[str, Note(description="Pointer into the canonical answer.")]
    as_: Annotated[CompareForm, Note(description="How they are compared.")] = CompareForm.TEXT
    differs: Annotated[Differs, Note(description="What a difference means.")] = Differs.MISMATCH
    absent: Annotated[bool, Note(description="An answer that does not hold the element differs.")] = False
    precision: Annotated[tuple[str, ...], Note(description="Only where the asked date is known so far.")] = ()
    when: Annotated[tuple[str, ...], Note(description="Only if all these sources have something.")] = ()
    unless: Annotated[tuple[str, ...], Note(description="Only if none of these sources has something.")] = ()


class Keep(Struct, frozen=True, kw_only=True, rename=_KEYWORDS):
    """An item of ``keep``: a value for the calls after this one, there as ``kept.NAME``."""

    name: Annotated[str, Note(description="NAME.")]
    from_: Annotated[str, Note(description="Path of the answer's field.")]


class Wrap(Struct, frozen=True, kw_only=True, rename=_KEYWORDS):
    """An item of ``wrap`` and ``unwrap``: a document that travels as text."""

    at: Annotated[str, Note(description='Path of the field that holds it; "" for the whole answer or Body.')]
    as_: Annotated[Wrapping, Note(description="json_text or xml_text.")]


class Call(Struct, frozen=True, kw_only=True, rename=_KEYWORDS):
    """``[[operation.call]]``: one call of the provider. An operation may take several, one after the other."""

    operation: Annotated[str | None, Note(description="SOAP: the WSDL's operation.")] = None
    answer: Annotated[str | None, Note(description="SOAP: local name of the answer element.")] = None
    method: Annotated[str, Note(description="REST: its method.")] = "POST"
    path: Annotated[str, Note(description="Below the provider's base_url; {name} for fields placed there.")] = ""
    request: Annotated[tuple[str, ...], Note(description="[request.NAME]s that make it, in this order.")] = ()
    wrap: Annotated[tuple[Wrap, ...], Note(description="Parts of the request that travel as text.")] = ()
    unwrap: Annotated[tuple[Wrap, ...], Note(description="Parts of the answer that travel as text.")] = ()
    accept: Annotated[tuple[int, ...], Note(description="Statuses with which an answer comes.")] = (200, 201, 202)
    items: Annotated[str, Note(description='Path of what is looked for, once or often; "" for the answer itself.')] = ""
    shape: Annotated[str | None, Note(description="[shape.NAME] that each item becomes.")] = None
    none: Annotated[Outcome, Note(description="No item.")] = Outcome.NOT_FOUND
    several: Annotated[Outcome, Note(description="Several items.")] = Outcome.AMBIGUOUS
    whole: Annotated[str | None, Note(description="[shape.NAME] of the whole answer, given instead of the item.")] = (
        None
    )
    compare: Annotated[tuple[Compared, ...], Note(description="What must agree, in order.")] = ()
    keep: Annotated[tuple[Keep, ...], Note(description="Values for the calls after this one.")] = ()
    updated_at: Annotated[str | None, Note(description="Path of the moment that the data is of.")] = None
    outcome: Annotated[tuple[Rule, ...], Note(description="Rules of this call, before those of the file.")] = ()
    when: Annotated[tuple[str, ...], Note(description="Only if all these sources have something.")] = ()
    unless: Annotated[tuple[str, ...], Note(description="Only if none of these sources has something.")] = ()


class Operation(Struct, frozen=True, kw_only=True):
    """``[[operation]]``: something that callers of the service can do."""

    path: Annotated[str, Note(description='Of the service: "" or /verify.')] = ""
    method: Annotated[str, Note(description="By which callers call it.")] = "POST"
    title: Annotated[str, Note(description="For people.")] = ""
    kind: Annotated[Kind, Note(description="lookup or write.")] = Kind.LOOKUP
    idempotent: Annotated[bool, Note(description="Repeating a write does no harm.")] = False
    success: Annotated[Outcome | None, Note(description="Outcome of a good answer; absent: FOUND or DONE.")] = None
    request_schema: Annotated[str | None, Note(description="Canonical schema of the request.")] = None
    response_schema: Annotated[str | None, Note(description="Canonical schema of the answer.")] = None
    timeout_seconds: Annotated[float | None, Note(description="For all its calls.", gt=0)] = None
    needs: Annotated[tuple[Needs, ...], Note(description="What a request must hold.")] = ()
    call: Annotated[tuple[Call, ...], Note(description="What the provider is asked.", min_length=1)]


class Login(Struct, frozen=True, kw_only=True):
    """``[login]``: how a session is opened (REST). Its request may take ``user`` and ``secret``."""

    path: Annotated[str, Note(description="Below the provider's base_url.")]
    request: Annotated[tuple[str, ...], Note(description="[request.NAME]s that make it.", min_length=1)]
    session: Annotated[str, Note(description="Path of the session in the answer.")]
    error: Annotated[str | None, Note(description="Path of the error code in the answer.")] = None
    fine: Annotated[tuple[str, ...], Note(description="Error codes that mean success.")] = ("", "0")
    lifetime_seconds: Annotated[float, Note(description="After which a session is opened anew.", gt=0)] = 600.0


class MappingDocument(Struct, frozen=True, kw_only=True):
    """A mapping file."""

    title: Annotated[str, Note(description="Which system this is.")] = ""
    source: Annotated[str, Note(description="Where its contract was read, and what is assumed of it.")] = ""
    contract: Annotated[Contract, Note(description="What it speaks.")]
    codes: Annotated[dict[str, tuple[CodeTable, ...]], Note(description="Code tables.")] = msgspec.field(
        default_factory=dict
    )
    asked: Annotated[tuple[Asked, ...], Note(description="What requests must look like.")] = ()
    request: Annotated[dict[str, RequestPart], Note(description="Parts of requests.")] = msgspec.field(
        default_factory=dict
    )
    shape: Annotated[dict[str, Shape], Note(description="Structures of answers.")] = msgspec.field(default_factory=dict)
    outcome: Annotated[tuple[Rule, ...], Note(description="What answers mean.")] = ()
    login: Annotated[Login | None, Note(description="How a session is opened.")] = None
    operation: Annotated[tuple[Operation, ...], Note(description="What can be done.", min_length=1)]
