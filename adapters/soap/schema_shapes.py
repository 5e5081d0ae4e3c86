"""Shapes out of JSON Schema (draft 2020-12, its subset that OpenAPI 3.0 shares), for XML in one namespace of ours.

What a schema says of the structure becomes structure; what it only says of values becomes facets; conditions between
members (``dependentSchemas``, ``oneOf`` that only narrows) stay with the schema, which checks the document. A value
that may be of several types is JSON text. Members of ``oneOf`` and ``anyOf`` branches are optional members.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, structs

from adapters.soap.schema_scalars import enumeration, scalar, type_of
from adapters.soap.translate_names import element_name
from adapters.soap.translate_shapes import Items, JsonText, Member, Named, Record, Scalar, Shape, resolved

_DEEPEST = 32
"""References and branches inside one another, without a member between them."""
_ANNOTATIONS = frozenset(
    {"$ref", "title", "description", "$comment", "$schema", "$id", "examples", "example", "default", "deprecated"}
)
_EXTRA = "additional"
_ITEM = "item"

Document = Mapping[str, Any]


class Place(Struct, frozen=True):
    """A schema, and the ``$id`` of the document that it stands in."""

    schema: Any
    base: str


class _View(Struct, kw_only=True):
    """What several schemas that hold together say of one value."""

    types: list[set[str]]
    properties: dict[str, list[Place]]
    weak: dict[str, list[Place]]
    required: set[str]
    items: list[Place]
    extra: list[Place]
    closed: bool = False
    tuple_: bool = False
    nullable: bool = False
    mixed: bool = False
    keywords: dict[str, Any]


class SchemaShapes:
    """Compiles schemas into shapes. documents: ``$id`` → parsed schema. namespace: of every element.

    answers: every member is optional, since a grant may take any away. Raises ValueError for references to nothing.
    shapes: grows with every type that has a name; may be shared by requests and answers.
    """

    def __init__(
        self, documents: Mapping[str, Any], namespace: str, shapes: dict[str, Shape], *, answers: bool
    ) -> None:
        self.shapes = shapes
        self._documents = documents
        self._namespace = namespace
        self._answers = answers
        self._done: dict[str, tuple[Shape, bool]] = {}

    def compile(self, schema: Any, base: str = "") -> tuple[Shape, bool]:
        """The shape of a schema's values, and whether they may be null."""
        return self._shape([Place(schema, base)])

    def _shape(self, places: list[Place]) -> tuple[Shape, bool]:
        only = places[0] if len(places) == 1 else None
        if only is not None and isinstance(only.schema, dict) and "$ref" in only.schema:
            named = self._named(only)
            if named is not None:
                return named
        return self._unnamed(places)

    def _unnamed(self, places: list[Place]) -> tuple[Shape, bool]:
        view = _View(types=[], properties={}, weak={}, required=set(), items=[], extra=[], keywords={})
        for place in places:
            self._see(place, view, 0)
        title = str(view.keywords.get("title", ""))
        types = set.intersection(*view.types) if view.types else type_of(view.keywords, view.properties or view.weak)
        nullable = view.nullable or "null" in types
        types = types - {"null"}
        if types == {"integer", "number"}:
            types = {"number"}
        if view.mixed or len(types) != 1:
            return JsonText(title=title), False
        (kind,) = types
        if kind == "object":
            return self._record(view, title), nullable
        if kind == "array":
            return self._items(view, title), nullable
        return scalar(kind, view.keywords, title), nullable

    def _named(self, place: Place) -> tuple[Shape, bool] | None:
        """A type with a name of its own, if it is an object; None where the schema says more than where it is."""
        if not _ANNOTATIONS.issuperset(place.schema):
            return None
        key, target = self._refer(place)
        if key not in self._done and key in self.shapes:
            return Named(name=key), False  # it contains itself
        if key not in self._done:
            self.shapes[key] = Record()  # holds its place while what it contains is compiled
            shape, nullable = self._shape([target])
            if isinstance(shape, Record):
                shape = self.shapes[key] = structs.replace(shape, type_name=self._type_name(key))
                self._done[key] = Named(name=key), nullable
            else:
                self.shapes[key] = shape
                self._done[key] = shape, nullable
        return self._done[key]

    def _type_name(self, key: str) -> str:
        """A type's name from what refers to it: the last step of the fragment, or the document's name. Unique."""
        document, _, fragment = key.partition("#")
        last = fragment.rpartition("/")[2] or document.rpartition("/")[2].removesuffix(".json") or "value"
        made = element_name("".join(word[0].upper() + word[1:] for word in _words(last) if word) or "Value")
        made += "Answer" if self._answers else "Request"
        taken = {shape.type_name for shape in self.shapes.values() if isinstance(shape, Record)}
        name, number = made, 1
        while name in taken:
            number += 1
            name = f"{made}{number}"
        return name

    def _refer(self, place: Place) -> tuple[str, Place]:
        """A reference's target and its full name. Raises ValueError."""
        name, _, fragment = str(place.schema["$ref"]).partition("#")
        base = place.base
        if name:
            base = name if name in self._documents else base.rpartition("/")[0] + "/" + name
        target: Any = self._documents.get(base)
        for step in fragment.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, Mapping) else None
        if target is None:
            raise ValueError(f"the reference {place.schema['$ref']} leads to no schema here")
        side = "answer" if self._answers else "request"
        return f"{side}:{base}#{fragment}", Place(target, base)

    def _see(self, place: Place, view: _View, depth: int, *, weak: bool = False) -> None:
        """Add what one schema says. weak: it is one branch of several."""
        if depth > _DEEPEST:
            raise ValueError("schemas refer to one another in a circle")
        schema = place.schema
        if not isinstance(schema, dict):
            return
        if "type" in schema and not weak:
            view.types.append({schema["type"]} if isinstance(schema["type"], str) else set(schema["type"]))
        view.nullable |= bool(schema.get("nullable"))  # OpenAPI 3.0
        self._see_members(schema, place.base, view, weak=weak)
        if not weak:
            for word, said in schema.items():
                view.keywords.setdefault(word, said)
        if "$ref" in schema:
            self._see(self._refer(place)[1], view, depth + 1, weak=weak)
        for branch in schema.get("allOf", ()):
            self._see(Place(branch, place.base), view, depth + 1, weak=weak)
        for word in ("anyOf", "oneOf"):
            self._see_branches([Place(each, place.base) for each in schema.get(word, ())], view, depth)

    def _see_members(self, schema: Document, base: str, view: _View, *, weak: bool) -> None:
        members = view.weak if weak else view.properties
        for name, said in schema.get("properties", {}).items():
            members.setdefault(name, []).append(Place(said, base))
        if weak:
            return
        view.required.update(schema.get("required", ()))
        if "items" in schema and isinstance(schema["items"], dict):
            view.items.append(Place(schema["items"], base))
        view.tuple_ |= "prefixItems" in schema or isinstance(schema.get("items"), list)
        for word in ("additionalProperties", "unevaluatedProperties"):
            said = schema.get(word)
            if said is False and not schema.get("patternProperties"):
                view.closed = True
            elif isinstance(said, dict) and said and not schema.get("patternProperties"):
                view.extra.append(Place(said, base))

    def _see_branches(self, branches: list[Place], view: _View, depth: int) -> None:
        """Alternatives: one null among them, scalars of one type, or objects whose members are all optional."""
        if not branches:
            return
        rest = [branch for branch in branches if not _only_null(branch.schema)]
        view.nullable |= len(rest) < len(branches)
        if len(rest) == 1:
            self._see(rest[0], view, depth + 1)
            return
        kinds = [self._kinds(branch, depth + 1) for branch in rest]
        said = [kind for kind in kinds if kind is not None]
        if said and (len(said) < len(rest) or any(kind != said[0] for kind in said)):
            view.mixed |= not view.types
            return
        if said:
            view.types.append(set(said[0]))
        for branch in rest:
            self._see(branch, view, depth + 1, weak=True)

    def _kinds(self, place: Place, depth: int) -> frozenset[str] | None:
        """The types that a branch says its values have; None where it says nothing of them."""
        if depth > _DEEPEST:
            raise ValueError("schemas refer to one another in a circle")
        schema = place.schema
        if not isinstance(schema, dict):
            return None
        if "type" in schema:
            return frozenset([schema["type"]] if isinstance(schema["type"], str) else schema["type"])
        if "$ref" in schema:
            return self._kinds(self._refer(place)[1], depth + 1)
        found = [self._kinds(Place(each, place.base), depth + 1) for each in schema.get("allOf", ())]
        own = enumeration(schema) or (frozenset({"object"}) if "properties" in schema else None)
        return next((each for each in [own, *found] if each), None)

    def _record(self, view: _View, title: str) -> Record:
        places = {**view.weak, **view.properties}
        members = []
        for name, said in places.items():
            if any(place.schema is False for place in said):
                continue
            shape, nullable = self._shape(said) if name in view.properties else self._alike(said)
            required = name in view.required and name in view.properties and not self._answers
            members.append(self._member(name, shape, nullable=nullable, required=required))
        extra = None if view.closed else self._extra(view, {member.tag for member in members})
        return Record(members=tuple(members), extra=extra, title=title)

    def _alike(self, places: list[Place]) -> tuple[Shape, bool]:
        """The shape that fits a member in each of several branches."""
        made = [self._shape([place]) for place in places]
        shapes = [shape for shape, _ in made]
        nullable = any(each for _, each in made)
        if all(shape == shapes[0] for shape in shapes):
            return shapes[0], nullable
        kinds = {shape.kind if isinstance(shape, Scalar) else None for shape in shapes}
        if len(kinds) == 1 and None not in kinds:
            return next(
                Scalar(kind=shape.kind, base=_base(shapes)) for shape in shapes if isinstance(shape, Scalar)
            ), nullable
        return JsonText(), False

    def _member(self, name: str, shape: Shape, *, nullable: bool, required: bool) -> Member:
        tag = f"{{{self._namespace}}}{element_name(name)}"
        if isinstance(shape, Items) and not nullable and self._repeatable(shape.item):
            item = shape.item
            return Member(
                name=name,
                tag=tag,
                shape=item.shape,
                required=required,
                many=True,
                marked=True,
                filled=required,
                least=item.least,
                most=item.most,
            )
        return Member(name=name, tag=tag, shape=shape, required=required, nillable=nullable)

    def _repeatable(self, item: Member) -> bool:
        """Whether an array of it can be repeated elements: then ``xsi:nil`` is free to say "empty"."""
        return not item.nillable and not isinstance(resolved(item.shape, self.shapes), Items)

    def _items(self, view: _View, title: str) -> Shape:
        if view.tuple_:
            return JsonText(title=title)
        shape, nullable = self._shape(view.items) if view.items else (JsonText(), False)
        item = Member(
            name=_ITEM,
            tag=f"{{{self._namespace}}}{_ITEM}",
            shape=shape,
            nillable=nullable,
            least=_count(view.keywords.get("minItems")) or 0,
            most=_count(view.keywords.get("maxItems")),
        )
        return Items(item=item, title=title)

    def _extra(self, view: _View, taken: Iterable[str]) -> Member:
        """The element for members that no property names."""
        shape, nullable = self._shape(view.extra) if view.extra else (JsonText(), False)
        if isinstance(resolved(shape, self.shapes), Items):
            shape, nullable = JsonText(), False
        local, used = _EXTRA, set(taken)
        while f"{{{self._namespace}}}{local}" in used:
            local = f"_{local}"
        return Member(name=_EXTRA, tag=f"{{{self._namespace}}}{local}", shape=shape, nillable=nullable)


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value >= 0 else None


def _base(shapes: list[Shape]) -> str:
    bases = {shape.base for shape in shapes if isinstance(shape, Scalar)}
    return bases.pop() if len(bases) == 1 else "string"


def _only_null(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    return (
        schema.get("type") == "null" or ("const" in schema and schema["const"] is None) or schema.get("enum") == [None]
    )


def _words(text: str) -> Iterator[str]:
    word = ""
    for character in text:
        if character.isalnum():
            word += character
        else:
            yield word
            word = ""
    yield word
