"""The sidecar's SOAP half: an envelope in, signed with WS-Security out, the answer proved, its proved part back.

Envelopes without attachments. The header blocks that X-Road and the purpose need must be in the envelope already.
"""

import base64
import secrets
from typing import Final
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web
from yarl import URL

from gateway.client.believed import Believed
from gateway.client.session import now as clock
from gateway.client.sidecar import Settings
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
from gateway.model.errors.sidecar import GATEWAY_UNREACHABLE
from gateway.model.errors.signature import ANSWER_UNSIGNED
from gateway.model.message import Body, Head
from gateway.ports import Signer
from gateway.signing.wsse_sign import sign_envelope

_TYPES: Final = frozenset({"text/xml", "application/soap+xml"})
_NONCE_BYTES: Final = 16
_FAULT: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    "<e:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring><detail>{detail}</detail></e:Fault>"
    "</e:Body></e:Envelope>"
)


class SoapSidecar:
    """Signs envelopes in the name of one system. http: to the gateway. believed: whose answers count."""

    def __init__(self, http: aiohttp.ClientSession, settings: Settings, key: Signer, believed: Believed) -> None:
        self._http = http
        self._settings = settings
        self._key = key
        self._believed = believed

    async def __call__(self, head: Head, body: Body) -> web.Response:
        """The proved answer, or a Fault of our own."""
        try:
            return await self._exchange(head, body.data or b"")
        except ExchangeError as error:
            return self._fault(error)
        except (aiohttp.ClientError, TimeoutError):
            return self._fault(ExchangeError(GATEWAY_UNREACHABLE))

    async def _exchange(self, head: Head, envelope: bytes) -> web.Response:
        media = _media(head.get("content-type"))
        if media not in _TYPES:
            raise ExchangeError(UNSUPPORTED_MEDIA_TYPE, "the sidecar takes text/xml, without attachments")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        signed = sign_envelope(envelope, key=self._key, now=clock(), nonce=nonce)
        status, content_type, answer = await self._send(head, signed.envelope, media)
        if _media(content_type) not in _TYPES:
            raise ExchangeError(ANSWER_UNSIGNED, f"the gateway answered {status} and no envelope")
        confirms = base64.b64encode(signed.signature).decode()
        proved = self._believed.envelope(answer, now=clock(), confirms=confirms)
        return web.Response(
            status=status, body=proved, headers={"Content-Type": f"{_media(content_type)}; charset=utf-8"}
        )

    async def _send(self, head: Head, envelope: bytes, media: str) -> tuple[int, str | None, bytes]:
        headers = {"Content-Type": f"{media}; charset=utf-8"}
        action = head.get("soapaction")
        if action is not None:
            headers["SOAPAction"] = action
        url = URL(self._settings.gateway.rstrip("/") + head.target, encoded=True)
        async with self._http.post(url, headers=headers, data=envelope, allow_redirects=False) as response:
            pieces, size = [], 0
            async for piece in response.content.iter_any():
                size += len(piece)
                if size > self._settings.limit:
                    raise ExchangeError(BODY_TOO_LARGE, f"an answer may have {self._settings.limit} bytes")
                pieces.append(piece)
            return response.status, response.headers.get("Content-Type"), b"".join(pieces)

    def _fault(self, error: ExchangeError) -> web.Response:
        kind = error.kind
        text = kind.title.in_language(self._settings.language)
        fault = _FAULT.format(code=escape(kind.code), text=escape(text), detail=escape(error.detail))
        headers = {"Content-Type": "text/xml; charset=utf-8", "X-Road-Error": kind.code}
        return web.Response(status=kind.status, body=fault.encode(), headers=headers)


def _media(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()
