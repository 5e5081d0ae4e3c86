"""Dispatches a message that is allowed, before its record is durable."""

from gateway.exchange.dispatching import Dispatcher
from gateway.exchange.rules import Route, Rules
from gateway.model.stages import Authorized, Reply


async def hurry(dispatcher: Dispatcher, authorized: Authorized, route: Route, rules: Rules) -> Reply:
    return await dispatcher.dispatch(authorized, route, rules)  # rejected: arg-type
