"""Covered components and the signature base (RFC 9421 §2).

The base is built by one function, for signing and for verifying, for requests and for answers. What a signature
covers is compiled once per distinct list of components: each client covers the same ones every time.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.request import DUPLICATE_HEADER
from gateway.model.errors.signature import (
    HEADER_UNSIGNABLE,
    SIGNATURE_COMPONENT_ABSENT,
    SIGNATURE_COMPONENT_UNSUPPORTED,
    SIGNATURE_MALFORMED,
)
from gateway.model.message import AnswerHead, Head
from gateway.signing.sf import (
    Item,
    Params,
    SfError,
    Value,
    inner_list,
    parse_byte_sequences,
    parse_signature_input,
    string,
)
from gateway.signing.target import PublicUrl

Use = Literal["request", "forward", "answer"]
"""What a signature is for; it decides which components it may cover.

request: by a caller; derived components and whole fields. forward: by the gateway, towards a provider; also single
members (``;key``) of the caller's Signature fields. answer: over an answer; also components of its request (``;req``).
"""


class MemberTexts(Struct, frozen=True):
    """The members of one signature in Signature-Input and Signature, canonically serialised, with their label."""

    label: str
    signature_input: str
    signature: str


class Source(Struct, frozen=True):
    """A message that component values are read from.

    url: where a request was sent; None for an answer. request: what an answer answers. members: a signature of this
    message that is already parsed, so that covering its members does not parse it again.
    """

    head: Head | AnswerHead
    url: PublicUrl | None = None
    request: "Source | None" = None
    members: MemberTexts | None = None


Read = Callable[[Source], str]


class Cover(Struct, frozen=True):
    """What a signature covers.

    text: the inner list, canonically serialised. names: each component as ``name[;req][;key="…"]``, in order; this
    form does not depend on the order of parameters. covered: the same as a set. steps: of each line of the base, the
    field's name and what reads the value, None for a whole field of this message. template: the base, with ``%s`` in
    the place of each value and of the parameters.
    """

    text: str
    names: tuple[str, ...]
    covered: frozenset[str]
    steps: tuple[tuple[str, Read | None], ...]
    template: str


def is_signable(value: str) -> bool:
    """Whether a value can stand in a signature base: printable ASCII; a tab only in its middle."""
    return value.isascii() and value.strip(" \t").replace("\t", " ").isprintable()


def _field(head: Head | AnswerHead, name: str) -> str:
    values = head.index.get(name)
    if values is None:
        raise ExchangeError(SIGNATURE_COMPONENT_ABSENT, name, parts=(name,))
    if len(values) != 1:  # joined values are open to padding attacks (RFC 9421 §7.5.7), so none are covered
        raise ExchangeError(DUPLICATE_HEADER, name, parts=(name,))
    return values[0].strip(" \t")  # RFC 9421 §2.1


def _request(source: Source, name: str) -> tuple[Head, PublicUrl]:
    if isinstance(source.head, AnswerHead) or source.url is None:
        raise ExchangeError(SIGNATURE_COMPONENT_UNSUPPORTED, f"{name} belongs to a request", parts=(name,))
    return source.head, source.url


def _method(source: Source) -> str:
    return _request(source, "@method")[0].method


def _target_uri(source: Source) -> str:
    head, url = _request(source, "@target-uri")
    return url.origin + head.target


def _authority(source: Source) -> str:
    return _request(source, "@authority")[1].authority


def _path(source: Source) -> str:
    return _request(source, "@path")[0].path


def _query(source: Source) -> str:
    query = _request(source, "@query")[0].query
    return "?" if query is None else f"?{query}"  # RFC 9421 §2.2.7: no query counts as an empty one


def _status(source: Source) -> str:
    if isinstance(source.head, Head):
        raise ExchangeError(SIGNATURE_COMPONENT_UNSUPPORTED, "@status belongs to an answer", parts=("@status",))
    return str(source.head.status)


_OF_REQUEST: Final[dict[str, Read]] = {
    "@method": _method,
    "@target-uri": _target_uri,
    "@authority": _authority,
    "@path": _path,
    "@query": _query,
}
_OF_ANSWER: Final[dict[str, Read]] = {"@status": _status}
_KEYED: Final = frozenset({"signature", "signature-input"})


def list_text(items: tuple[Item, ...]) -> str:
    """Serialise an inner list (RFC 9651 §4.1.1.1)."""
    return f"({' '.join(item.text for item in items)})"


def member_text(head: Head | AnswerHead, field: str, label: str) -> str:
    """One member of Signature-Input or Signature, canonically serialised (RFC 9421 §2.1.2). Raises ExchangeError."""
    name = f'{field};key="{label}"'
    try:
        text = head.get(field) or ""
        if field == "signature":
            return parse_byte_sequences(text)[label][1]
        member = parse_signature_input(text)[label]
        return list_text(inner_list(member.inner)) + member.params_text
    except KeyError:
        raise ExchangeError(SIGNATURE_COMPONENT_ABSENT, name, parts=(name,)) from None
    except SfError as error:
        raise ExchangeError(SIGNATURE_MALFORMED, f"{field}: {error}") from None


def _member_reader(field: str, label: str) -> Read:
    def read(source: Source) -> str:
        known = source.members
        if known is not None and known.label == label:
            return known.signature if field == "signature" else known.signature_input
        return member_text(source.head, field, label)

    return read


def _unsupported(what: str) -> ExchangeError:
    return ExchangeError(SIGNATURE_COMPONENT_UNSUPPORTED, what, parts=(what,))


def _reader(name: str, params: Params, use: Use) -> Read | None:
    """What reads a component's value; None for the usual whole field of this message."""
    of_request = "req" in params
    if params.keys() - {"req", "key"} or (of_request and not (use == "answer" and params["req"] is True)):
        raise _unsupported(f"{name} with {', '.join(sorted(params))}")
    read = _local_reader(name, params.get("key"), use, of_request=of_request)
    if not of_request:
        return read
    inner = read or (lambda source: _field(source.head, name))

    def read_request(source: Source) -> str:
        assert source.request is not None  # an answer's source always has its request
        return inner(source.request)

    return read_request


