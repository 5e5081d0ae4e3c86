"""``story.html``: what happened, as one page that needs nothing else and works without a network."""

from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jinja2

from gateway.cli.story import Told, seconds
from gateway.cli.story_text import CONFIDENCE, PAGE, SHORT, SOURCES, shown
from gateway.model.instant import to_datetime
from gateway.onceonly.procedure import Procedure

_TEMPLATES = Path(__file__).parent / "templates"
_VIETNAM = timezone(timedelta(hours=7))
_CHART = 560
"""Width of the chart of look-ups, in its own units."""
_WANTED = 30
"""How many neighbours the officer wanted to see."""


def render(told: Told, procedure: Procedure, language: str) -> str:
    """The page. procedure: whose form was filled; it names the fields."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = {name: text.in_language(language) for name, text in PAGE.items()}
    return environment.get_template("story.html.j2").render(
        t=words, language=language, **_Page(told, procedure, language).content()
    )


class _Page:
    def __init__(self, told: Told, procedure: Procedure, language: str) -> None:
        self.told, self.procedure, self.language = told, procedure, language
        self.titles = {
            f"{role}.{element.name}": (element.title_en or element.title) if language == "en" else element.title
            for element in procedure.element
            for role in element.roles
        }

    def content(self) -> dict[str, Any]:
        told = self.told
        form = told.form["elements"]
        sources = Counter(
            one["source"] for name, one in form.items() if one["outcome"] == "FOUND" and not _is_typed(name)
        )
        return {
            "told": told,
            "when": to_datetime(told.started).astimezone(_VIETNAM).strftime("%H:%M, %d/%m/%Y"),
            "roles": [self.role(name) for name in self.procedure.role],
            "fields": len(form),
            "typed": sum(map(_is_typed, form)),
            "sources": [
                {"name": text.in_language(self.language), "short": self.short(service), "count": sources[service]}
                for service, text in SOURCES.items()
            ],
            "lookups": self.lookups(),
            "differing": [self.titles[one["element"]] for one in told.differing["discrepancies"]],
            "elsewhere": self.outcomes(told.elsewhere, "father"),
            "frozen": self.outcomes(told.frozen, "mother"),
            "scenes": [
                (
                    scene.title.in_language(self.language),
                    [(s.ok, s.text.in_language(self.language), s.commands) for s in scene.steps],
                )
                for scene in told.scenes
            ],
            "refusals": [(each.what.in_language(self.language), each) for each in told.refusals],
            "calls": [self.call(number) for number in range(len(told.calls))],
            "finding": self.finding(),
            "accesses": [self.access(one) for one in told.accesses],
        }

    def role(self, name: str) -> dict[str, Any]:
        role = self.procedure.role[name]
        rows = [self.row(key, one) for key, one in self.told.form["elements"].items() if key.partition(".")[0] == name]
        return {"title": (role.title_en or role.title) if self.language == "en" else role.title, "rows": rows}

    def row(self, key: str, one: dict[str, Any]) -> dict[str, Any]:
        element = key.partition(".")[2]
        found = one["outcome"] == "FOUND"
        return {
            "title": self.titles[key],
            "found": found,
            "typed": _is_typed(key),
            "value": shown(element, one["value"], self.language) if found else "",
            "source": self.short(one["source"]) if found else "",
            "insurance": found and "insurance" in one["source"],
            "as_of": _day(one.get("source_updated_at") or one.get("retrieved_at")),
            "retrieved": one.get("retrieved_at", ""),
            "confidence": CONFIDENCE[one["confidence"]].in_language(self.language) if found else "",
            "receipt": one.get("receipt", ""),
        }

    def short(self, service: str) -> str:
        text = SHORT.get(service)
        return service if text is None else text.in_language(self.language)

    def outcomes(self, form: dict[str, Any], role: str) -> list[dict[str, Any]]:
        return [
            {
                "title": self.titles[key],
                "outcome": one["outcome"],
                "source": self.short(one["source"]) if "source" in one else "",
                "insurance": "insurance" in one.get("source", ""),
            }
            for key, one in form["elements"].items()
            if key.partition(".")[0] == role
        ]

    def lookups(self) -> list[dict[str, Any]]:
        whole = max((one.start + one.seconds for one in self.told.lookups), default=1.0) or 1.0
        return [
            {
                "title": self.short(one.service) if one.inner else PAGE["whole_form"].in_language(self.language),
                "inner": one.inner,
                "insurance": "insurance" in one.service,
                "x": round(one.start / whole * _CHART, 1),
                "width": max(3.0, round(one.seconds / whole * _CHART, 1)),
                "took": seconds(one.seconds, self.language),
                "outcome": one.outcome,
            }
            for one in self.told.lookups
        ]

    def call(self, number: int) -> dict[str, Any]:
        call = self.told.calls[number]
        return {
            "after": seconds(call.start, self.language),
            "who": call.who.in_language(self.language),
            "what": call.what.in_language(self.language),
            "ended": f"{call.status} {call.outcome}",
            "good": call.status < 400,  # noqa: PLR2004 - HTTP errors
            "took": seconds(call.seconds, self.language),
            "record": call.record or "",
        }

    def access(self, one: dict[str, Any]) -> dict[str, str]:
        return {
            "at": one["at"],
            "time": _local(one["at"]).strftime("%H:%M:%S, %d/%m/%Y"),
            "who": f"{one['name']} ({one['client']})",
            "source": self.short(one["service"]),
            "purpose": " · ".join(filter(None, (one["purpose"], one["basis"]))),
            "fields": ", ".join(field.removeprefix("/") for field in one["fields"]),
        }

    def finding(self) -> dict[str, Any] | None:
        found = self.told.finding
        if found is None:
            return None
        return {
            "plain": found,
            "wanted": max(_WANTED, found.persons + 1),
            "first": _clock(found.first),
            "last": _clock(found.last),
        }


def _is_typed(name: str) -> bool:
    """Whether an officer types this field of the form; a register then only confirms it."""
    return name.endswith(".identity_number")


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(_VIETNAM)


def _day(text: str | None) -> str:
    return "" if not text else _local(text).strftime("%d/%m/%Y")


def _clock(text: str) -> str:
    return _local(text).strftime("%H:%M:%S.%f")[:-3]
