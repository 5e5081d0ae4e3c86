"""Citizens in the records of calls that came with their own token."""

from msgspec.structs import replace

from gateway.exchange.events import Event


def about_citizen(event: Event, number: str) -> Event:
    """A request with the citizen whose token came with it among the persons that it is about."""
    facts = replace(event.facts, private=(("person", number), *event.facts.private))
    return replace(event, facts=facts, persons=(number, *event.persons))
