"""What of a provider's contract a mapping uses, and what would be lost: for ``motlan adapter test``."""

from collections.abc import Iterable

from gateway.mapping.document import Call, Field, MappingDocument, Rule, Shape
from gateway.mapping.paths import steps

_Path = tuple[str, ...]


def used_fields(document: MappingDocument, call: Call) -> frozenset[str]:
    """Paths of the answer, from its top, that a call's shapes, rules and keeps read."""
    used: set[_Path] = {steps(keep.from_) for keep in call.keep}
    used |= {path for rule in (*call.outcome, *document.outcome) for path in _ruled(rule)}
    if call.updated_at is not None:
        used.add(steps(call.updated_at))
    if call.shape is not None:
        used |= _shaped(document, call.shape, steps(call.items))
    if call.whole is not None:
        used |= _shaped(document, call.whole, ())
    return frozenset("/".join(path) for path in used)


def lost_fields(document: MappingDocument, call: Call, leaves: Iterable[str]) -> list[str]:
    """Of the answer's leaves (paths from its top, as its contract has them) those that nothing maps.

    A leaf is mapped if its path, or one that holds it, is used; one that a shape ignores is lost on purpose, and not
    listed.
    """
    known = {steps(path) for path in used_fields(document, call)} | ignored_fields(document, call)
    lost = []
    for leaf in leaves:
        path = steps(leaf)
        plain = tuple(step.removeprefix("@") for step in path)
        if not any(path[: len(one)] == one or plain == tuple(step.removeprefix("@") for step in one) for one in known):
            lost.append(leaf)
    return lost


def ignored_fields(document: MappingDocument, call: Call) -> set[_Path]:
    """Paths that shapes know and do not want."""
    found: set[_Path] = set()
    for name, base in ((call.shape, steps(call.items)), (call.whole, ())):
        if name is not None:
            found |= _ignored(document, name, base)
    return found


def filled_elements(document: MappingDocument, name: str) -> frozenset[str]:
    """Pointers of the canonical elements that a shape fills, those of shapes inside it too; ``*`` for lists."""
    return frozenset(_filled(document, document.shape[name], ""))


def asked_fields(document: MappingDocument, call: Call) -> frozenset[str]:
    """Pointers into the canonical request that a call's fields and comparisons take."""
    sources: list[str | None] = [each.asked for each in call.compare]
    for part in call.request:
        for sent in document.request[part].fields:
            sources += [sent.from_, sent.else_from, *sent.join]
    return frozenset(source for source in sources if source is not None and source.startswith("/"))


def _ruled(rule: Rule) -> Iterable[_Path]:
    return (steps(path) for path in (rule.field, rule.missing) if path)


def _shaped(document: MappingDocument, name: str, base: _Path) -> set[_Path]:
    used: set[_Path] = set()
    for field in document.shape[name].fields:
        for path in _origins(field):
            whole = steps(path) if path.startswith("/") else (*base, *steps(path))
            if field.shape is not None:
                used |= _shaped(document, field.shape, whole)
            elif field.parts:
                used |= {(*whole, *steps(part)) for part in field.parts.values()}
                used |= {whole} if field.otherwise is not None else set()
            else:
                used.add(whole)
    return used


def _origins(field: Field) -> list[str]:
    if field.asked is not None or field.value is not None:
        return []
    return [field.from_ or "", *([field.else_from] if field.else_from is not None else [])]


def _ignored(document: MappingDocument, name: str, base: _Path) -> set[_Path]:
    shape = document.shape[name]
    found: set[_Path] = {(*base, *steps(path)) for path in shape.ignore}
    for field in shape.fields:
        if field.shape is not None:
            for path in _origins(field):
                found |= _ignored(document, field.shape, (*base, *steps(path)))
    return found


def _filled(document: MappingDocument, shape: Shape, base: str) -> Iterable[str]:
    for field in shape.fields:
        pointer = base + field.to
        if field.shape is not None:
            yield from _filled(document, document.shape[field.shape], pointer + ("/*" if field.each else ""))
        else:
            yield pointer
