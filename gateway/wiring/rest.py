"""REST at the rim, put together: its codec, for a gateway and for a request looked at by itself."""

from collections.abc import Mapping

from adapters.rest.codec import RestCodec
from adapters.rest.errors import ErrorWriter
from gateway.config.load import Settings
from gateway.model.ids import ServiceId
from gateway.ports import Codec
from gateway.validation.strict_json import parse_json
from gateway.wiring.rules import own_services


def gateway_codec(settings: Settings) -> RestCodec:
    """The codec of a gateway with these settings."""
    chosen, limits = settings.gateway, settings.limits
    errors = ErrorWriter(language=chosen.language, legacy=chosen.legacy_error_codes)
    return RestCodec(lambda data: parse_json(data, limits), own_services(settings), errors)


def rest_codec(own: Mapping[str, ServiceId]) -> Codec:
    """A codec without a gateway. own: path → the service that is called there."""
    return RestCodec(parse_json, own, ErrorWriter())
