"""Step 10, minimise: only granted fields stay, and whose data they are is known."""

from typing import Final

from msgspec import UNSET

from gateway.exchange.judging import ProviderFailedError
from gateway.exchange.rules import Rules
from gateway.model.decision import EVERYTHING
from gateway.model.errors import ExchangeError
from gateway.model.errors import provider as kinds
from gateway.model.jsontext import encode
from gateway.model.message import EMPTY, Body, Fields, is_xml
from gateway.model.outcomes import SUCCESSES, Outcome
from gateway.model.stages import Minimised, Replied, Reply

_DESCRIBING: Final = frozenset({"content-type", "content-language", "cache-control", "expires", "retry-after", "vary"})
"""A provider's header fields that leave beside granted elements: they say how to read and keep the answer. Any other,
an ETag over the whole of it included, may tell what the grant withholds.
"""


def minimise(replied: Replied, rules: Rules) -> Minimised:
    """(10) Keep what the grant names, of body and header. A provider's own error passes only where all is granted.

    Raises ProviderFailedError for an answer that cannot be minimised (not JSON, or spooled).
    """
    decision, reply = replied.recorded.authorized.decision, replied.reply
    if decision.fields == EVERYTHING:
        persons = _persons(replied, rules, decision.grant)
        return Minimised(
            replied=replied,
            fields=reply.fields,
            body=reply.body,
            document=reply.document,
            attached=reply.attached,
            released=EVERYTHING,
            persons=persons,
        )
    fields = _describing(reply.fields)
    if reply.outcome not in SUCCESSES or not reply.body.size:
        return Minimised(replied=replied, fields=fields, body=EMPTY)
    text, fields = _as_json(reply, fields)
    if text is None:
        raise ProviderFailedError(
            kinds.INVALID_REPLY, Outcome.INVALID_REPLY, "an answer this large can only be granted whole"
        )
    try:
        filtered = rules.policy.filter(decision.grant).text(text)
    except ExchangeError as error:
        raise ProviderFailedError(kinds.INVALID_REPLY, Outcome.INVALID_REPLY, "the answer is not JSON") from error
    return Minimised(
        replied=replied,
        fields=fields,
        body=Body(filtered.value),
        released=filtered.released,
        persons=_persons(replied, rules, decision.grant),
    )


def _as_json(reply: Reply, fields: Fields) -> tuple[bytes | None, Fields]:
    """The answer as JSON text, of which a grant's fields are pointers: of an XML answer, what its interface made."""
    if not is_xml(fields):
        return reply.body.data, fields
    if reply.document is UNSET:
        raise ProviderFailedError(
            kinds.INVALID_REPLY, Outcome.INVALID_REPLY, "the answer is opaque, granted whole only"
        )
    kept = tuple([pair for pair in fields if pair[0].lower() != "content-type"])
    return encode(reply.document), (("Content-Type", "application/json"), *kept)


def _describing(fields: Fields) -> Fields:
    return tuple([pair for pair in fields if pair[0].lower() in _DESCRIBING])


def _persons(replied: Replied, rules: Rules, grant: str) -> tuple[str, ...]:
    document = replied.reply.document
    return () if document is UNSET else rules.policy.persons(grant, document)
