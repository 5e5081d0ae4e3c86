"""A provider's contract, loaded once from local files: its operations as templates, its answers as a schema.

zeep knows WSDL and XSD: element order (Q01), namespaces, wrapping. Asking it for every message costs too much
(``create_message`` 80 µs, ``process_reply`` 430 µs for one citizen), so it is asked at load, once per shape of a
request, with marks where the values go; what remains per message is joining strings. Answers are validated by libxml2
against the same XSD (8 µs). Tests hold both to zeep's own messages and objects.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import zeep
from lxml import etree
from zeep.transports import Transport

from adapters.kit.contract import ContractError as InferenceError
from adapters.soap.inferring import read_wsdl
from adapters.soap.inferring_files import Documents
from adapters.soap.inferring_requests import RequestWriter
from adapters.soap.xml import Element

_MARK = "\ue000"
"""Begins and ends a mark; from a private area of Unicode, so that no contract holds it."""
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}

Values = Mapping[str, "str | Values | list[str | Values]"]
"""Element → its text, or what is inside it; a list for one that is repeated. ``@name`` for an attribute."""

_MOST_TEMPLATES = 512
"""Shapes of requests that are kept ready: callers choose which optional elements they send."""


class ContractError(ValueError):
    """The WSDL or XSD cannot be used, or a message does not fit it. Names elements, never values."""


class _LocalFiles(Transport):
    """Loads documents from one directory tree, and nothing from anywhere else."""

    def __init__(self, root: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._root = root.resolve()

    def load(self, url: str) -> bytes:
        parts = urlsplit(url)
        path = Path(unquote(parts.path) if parts.scheme == "file" else url).resolve()
        if parts.scheme not in {"", "file"} or not path.is_relative_to(self._root):
            raise ContractError("a WSDL may refer only to files below its schema directory")
        return path.read_bytes()

    def _refuse(self, *_: object, **__: object) -> None:
        raise ContractError("zeep is a codec here and never calls anybody")

    get = post = post_xml = _refuse


class Contract:
    """What a WSDL says, ready for use.

    wsdl: its file. root: the directory that it may refer into. answers: the XSD that answers are validated against.
    Raises ContractError.
    """

    def __init__(self, wsdl: Path, *, root: Path, answers: tuple[Path, ...]) -> None:
        try:
            self._client: Any = zeep.Client(str(wsdl), transport=_LocalFiles(root))  # type: ignore[no-untyped-call]
            self._service = self._client.bind()
            self._schemas = [_schema(path, root) for path in answers]
        except (zeep.exceptions.Error, etree.LxmlError, OSError) as error:
            raise ContractError(f"{wsdl.name} cannot be loaded: {type(error).__name__}") from error
        except InferenceError as error:
            raise ContractError(str(error)) from error
        if self._service is None:
            raise ContractError(f"{wsdl.name} describes no service")
        self._templates: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._place = (wsdl, root)
        self._writer: RequestWriter | None = None

    def request(self, operation: str, values: Values) -> bytes:
        """The envelope of a request. Raises ContractError for elements that the operation does not have."""
        paths: list[str] = [operation]
        texts: list[str] = []
        if not _flatten(values, "", paths, texts):
            return self._written(operation, values)
        key = tuple(paths)
        pieces = self._templates.get(key)
        if pieces is None:
            try:
                pieces = self._compile(key)
            except ContractError:  # a type of which zeep takes no mark, such as a boolean; or an element that is wrong
                return self._written(operation, values)
        parts = [pieces[0]]
        for text, piece in zip(texts, pieces[1:], strict=True):
            parts += [text.translate(_ESCAPES), piece]
        return "".join(parts).encode()

    def action(self, operation: str) -> str:
        """The SOAPAction of an operation (SOAP 1.1 §6.1.1); empty where it has none. Raises ContractError."""
        try:
            action = self._service._binding.get(operation).soapaction  # noqa: SLF001 - zeep has no public name for it
        except (ValueError, AttributeError, LookupError) as error:
            raise ContractError(f"there is no operation {operation}") from error
        return action if isinstance(action, str) and action.isascii() and action.isprintable() else ""

    def validate(self, element: Element) -> bool:
        """Whether an answer is as the contract says."""
        return any(schema.validate(element) for schema in self._schemas)

    def _written(self, operation: str, values: Values) -> bytes:
        """A request that no template can make."""
        try:
            if self._writer is None:
                self._writer = RequestWriter(read_wsdl(*self._place))
            return self._writer.request(operation, values)
        except InferenceError as error:
            raise ContractError(str(error)) from error

    def _compile(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """The pieces between the values, in the order in which the values are given."""
        operation, *paths = key
        marks = [f"{_MARK}{number}{_MARK}" for number in range(len(paths))]
        try:
            message = self._client.create_message(self._service, operation, **_nested(paths, marks))
        except (zeep.exceptions.Error, TypeError, ValueError, AttributeError, LookupError) as error:
            raise ContractError(f"{operation} does not take these elements: {type(error).__name__}") from error
        pieces = _split(etree.tostring(message, encoding="unicode"), marks)
        if len(self._templates) < _MOST_TEMPLATES:
            self._templates[key] = pieces
        return pieces


def _schema(path: Path, root: Path) -> etree.XMLSchema:
    """A schema, once all that it refers to was seen to lie below a folder: libxml2 would load it from anywhere."""
    Documents(path, root if path.resolve().is_relative_to(root.resolve()) else None)
    return etree.XMLSchema(etree.parse(str(path), _local_parser()))


def _local_parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _flatten(values: Values, prefix: str, paths: list[str], texts: list[str]) -> bool:
    """Whether the values are elements with texts only, as templates have them."""
    for name, value in values.items():
        if isinstance(value, str):
            if name[:1] in {"", "@"}:
                return False
            paths.append(prefix + name)
            texts.append(value)
        elif isinstance(value, list) or not _flatten(value, f"{prefix}{name}/", paths, texts):
            return False
    return True


def _nested(paths: list[str], marks: list[str]) -> dict[str, object]:
    nested: dict[str, object] = {}
    for path, mark in zip(paths, marks, strict=True):
        *parents, name = path.split("/")
        place = nested
        for parent in parents:
            inner = place.setdefault(parent, {})
            assert isinstance(inner, dict)
            place = inner
        place[name] = mark
    return nested


def _split(text: str, marks: list[str]) -> tuple[str, ...]:
    pieces = []
    for mark in marks:  # the values must come in the contract's order: a template that sorted them would hide a bug
        before, found, text = text.partition(mark)
        if not found:
            raise ContractError("values are not given in the order of the contract, or one has no place in it")
        pieces.append(before)
    return (*pieces, text)
