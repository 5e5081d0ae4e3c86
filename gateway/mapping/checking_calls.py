"""Operations and their calls: what they name exists, and what a request is made of is made once."""

import re
from collections.abc import Iterable

from gateway.mapping.complaints import Complaints, Key
from gateway.mapping.context import KEPT
from gateway.mapping.document import Call, Compared, Operation, Place, Protocol, Sent
from gateway.mapping.paths import PLACED, is_path, steps
from gateway.model.outcomes import SUCCESSES, Outcome

_CALL_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}|\{[A-Za-z0-9_]+\})+)*/?")
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def check_operations(complaints: Complaints) -> None:
    """Every ``[[operation]]``."""
    seen: set[tuple[str, str]] = set()
    for number, operation in enumerate(complaints.document.operation):
        at: Key = ("operation", number)
        if (operation.method, operation.path) in seen:
            complaints.add((*at, "path"), f"there is another operation {operation.method} {operation.path or '(none)'}")
        seen.add((operation.method, operation.path))
        if operation.path and (not operation.path.startswith("/") or operation.path.endswith("/")):
            complaints.add((*at, "path"), "starts with a slash and does not end with one")
        complaints.known((*at, "method"), operation.method, _METHODS, "method")
        _check_operation(complaints, at, operation)


def _check_operation(complaints: Complaints, at: Key, operation: Operation) -> None:
    asked = complaints.schema((*at, "request_schema"), operation.request_schema)
    complaints.schema((*at, "response_schema"), operation.response_schema)
    if operation.success is not None and operation.success not in SUCCESSES:
        complaints.add((*at, "success"), f"{operation.success.value} is no success")
    for index, needs in enumerate(operation.needs):
        for place, group in enumerate(needs.any_of):
            for position, text in enumerate(group):
                key = (*at, "needs", index, "any_of", place, position)
                complaints.source(key, text, pointer=True)
                complaints.element(key, text, asked)
    kept: set[str] = set()
    for index, call in enumerate(operation.call):
        check_call(complaints, (*at, "call", index), call, asked, kept)
        kept.update(each.name for each in call.keep)


def check_call(complaints: Complaints, at: Key, call: Call, asked: str | None, kept: set[str]) -> None:
    """One ``[[operation.call]]``. asked: schema of the request. kept: names kept by earlier calls."""
    document = complaints.document
    _check_protocol(complaints, at, call)
    for index, name in enumerate(call.request):
        complaints.known((*at, "request", index), name, document.request, "[request.…] named")
    _check_made_once(complaints, at, call, asked, kept)
    for key, shape in (("shape", call.shape), ("whole", call.whole)):
        if shape is not None:
            complaints.known((*at, key), shape, document.shape, "[shape.…] named")
    for key, outcome in (("none", call.none), ("several", call.several)):
        if outcome in SUCCESSES or outcome is Outcome.MISMATCH:
            complaints.add((*at, key), f"{outcome.value} is no outcome of that")
    _check_paths(complaints, at, call)
    _check_conditions(complaints, at, call, asked, kept)
    _check_compare(complaints, at, call, asked, kept)


def _check_paths(complaints: Complaints, at: Key, call: Call) -> None:
    paths: list[tuple[Key, str]] = [(("items",), call.items), (("updated_at",), call.updated_at or "")]
    paths += [(("keep", index, "from"), each.from_) for index, each in enumerate(call.keep)]
    for key, path in paths:
        if not is_path(path):
            complaints.add((*at, *key), "is no path: names with / between them")


def _check_protocol(complaints: Complaints, at: Key, call: Call) -> None:
    soap = complaints.document.contract.protocol is Protocol.SOAP
    if soap and (call.operation is None or call.answer is None):
        complaints.add(at, "needs operation and answer: the contract is SOAP")
    if soap and call.path:
        complaints.add((*at, "path"), "is of REST; the contract is SOAP")
    if not soap and (call.operation is not None or call.answer is not None):
        complaints.add(at, "operation and answer are of SOAP; the contract is REST")
    if not _CALL_PATH.fullmatch(call.path) or {".", ".."} & set(call.path.split("/")):
        complaints.add((*at, "path"), "is no path of a URL: it starts with a slash")
    complaints.known((*at, "method"), call.method, _METHODS, "method")
    for key, wraps in (("wrap", call.wrap), ("unwrap", call.unwrap)):
        for index, wrap in enumerate(wraps):
            if not is_path(wrap.at) or (key == "wrap" and not wrap.at):
                complaints.add((*at, key, index, "at"), "is no path: names with / between them")


