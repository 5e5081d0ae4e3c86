"""The demo's story: nine scenes on a real gateway, each step checked as it is told."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct, field

from gateway.cli.story_commands import Ran
from gateway.client import Answer
from gateway.model.errors.base import Text
from gateway.model.instant import Instant
from gateway.wiring.demo import World


class Step(Struct, frozen=True):
    """Something that was told. ok: it turned out so. aside: for the page; said aloud only if it did not turn out so.
    commands: what showed it, as it is typed, the gateway's URL apart.
    """

    ok: bool
    text: Text
    aside: bool = False
    commands: tuple[str, ...] = ()


class Scene(Struct, frozen=True):
    """A part of the story."""

    title: Text
    steps: list[Step] = field(default_factory=list)


class Call(Struct, frozen=True, kw_only=True):
    """A call as it was lived through. start: seconds into the story."""

    start: float
    seconds: float
    who: Text
    what: Text
    status: int
    outcome: str
    record: str | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    """A refusal: what was tried, and what the gateway said."""

    what: Text
    status: int
    code: str
    title: str
    next: str


class Lookup(Struct, frozen=True, kw_only=True):
    """An exchange of the birth registration as the log has it. start, seconds: since the prefill's request."""

    service: str
    start: float
    seconds: float
    outcome: str
    record: str
    inner: bool


class Finding(Struct, frozen=True, kw_only=True):
    """What the auditor found."""

    officer: str
    client: str
    case: str
    looked_up: int
    persons: int
    first: str
    last: str
    record: str


class LogState(Struct, frozen=True, kw_only=True):
    """The log as it was verified. forged: what the verifier said of an altered entry."""

    checkpoint: str
    size: int
    seconds: float
    forged: str
    extends: int | None


class Told(Struct, kw_only=True):
    """All that happened, for the page. form and the others: answers of ``/v1/prefill``. accesses: what the neighbour's
    list has of look-ups, as ``/v1/accesses`` gives it.
    """

    started: Instant
    scenes: list[Scene] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    lookups: list[Lookup] = field(default_factory=list)
    form: dict[str, Any] = field(default_factory=dict)
    differing: dict[str, Any] = field(default_factory=dict)
    elsewhere: dict[str, Any] = field(default_factory=dict)
    frozen: dict[str, Any] = field(default_factory=dict)
    finding: Finding | None = None
    accesses: list[dict[str, Any]] = field(default_factory=list)
    log: LogState | None = None

    @property
    def ok(self) -> bool:
        """Whether every step turned out as told."""
        return all(step.ok for scene in self.scenes for step in scene.steps)


class Teller:
    """Plays scenes: notes what happened, and says each step as it is known. say: takes a step or a scene. began: when
    the story did, of ``time.perf_counter``.
    """

    def __init__(self, world: World, language: str, say: Callable[[Scene | Step], None]) -> None:
        self.world = world
        self.language = language
        self.told = Told(started=world.gateway.core.clock.now())
        self._say = say
        self.began = time.perf_counter()

    def scene(self, en: str, vi: str) -> None:
        """A new scene begins."""
        scene = Scene(Text(en, vi))
        self.told.scenes.append(scene)
        self._say(scene)

    def step(self, ok: bool, en: str, vi: str, *, by: Sequence[Ran] = (), aside: bool = False) -> None:
        """Something turned out, or not. by: the commands that showed it. aside: for the page alone."""
        why = "" if ok else "".join(f" [{ran.code}: {ran.why}]" for ran in by)
        step = Step(
            ok, Text(en + why, vi + why), aside, tuple(ran.line.replace(self.world.url, "GATEWAY") for ran in by)
        )
        self.told.scenes[-1].steps.append(step)
        self._say(step)

    async def call(self, who: Text, what: Text, sending: Awaitable[Answer]) -> Answer:
        """Wait for an answer, and note how long it took."""
        start = time.perf_counter()
        answer = await sending
        self.note(who, what, answer, start=start)
        return answer

    def note(self, who: Text, what: Text, answer: Answer, *, start: float) -> None:
        """Note an answer that has just come. start: of ``time.perf_counter``."""
        self.told.calls.append(
            Call(
                start=start - self.began,
                seconds=time.perf_counter() - start,
                who=who,
                what=what,
                status=answer.status,
                outcome=answer.outcome or answer.error_code or "",
                record=answer.receipt or instance(answer),
            )
        )

    def refused(self, what: Text, answer: Answer) -> None:
        """Note a refusal for the page."""
        problem = _problem(answer)
        self.told.refusals.append(
            Refusal(
                what=what,
                status=answer.status,
                code=answer.error_code or "",
                title=str(problem.get("title", "")),
                next=str(problem.get("next", "")),
            )
        )


def instance(answer: Answer) -> str | None:
    """The record's id in an error's ``instance``."""
    return str(_problem(answer).get("instance", "")).removeprefix("urn:uuid:") or None


def _problem(answer: Answer) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "code" in found else {}


def seconds(value: float, language: str) -> str:
    """A duration for people: ``11 ms``, ``1,5 s``."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    text = f"{value:.1f} s"
    return text if language == "en" else text.replace(".", ",")
