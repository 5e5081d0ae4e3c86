"""Which calls a prefill makes: one for each role and look-up of which enough is known; all of them at once."""

from collections.abc import Mapping

from msgspec import Struct

from gateway.model.ids import ServiceId
from gateway.onceonly.procedure import Lookup
from gateway.onceonly.request import PrefillRequest


class Call(Struct, frozen=True, kw_only=True):
    """A call to be made. id: ``role.lookup``. body: its JSON document."""

    id: str
    role: str
    lookup: str
    service: ServiceId
    method: str
    path: str
    body: Mapping[str, str]


def plan(request: PrefillRequest) -> tuple[Call, ...]:
    """Every call that can be made, in the order of the procedure."""
    calls = []
    for role, person in request.people.items():
        known = {**request.procedure.role[role].known, **person.given}
        for name, lookup in request.procedure.lookup.items():
            body = _body(lookup, known) if role in lookup.roles and person.given else None
            if body is not None:
                calls.append(
                    Call(
                        id=f"{role}.{name}",
                        role=role,
                        lookup=name,
                        service=lookup.service,
                        method=lookup.method,
                        path=lookup.path,
                        body=body,
                    )
                )
    return tuple(calls)


def _body(lookup: Lookup, known: Mapping[str, str]) -> dict[str, str] | None:
    for names in lookup.needs:
        if all(name in known for name in names):
            wanted = dict.fromkeys((*names, *lookup.also))
            return {name: known[name] for name in wanted if name in known}
    return None
