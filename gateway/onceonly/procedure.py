"""A procedure's form: its roles, the look-ups that are made for each, and which element comes from where."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from gateway.model.ids import ServiceId
from gateway.model.pointer import parse_pointer

INPUTS = ("identity_number", "full_name", "birth_date")
"""What a request may say of a person, to look them up by."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Compare(StrEnum):
    """When two sources say the same."""

    EXACT = "exact"
    NAME = "name"
    """Apart from capitals, spaces, the way marks are encoded, and which vowel of a word carries its tone."""
    DATE = "date"
    """As far as the less precise of the two goes."""


class Role(Struct, frozen=True, kw_only=True):
    """A person's part in the procedure. known: what the role itself says, such as ``sex = "female"``."""

    title: Annotated[str, Meta(description="For people, Vietnamese.")]
    title_en: Annotated[str, Meta(description="For people, English.")] = ""
    required: Annotated[bool, Meta(description="Whether a request must name somebody in it.")] = False
    known: Annotated[dict[str, str], Meta(description='What the role itself says, such as sex = "female".')] = field(
        default_factory=dict
    )


class Lookup(Struct, frozen=True, kw_only=True):
    """A call that can be made for a person.

    needs: alternatives, in order; the first of which everything is known is sent. also: sent beside it where known,
    so that the source verifies it.
    """

    service: Annotated[ServiceId, Meta(description="The service that is called.")]
    roles: Annotated[tuple[str, ...], Meta(description="For whom it is made.", min_length=1)]
    needs: Annotated[
        tuple[tuple[str, ...], ...],
        Meta(description="What must be known, as alternatives in order: the first that is, is sent.", min_length=1),
    ]
    also: Annotated[tuple[str, ...], Meta(description="Sent beside it where known, for the source to verify.")] = ()
    method: Annotated[str, Meta(description="HTTP method.")] = "POST"
    path: Annotated[str, Meta(description="Behind the service.")] = ""


class Source(Struct, frozen=True, kw_only=True):
    """Where an element comes from."""

    lookup: Annotated[str, Meta(description="Name of the look-up.")]
    pointer: Annotated[str, Meta(description="JSON Pointer into its answer.")]


class Element(Struct, frozen=True, kw_only=True):
    """A field of the form. sources: in order of preference; none: only the citizen knows it."""

    name: Annotated[str, Meta(description="Within its role: mother.full_name is role.name.")]
    roles: Annotated[tuple[str, ...], Meta(description="Which roles have it.", min_length=1)]
    title: Annotated[str, Meta(description="For people, Vietnamese.")]
    title_en: Annotated[str, Meta(description="For people, English.")] = ""
    sources: Annotated[tuple[Source, ...], Meta(description="In order of preference; none: the citizen is asked.")] = ()
    compare: Annotated[Compare, Meta(description="When two sources say the same.")] = Compare.EXACT
    fresh_hours: Annotated[int, Meta(description="How long a value may be used before it is asked again.", ge=1)] = 24
    required: Annotated[bool, Meta(description="Whether the form is incomplete without it.")] = True


class Procedure(Struct, frozen=True, kw_only=True):
    """An administrative procedure that can be prefilled. Raises ValueError when it contradicts itself."""

    code: Annotated[str, Meta(description="Its code in the national catalogue; the purpose of every call.")]
    title: Annotated[str, Meta(description="For people, Vietnamese.")]
    title_en: Annotated[str, Meta(description="For people, English.")] = ""
    basis: Annotated[str, Meta(description="The legal basis of its look-ups.")]
    role: Annotated[dict[str, Role], Meta(description="Parts that people have in it.", min_length=1)]
    lookup: Annotated[dict[str, Lookup], Meta(description="Calls that can be made.")] = field(default_factory=dict)
    element: Annotated[tuple[Element, ...], Meta(description="Fields of the form.", min_length=1)]

    def __post_init__(self) -> None:
        names = [f"{role}.{element.name}" for element in self.element for role in element.roles]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"the element {min(twice)} is given twice")
        _known("role", (role for element in self.element for role in element.roles), self.role)
        for lookup in self.lookup.values():
            _known("role", lookup.roles, self.role)
            possible = {*INPUTS, *(name for role in lookup.roles for name in self.role[role].known)}
            _known("input", (name for names in (*lookup.needs, lookup.also) for name in names), possible)
        for element in self.element:
            if not _NAME.fullmatch(element.name):
                raise ValueError("an element's name is lower case, with digits and underscores")
            for source in element.sources:
                _known("look-up", (source.lookup,), self.lookup)
                parse_pointer(source.pointer)


def _known(noun: str, used: Iterable[str], known: Iterable[str]) -> None:
    for name in used:
        if name not in known:
            raise ValueError(f"there is no {noun} {name} in this procedure")
