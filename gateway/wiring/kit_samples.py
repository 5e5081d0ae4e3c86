"""Samples of an adapter: requests, what the provider answered to them, and what must come of it."""

from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from gateway.config.problems import Document, Problem
from gateway.config.reader import read
from gateway.model.errors import ExchangeError
from gateway.model.errors.kit import SAMPLE_UNUSABLE
from gateway.model.outcomes import Outcome
from gateway.validation.strict_json import parse_json

Note = Meta


class SampleAnswer(Struct, frozen=True, kw_only=True):
    """``[[answer]]``: what the provider answered to one call."""

    status: Annotated[int, Note(description="Of HTTP.", ge=100, le=599)] = 200
    content_type: Annotated[str, Note(description="As the provider sends it.")] = "application/json"
    body: Annotated[str, Note(description="File beside this one.")]


class SampleFile(Struct, frozen=True, kw_only=True):
    """A file of samples/."""

    path: Annotated[str, Note(description='Of the service: "" or /verify.')] = ""
    method: Annotated[str, Note(description="By which it is called.")] = "POST"
    request: Annotated[str | None, Note(description="JSON file beside this one.")] = None
    outcome: Annotated[Outcome, Note(description="What must come of it.")] = Outcome.FOUND
    purpose: Annotated[str, Note(description="Procedure code that is said.")] = "1.000000"
    officer: Annotated[str, Note(description="Officer who is said to ask.")] = "can-bo.mau"
    answer: Annotated[tuple[SampleAnswer, ...], Note(description="One for each call, in order.", min_length=1)]


class Body(Struct, frozen=True, kw_only=True):
    """An answer as the provider's bytes."""

    status: int
    content_type: str
    data: bytes

    @property
    def is_xml(self) -> bool:
        """Whether it is read as XML."""
        return "xml" in self.content_type.lower()


class Sample(Struct, frozen=True, kw_only=True):
    """A sample with its files read. expected: the canonical document that must come of it, if a file says so."""

    name: str
    file: Path
    said: SampleFile
    request: Any
    answers: tuple[Body, ...] = field(default_factory=tuple)
    expected: Any = None


def read_samples(folder: Path) -> list[Sample]:
    """All samples of a folder, by name. Raises ExchangeError(SAMPLE_UNUSABLE) with file and line."""
    problems: list[Problem] = []
    found = [_read(file, problems) for file in sorted(folder.glob("*.toml"))]
    if problems:
        raise ExchangeError(SAMPLE_UNUSABLE, "\n".join(str(each) for each in problems))
    if not found:
        raise ExchangeError(SAMPLE_UNUSABLE, f"{folder} holds no sample (*.toml)")
    return [each for each in found if each is not None]


def _read(file: Path, problems: list[Problem]) -> Sample | None:
    document = Document.read(file, problems)
    said = read(document, SampleFile, document.table)
    if said is None:
        return None
    request: Any = None
    if said.request is not None:
        try:
            request = parse_json((file.parent / said.request).read_bytes())
        except (OSError, ValueError, ExchangeError) as error:
            document.complain(("request",), f"{said.request} is no JSON that can be read: {_why(error)}")
    expected: Any = None
    beside = file.with_name(f"{file.stem}.expected.json")
    if beside.is_file():
        try:
            expected = parse_json(beside.read_bytes())
        except (OSError, ValueError, ExchangeError) as error:
            problems.append(Problem(file=beside, text=f"no JSON that can be read: {_why(error)}"))
    answers = []
    for index, each in enumerate(said.answer):
        try:
            data = (file.parent / each.body).read_bytes()
        except OSError as error:
            document.complain(("answer", index, "body"), f"{each.body} cannot be read: {_why(error)}")
            continue
        answers.append(Body(status=each.status, content_type=each.content_type, data=data))
    return Sample(name=file.stem, file=file, said=said, request=request, answers=tuple(answers), expected=expected)


def _why(error: Exception) -> str:
    return (error.strerror or "unreadable") if isinstance(error, OSError) else str(error)
