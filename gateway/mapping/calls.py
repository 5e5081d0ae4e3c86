"""One call of a provider, compiled: what is sent, and what the answer means."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from gateway.mapping import document as written
from gateway.mapping.asking import Written, compile_request
from gateway.mapping.context import Context, UnfitError, condition
from gateway.mapping.document import Wrap, Wrapping
from gateway.mapping.formats import moment_reader
from gateway.mapping.judging import Answer, Verdict, compile_rules, goes_on, usual
from gateway.mapping.paths import PLACED, Tree, getter, items, replace, steps
from gateway.mapping.reading import Shapes
from gateway.mapping.selecting import Choice, compile_compare
from gateway.mapping.tables import Codes
from gateway.mapping.values import AnswerError, Document, text
from gateway.mapping.xmltext import xml_text
from gateway.model.instant import Instant, from_datetime
from gateway.model.outcomes import SUCCESSES, Outcome

_NO_SEGMENT = frozenset({"", ".", ".."})


class Parsers(Struct, frozen=True):
    """What reads text that travels inside a document; both raise ValueError. xml: the tree ``{root: …}``.

    json_text: writes JSON.
    """

    json: Callable[[str], Any]
    xml: Callable[[str], Any]
    json_text: Callable[[Any], str]


class Sending(Struct, frozen=True, kw_only=True):
    """A call as it is sent. operation: of a WSDL. path, query: raw. body: a tree in the provider's order, or None."""

    operation: str | None
    method: str
    path: str
    query: str | None
    headers: tuple[tuple[str, str], ...]
    body: dict[str, Any] | None


class Reading(Struct, frozen=True, kw_only=True):
    """What an answer says.

    outcome: None for a stale session. document: of a success. differing: elements' names of a MISMATCH. kept: for the
    calls after this one. updated_at: when the source says that the data is of.
    """

    outcome: Outcome | None
    document: Any = None
    differing: tuple[str, ...] = ()
    provider_code: str | None = None
    updated_at: Instant | None = None
    kept: tuple[tuple[str, Any], ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the operation goes on, or ends well."""
        return self.outcome in SUCCESSES


class Parts(Struct, frozen=True, kw_only=True):
    """What the calls of a file share. success: outcome of a good answer."""

    file: written.MappingDocument
    codes: Mapping[str, Codes]
    shapes: Shapes
    parsers: Parsers


class Call:
    """A call of an operation. answer: local name of a SOAP answer's element."""

    def __init__(self, call: written.Call, parts: Parts, *, write: bool, success: Outcome) -> None:
        self.operation = call.operation
        self.answer = call.answer
        self.name = call.operation or call.path
        """Key of the service's integration codes."""
        self.attributes = _uses_attributes(parts.file)
        """Whether attributes inside the answer matter (those of its top always do)."""
        self.accept = frozenset(call.accept)
        self._call, self._parsers, self._write, self._success = call, parts.parsers, write, success
        self._unreadable = Outcome.UNKNOWN if write else Outcome.INVALID_REPLY
        self._applies = condition(call.when, call.unless)
        self._fill = compile_request(call.request, parts.file.request, parts.codes)
        self._placed = tuple(dict.fromkeys(PLACED.findall(call.path)))
        self._wrap = [_wrapper(each, parts.parsers) for each in call.wrap]
        self._unwrap = [_unwrapper(each, parts.parsers) for each in call.unwrap if each.at]
        self.whole_is_json = any(not each.at and each.as_ is Wrapping.JSON_TEXT for each in call.unwrap)
        """Q13: JSON text may stand where the answer's element belongs."""
        self._judge = compile_rules(call.outcome, parts.codes)
        self._judge_file = compile_rules(parts.file.outcome, parts.codes)
        self._items = items(call.items)
        self._shape = parts.shapes.get(call.shape) if call.shape is not None else None
        self._whole = parts.shapes.get(call.whole) if call.whole is not None else None
        self._choose = compile_compare(call.compare, none=call.none, several=call.several)
        self._keep = [(each.name, getter(each.from_)) for each in call.keep]
        self._updated = getter(call.updated_at) if call.updated_at is not None else None

    def applies(self, context: Context) -> bool:
        """Whether it is this call's turn."""
        return self._applies is None or self._applies(context.document, context)

    def send(self, context: Context) -> Sending:
        """What is sent. Raises UnfitError."""
        made = Written()
        self._fill(made, context.document, context)
        try:
            for wrap in self._wrap:
                wrap(made.body)
        except ValueError:
            raise UnfitError from None
        path = self._call.path
        for name in self._placed:
            value = made.path.get(name, "")
            if value in _NO_SEGMENT:  # what it leads to then is another resource
                raise UnfitError(name)
            path = path.replace("{" + name + "}", quote(value, safe=""))
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in made.query) or None
        has_body = self.operation is not None or made.body or self._call.method not in {"GET", "DELETE", "HEAD"}
        return Sending(
            operation=self.operation,
            method=self._call.method,
            path=path,
            query=query,
            headers=tuple(made.headers),
            body=made.body if has_body else None,
        )

    def read(self, answer: Answer, context: Context) -> Reading:
        """What came of it: never raises for what a provider says."""
        try:
            return self._read(answer, context)
        except AnswerError:
            return Reading(outcome=self._unreadable)

    def _read(self, answer: Answer, context: Context) -> Reading:
        tree = answer.tree
        if tree is not None:
            for unwrap in self._unwrap:
                unwrap(tree)
        verdict = self._verdict(answer, context)
        if verdict is not None and not goes_on(verdict):
            invalid = verdict.outcome is Outcome.INVALID_REPLY
            return Reading(outcome=self._unreadable if invalid else verdict.outcome, provider_code=verdict.code)
        outcome = self._success if verdict is None or verdict.outcome is None else verdict.outcome
        choice, document = self._content(tree, context)
        if choice.outcome is not Outcome.FOUND:
            return Reading(outcome=choice.outcome, differing=choice.differing)
        kept = tuple((name, text(find(tree, tree))) for name, find in self._keep)
        if any(value is None for _, value in kept):
            return Reading(outcome=self._call.none)
        code = verdict.code if verdict is not None else None
        return Reading(outcome=outcome, document=document, provider_code=code, updated_at=self._moment(tree), kept=kept)

    def _verdict(self, answer: Answer, context: Context) -> Verdict | None:
        """The first rule that decides; of a success, what holds for everybody must not contradict it."""
        found = self._judge(answer, context) if self._judge is not None else None
        if found is None and self._judge_file is not None:
            found = self._judge_file(answer, context)
        if found is not None and not goes_on(found):
            return found
        return usual(answer, self.accept, write=self._write) or found

    def _content(self, tree: Tree, context: Context) -> tuple[Choice, Any]:
        if self._shape is None:
            whole = self._whole(tree, tree, context) if self._whole is not None else None
            return Choice(Outcome.FOUND), whole
        made: list[Document] = []
        for item in self._items(tree):
            document = self._shape(item, tree, context)
            if document is None:
                raise AnswerError("an item is empty")
            made.append(document)
        choice = self._choose(made, context)
        if self._whole is not None and choice.outcome is Outcome.FOUND:
            return choice, self._whole(tree, tree, context)
        return choice, choice.item

    def _moment(self, tree: Tree) -> Instant | None:
        """When the data is of; what is no moment is none, since nothing depends on it."""
        if self._updated is None:
            return None
        try:
            found = text(self._updated(tree, tree))
            return None if found is None else _instant(found)
        except ValueError:
            return None


