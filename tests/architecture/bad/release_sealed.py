"""Gives the socket an answer that is signed but not recorded."""

from aiohttp import web

from gateway.model.stages import Minimised, Released, Sealed
from gateway.server.bodies import respond


async def straight_to_the_socket(request: web.BaseRequest, sealed: Sealed) -> web.StreamResponse:
    return await respond(request, sealed)  # rejected: arg-type


async def what_is_in_it(request: web.BaseRequest, sealed: Sealed) -> web.StreamResponse:
    return await respond(request, sealed.answer)  # rejected: arg-type


def call_it_released(sealed: Sealed) -> Released:
    return sealed  # rejected: return-value


def before_the_seal(minimised: Minimised) -> Released:
    return minimised  # rejected: return-value
