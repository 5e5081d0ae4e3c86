"""The common form of JSON Schema and XSD that translation is compiled from: what stands where, in both notations.

A shape says how one value is written as XML and as JSON:

========== =============================================== ===============================================
shape      XML                                             JSON
========== =============================================== ===============================================
Scalar     text                                            string, number or boolean
JsonText   text that is itself JSON (of no declared type)  any value
Markup     anything: text and elements                     string: the same as XML
Record     child elements, attributes, text                object; attributes ``@name``, text ``#text``
Items      child elements ``item``                         array that is itself an item, nullable or the whole
Named      what the name stands for (types may recur)      the same
========== =============================================== ===============================================

A member that may repeat is an array: repeated elements. Where no element at all says that the member is absent, a lone
one with ``xsi:nil`` is the empty array. A nillable element with ``xsi:nil`` is null.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
NIL = f"{{{XSI}}}nil"
TYPE = f"{{{XSI}}}type"


class Kind(StrEnum):
    """What a scalar is in JSON, and how it is written in XML."""

    STRING = "string"
    """As it is, white space too."""
    TOKEN = "token"  # noqa: S105 - no password
    """A string of which surrounding white space is no part (dates, codes of XSD types that collapse it)."""
    INTEGER = "integer"
    DECIMAL = "decimal"
    """Exact, without exponent."""
    FLOAT = "float"
    """As xs:double writes it; its INF and NaN have no form in JSON."""
    BOOLEAN = "boolean"


class Facets(Struct, frozen=True, kw_only=True):
    """What narrows a scalar. pattern: in the notation of JSON Schema; the rest under their names there."""

    enumeration: tuple[str, ...] = ()
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: str | None = None
    exclusive_maximum: str | None = None


NO_FACETS = Facets()


class Scalar(Struct, frozen=True, kw_only=True):
    """A value that is text in XML. base: the built-in type of XSD, local name. title: for people."""

    kind: Kind
    base: str = "string"
    facets: Facets = NO_FACETS
    title: str = ""


class JsonText(Struct, frozen=True, kw_only=True):
    """A value that no schema describes, or one that may be of several types."""

    title: str = ""


class Markup(Struct, frozen=True, kw_only=True):
    """Content of which the schema says nothing, or that is mixed: kept as it is written, attributes left out."""

    title: str = ""


class Named(Struct, frozen=True, kw_only=True):
    """A shape by its name in ``Shapes``."""

    name: str


class Member(Struct, frozen=True, kw_only=True):
    """A child element. name: in JSON. tag: ``{namespace}name``. many: an array, of ``least`` to ``most`` elements.

    marked: a lone element with ``xsi:nil`` stands for the empty array. filled: no element at all is the empty array.
    """

    name: str
    tag: str
    shape: "Shape"
    required: bool = False
    many: bool = False
    nillable: bool = False
    marked: bool = False
    filled: bool = False
    least: int = 0
    most: int | None = None


class Attribute(Struct, frozen=True, kw_only=True):
    """An attribute. name: in JSON, ``@`` first. tag: as lxml names it."""

    name: str
    tag: str
    scalar: Scalar
    required: bool = False


class Record(Struct, frozen=True, kw_only=True):
    """Child elements, in the order in which they are written; they are read in any order.

    text: of an element with text beside attributes. extra: for members that no property names, each an element
    ``extra.tag`` with its name in the attribute ``name``. any_at: elements that no schema describes are kept as XML
    under ``#any``, and written behind so many members; None where there may be none. any_attribute: others than these
    are let by, and lost. type_name: of a type with a name of its own. own, derived: the name of the XSD type, and
    of types that an element may take on in its place by ``xsi:type`` (``@xsi:type``), with their names in ``Shapes``.
    """

    members: tuple[Member, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    text: Scalar | None = None
    extra: Member | None = None
    any_at: int | None = None
    any_attribute: bool = False
    own: str = ""
    derived: tuple[tuple[str, str], ...] = ()
    type_name: str = ""
    title: str = ""


class Items(Struct, frozen=True, kw_only=True):
    """An array with an element of its own around it."""

    item: Member
    title: str = ""


Shape = Scalar | JsonText | Markup | Record | Items | Named

Shapes = Mapping[str, Shape]
"""Shapes by the names that ``Named`` refers to."""


def resolved(shape: Shape, shapes: Shapes) -> Scalar | JsonText | Markup | Record | Items:
    """What a shape is, behind its name. Raises ValueError for a name that leads to itself only."""
    seen = 0
    while isinstance(shape, Named):
        shape = shapes[shape.name]
        seen += 1
        if seen > len(shapes):
            raise ValueError("a type is defined by itself alone")
    return shape


class MisfitError(ValueError):
    """A value or element that does not fit its shape. path: where, from the innermost step; rule: which rule."""

    def __init__(self, rule: str, *path: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.path: list[str] = list(path)

    @property
    def place(self) -> str:
        """Where and which rule, such as ``/birth_date/date type``. Never a value."""
        return (
            "/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in reversed(self.path)) + f" {self.rule}"
        )
