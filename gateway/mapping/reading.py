"""From the fields of an answer to canonical elements: each field a closure, compiled once."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.mapping.context import Context, source
from gateway.mapping.document import Field, Form, Shape
from gateway.mapping.forms import Read, compile_form
from gateway.mapping.paths import Tree, getter, step_into, steps
from gateway.mapping.tables import Codes
from gateway.mapping.values import AnswerError, Document
from gateway.model.pointer import parse_pointer

Put = Callable[[Document, Any], None]


class Shapes:
    """The shapes of a file, compiled when they are first asked for. They do not hold one another in a circle."""

    def __init__(self, shapes: Mapping[str, Shape], codes: dict[str, Codes]) -> None:
        self._shapes = shapes
        self._codes = codes
        self._made: dict[str, Read] = {}

    def get(self, name: str) -> Read:
        """The reader of a shape."""
        if name not in self._made:
            self._made[name] = self._compile(self._shapes[name])
        return self._made[name]

    def _compile(self, shape: Shape) -> Read:
        if len(shape.fields) == 1 and shape.fields[0].to == "":
            return self._alone(shape.fields[0])
        fields = [self._entry(field) for field in shape.fields]
        known = known_names(shape) if shape.closed else None

        def read(tree: Tree, root: Tree, context: Context) -> Document | None:
            if tree.__class__ is not dict:
                if tree is None:
                    return None
                raise AnswerError("text stands where a structure belongs")
            if known is not None and not tree.keys() <= known:
                raise AnswerError("the answer has elements that the contract does not know")
            made: Document = {}
            for name, find, form, put, required in fields:
                value = tree.get(name) if find is None else find(tree, root, context)
                if value is not None and (value := form(value, root, context)) is not None:
                    put(made, value)
                elif required:
                    raise AnswerError("a field is missing that is always there")
            return made or None

        return read

    def _alone(self, field: Field) -> Read:
        name, find, form = self._source(field)

        def read(tree: Tree, root: Tree, context: Context) -> Any:
            value = find(tree, root, context) if find is not None else step_into(tree, name)
            return None if value is None else form(value, root, context)

        return read

    def _entry(self, field: Field) -> tuple[str, Read | None, Read, Put, bool]:
        """Name of the field (or what finds it otherwise), form, what puts it in its place, whether it is required."""
        path, find, form = self._source(field)
        return path, find, form, _put(parse_pointer(field.to).steps), field.required

    def _source(self, field: Field) -> tuple[str, Read | None, Read]:
        form = self._form(field, form_of(field))
        if field.otherwise is not None:
            form = _either(form, self._form(field, field.otherwise))
        if field.each:
            form = _each(form)
        path = field.from_ or ""
        plain = field.asked is None and field.value is None and field.else_from is None
        direct = plain and path and "/" not in path and path[0] != "@"
        return path, None if direct else _find(field), form

    def _form(self, field: Field, form: Form) -> Read:
        if form is Form.SHAPE:
            return self.get(field.shape or "")
        return compile_form(field, form, self._codes)


def form_of(field: Field) -> Form:
    """The form that a field has, written or understood."""
    if field.as_ is not None:
        return field.as_
    return Form.SHAPE if field.shape else Form.CODE if field.codes else Form.TEXT


def known_names(shape: Shape) -> frozenset[str]:
    """First names of all the paths that a shape knows."""
    paths = [*shape.ignore]
    for field in shape.fields:
        for path in (field.from_, field.else_from):
            if path and not path.startswith("/"):
                paths.append(path)
            elif path is None or path == "":
                paths += field.parts.values()
    return frozenset(steps(path)[0] for path in paths if path)


def _put(keys: tuple[str, ...]) -> Put:
    if len(keys) == 1:
        only = keys[0]

        def put_one(made: Document, value: Any) -> None:
            made[only] = value

        return put_one
    *above, last = keys

    def put(made: Document, value: Any) -> None:
        place: dict[str, Any] = made
        for key in above:
            place = place.setdefault(key, {})
        place[last] = value

    return put


def _find(field: Field) -> Read:
    if field.value is not None:
        constant = field.value
        return lambda _, __, ___: constant
    if field.asked is not None:
        asked = source(field.asked)
        return lambda _, __, context: asked(context.document, context)
    first = getter(field.from_ or "")
    if field.else_from is None:
        return lambda tree, root, _: first(tree, root)
    second = getter(field.else_from)

    def find(tree: Tree, root: Tree, _: Context) -> Tree:
        found = first(tree, root)
        return second(tree, root) if found is None or found == "" else found

    return find


def _each(form: Read) -> Read:
    def read(value: Any, root: Tree, context: Context) -> list[Any]:
        listed = value if isinstance(value, list) else [value]
        made = [form(item, root, context) for item in listed]
        return [item for item in made if item is not None]

    return read


def _either(structured: Read, otherwise: Read) -> Read:
    def read(value: Any, root: Tree, context: Context) -> Any:
        return (structured if isinstance(value, dict) else otherwise)(value, root, context)

    return read
