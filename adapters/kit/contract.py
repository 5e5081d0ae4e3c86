"""A provider's contract in one form, whatever it was written in: operations, and the fields of requests and answers."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

MOST_FIELDS = 20_000
"""Fields of a whole contract; one that has more is refused, so that a small file cannot become a large one."""
DEEPEST = 24
"""Levels of fields within one message."""


class Kind(StrEnum):
    """What a field's text is."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"
    """A date with a time."""
    BINARY = "binary"
    GROUP = "group"
    """No text of its own: other fields."""


class ContractError(ValueError):
    """A contract that cannot be used. The text says which file, and what to do; it is the integrator's own file."""


class Field(Struct, frozen=True, kw_only=True):
    """A field of a message.

    name: as the provider writes it. namespace: of an XML element or attribute, ``""`` for none. values: the only ones
    allowed. alternative: one of a choice. lost: why it cannot be carried, ``""`` where it can.
    """

    name: str
    kind: Kind
    namespace: str = ""
    attribute: bool = False
    required: bool = False
    repeated: bool = False
    alternative: bool = False
    nillable: bool = False
    values: tuple[str, ...] = ()
    pattern: str = ""
    longest: int | None = None
    title: str = ""
    fields: tuple["Field", ...] = ()
    lost: str = ""

    def __post_init__(self) -> None:
        if bool(self.fields) and self.kind is not Kind.GROUP:
            raise ValueError("only a group has fields")


class Place(StrEnum):
    """Where a REST request's field goes."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"


class Operation(Struct, frozen=True, kw_only=True):
    """What can be asked.

    request, answer: the messages' fields; of SOAP, those inside the request and the answer element. element,
    answer_element: ``{namespace}name``. method, path: of REST. places: REST request field → where it goes. unusable:
    why it cannot be called, ``""`` where it can. not_found: HTTP statuses that say so.
    """

    name: str
    title: str = ""
    request: tuple[Field, ...] = ()
    answer: tuple[Field, ...] = ()
    element: str = ""
    answer_element: str = ""
    soap_action: str = ""
    method: str = "POST"
    path: str = ""
    places: dict[str, Place] = {}
    answer_repeated: bool = False
    unusable: str = ""
    not_found: tuple[int, ...] = ()


class Contract(Struct, frozen=True, kw_only=True):
    """What a provider offers. address: where, ``""`` if it does not say. soap: 1.1, 1.2, or ``""`` for REST."""

    title: str
    operations: tuple[Operation, ...]
    address: str = ""
    soap: str = ""
    port: str = ""


class Leaf(Struct, frozen=True, kw_only=True):
    """A field without fields, with the way to it from the message."""

    way: tuple[Field, ...]

    @property
    def field(self) -> Field:
        """The field itself."""
        return self.way[-1]

    @property
    def path(self) -> str:
        """Names with ``/`` between; ``@`` before an attribute's, ``[]`` after what repeats."""
        return "/".join(
            f"{'@' if each.attribute else ''}{each.name}{'[]' if each.repeated else ''}" for each in self.way
        )

    @property
    def lost(self) -> str:
        """Why it cannot be carried; ``""`` where it can."""
        return next((each.lost for each in self.way if each.lost), "")


def leaves(fields: tuple[Field, ...], above: tuple[Field, ...] = ()) -> Iterator[Leaf]:
    """The leaves of a message, in the contract's order. An empty group counts as one: its presence says something."""
    for field in fields:
        way = (*above, field)
        if field.fields:
            yield from leaves(field.fields, way)
        else:
            yield Leaf(way=way)