def _local_reader(name: str, key: Value | None, use: Use, *, of_request: bool) -> Read | None:
    if key is not None:
        if not isinstance(key, str) or name not in _KEYED or use == "request":
            raise _unsupported(f"{name} with key")
        return _member_reader(name, key)
    if name in _KEYED:  # the whole field changes whenever a signature is added (RFC 9421 §7.2.5)
        raise _unsupported(name)
    if not name.startswith("@"):
        return None
    derived = _OF_ANSWER if use == "answer" and not of_request else _OF_REQUEST
    if name not in derived:
        raise _unsupported(name)
    return derived[name]


@lru_cache(maxsize=1024)
def compile_cover(text: str, use: Use) -> Cover:
    """Compile an inner list of component identifiers, ``(`` to ``)``.

    Raises ExchangeError SIGNATURE_MALFORMED, or SIGNATURE_COMPONENT_UNSUPPORTED for what ``use`` may not cover.
    """
    try:
        items = inner_list(text)
    except SfError as error:
        raise ExchangeError(SIGNATURE_MALFORMED, f"Signature-Input: {error}") from None
    names: list[str] = []
    steps: list[tuple[str, Read | None]] = []
    lines: list[str] = []
    for item in items:
        if not item.value or item.value != item.value.lower():  # RFC 9421 §2.1: identifiers are in lower case
            raise _unsupported(item.value)
        read = _reader(item.value, item.params, use)
        label = item.params.get("key")
        key = f";key={string(label)}" if isinstance(label, str) else ""
        names.append(f"{item.value}{';req' if 'req' in item.params else ''}{key}")
        steps.append((item.value, read))
        lines.append(item.text.replace("%", "%%") + ": %s\n")
    if len(set(names)) != len(names):  # RFC 9421 §2: each component identifier occurs once, whatever its order
        raise ExchangeError(SIGNATURE_MALFORMED, "Signature-Input: a component is covered twice")
    listed = list_text(items)
    template = "".join([*lines, '"@signature-params": ', listed.replace("%", "%%"), "%s"])
    return Cover(listed, tuple(names), frozenset(names), tuple(steps), template)


def build_base(cover: Cover, params_text: str, source: Source) -> bytes:
    """The signature base (RFC 9421 §2.5) of ``cover`` with serialised parameters, values read from ``source``.

    Raises ExchangeError if a covered field is absent, occurs twice, or is not printable ASCII.
    """
    head = source.head
    index = head.index
    values: list[str] = []
    for name, read in cover.steps:
        if read is not None:
            values.append(read(source))
            continue
        found = index.get(name)
        values.append(found[0].strip(" \t") if found is not None and len(found) == 1 else _field(head, name))
    together = "".join(values)
    # CR and LF are not printable, so no value can forge a line of the base; a tab inside a value is allowed.
    if not (together.isascii() and together.isprintable()):
        _check_values(cover, values)
    return (cover.template % (*values, params_text)).encode("ascii")


def _check_values(cover: Cover, values: list[str]) -> None:
    for (name, _), value in zip(cover.steps, values, strict=True):
        if not (value.isascii() and value.replace("\t", " ").isprintable()):
            raise ExchangeError(HEADER_UNSIGNABLE, name, parts=(name,))