def _check_made_once(complaints: Complaints, at: Key, call: Call, asked: str | None, kept: set[str]) -> None:
    """No two of a request's fields make one, unless they cannot both be there."""
    seen: list[Sent] = []
    for name in call.request:
        part = complaints.document.request.get(name)
        for index, sent in enumerate(part.fields if part is not None else ()):
            key = ("request", name, "fields", index)
            other = next((each for each in seen if _collide(each, sent)), None)
            if other is not None:
                complaints.add((*key, "to"), f"{sent.to} is already made of {_origin(other)}")
            seen.append(sent)
            for where, text in _sources(sent):
                _check_source(complaints, (*key, *where), text, asked, kept)
    placed = {sent.to for sent in seen if sent.place is Place.PATH}
    for name in set(PLACED.findall(call.path)) ^ placed:
        complaints.add((*at, "path"), f"{{{name}}} and a field with place = path go together")


def _sources(sent: Sent) -> Iterable[tuple[Key, str]]:
    for key in ("from_", "else_from"):
        if getattr(sent, key) is not None:
            yield (key.rstrip("_"),), getattr(sent, key)
    for key in ("join", "when", "unless"):
        for index, text in enumerate(getattr(sent, key)):
            yield (key, index), text


def _collide(one: Sent, other: Sent) -> bool:
    first, second = steps(one.to), steps(other.to)
    length = min(len(first), len(second))
    if one.place is not other.place or first[:length] != second[:length]:
        return False
    if one.precision and other.precision and not set(one.precision) & set(other.precision):
        return False
    return not (_excludes(one, other) or _excludes(other, one))


def _excludes(one: Sent, other: Sent) -> bool:
    needed = {*other.when, *([other.from_] if other.from_ and other.else_from is None else [])}
    return bool(set(one.unless) & needed)


def _origin(sent: Sent) -> str:
    return sent.from_ or " ".join(sent.join) or "a constant"


def _check_source(complaints: Complaints, key: Key, text: str, asked: str | None, kept: set[str]) -> None:
    """Sources of a call: pointers are the request schema's, kept values were kept before."""
    if text.startswith("/"):
        complaints.element(key, text, asked)
    elif text.startswith(KEPT):
        complaints.known(key, text.removeprefix(KEPT), kept, "value kept by an earlier call, named")
    else:
        complaints.source(key, text)


def _check_compare(complaints: Complaints, at: Key, call: Call, asked: str | None, kept: set[str]) -> None:
    shape = complaints.document.shape.get(call.shape or "")
    if call.compare and call.shape is None:
        complaints.add((*at, "compare"), "needs a shape: canonical elements are compared")
    held = complaints.schemas.find(shape.schema) if shape is not None and shape.schema is not None else None
    for index, compared in enumerate(call.compare):
        key = (*at, "compare", index)
        _check_source(complaints, (*key, "asked"), compared.asked, asked, kept)
        complaints.element((*key, "held"), compared.held, held)
        _check_conditions(complaints, key, compared, asked, kept)


def _check_conditions(
    complaints: Complaints, at: Key, compared: Compared | Call, asked: str | None, kept: set[str]
) -> None:
    for key in ("when", "unless"):
        for index, text in enumerate(getattr(compared, key)):
            _check_source(complaints, (*at, key, index), text, asked, kept)


def check_login(complaints: Complaints) -> None:
    """``[login]``."""
    login = complaints.document.login
    if login is None:
        return
    for index, name in enumerate(login.request):
        complaints.known(("login", "request", index), name, complaints.document.request, "[request.…] named")
    if not login.path.startswith("/"):
        complaints.add(("login", "path"), "starts with a slash")
    for key, path in (("session", login.session), ("error", login.error or "")):
        if not is_path(path):
            complaints.add(("login", key), "is no path: names with / between them")
