"""The right program: every step takes what the step before it made. It must pass."""

from gateway.exchange.dispatching import Dispatcher
from gateway.exchange.judging import judge
from gateway.exchange.minimising import minimise
from gateway.exchange.recording import Recorder
from gateway.exchange.rules import Route, Rules
from gateway.exchange.sealing import Sealer
from gateway.model.envelope import Envelope
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.stages import Authorized, Released, Verified
from gateway.ports import Codec
from gateway.validation.limits import Limits


def open_proved(codec: Codec, verified: Verified) -> Envelope:
    return codec.open(verified.parts)


async def carry(
    authorized: Authorized,
    route: Route,
    rules: Rules,
    codec: Codec,
    limits: Limits,
    recorder: Recorder,
    dispatcher: Dispatcher,
    sealer: Sealer,
    record_id: RecordId,
    at: Instant,
) -> Released:
    recorded, _ = await recorder.request(authorized, route)
    reply = await dispatcher.dispatch(recorded, route, rules)
    minimised = minimise(judge(recorded, reply, route, limits, at), rules)
    return await recorder.answer(sealer.seal(minimised, codec, record_id), route, retried=False)