_MOMENT = moment_reader(None)


@lru_cache(maxsize=256)
def _instant(written: str) -> Instant:
    """Remembered, since sources date all their data by the same few moments."""
    return from_datetime(_MOMENT(written))


def _uses_attributes(file: written.MappingDocument) -> bool:
    """Whether any path of the file leads to an attribute."""
    rules = [*file.outcome, *(rule for each in file.operation for call in each.call for rule in call.outcome)]
    paths = [path for rule in rules for path in (rule.field, rule.missing)]
    for shape in file.shape.values():
        for field in shape.fields:
            paths += [field.from_, field.else_from, *field.parts.values()]
    paths += [keep.from_ for each in file.operation for call in each.call for keep in call.keep]
    return any(path and "@" in path for path in paths)


def _wrapper(wrap: Wrap, parsers: Parsers) -> Callable[[dict[str, Any]], None]:
    names = steps(wrap.at)
    write = xml_text if wrap.as_ is Wrapping.XML_TEXT else parsers.json_text

    def apply(body: dict[str, Any]) -> None:
        replace(body, names, write)

    return apply


def _unwrapper(wrap: Wrap, parsers: Parsers) -> Callable[[Tree], None]:
    names = steps(wrap.at)
    parse = parsers.xml if wrap.as_ is Wrapping.XML_TEXT else parsers.json

    def read(value: Any) -> Any:
        while isinstance(value, list):
            value = value[0] if value else None
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except ValueError:
            raise AnswerError("a text is not the document that it should be") from None

    def apply(tree: Tree) -> None:
        replace(tree, names, read)

    return apply
