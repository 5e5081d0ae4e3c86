"""The sidecar's SOAP half: an envelope in, signed with WS-Security out, the answer proved, its proved part back.

Callers that speak X-Road send their header blocks, to /soap or /. Plain ones send none, to
``/soap/{instance}/{class}/{member}/{subsystem}/{service}``: the sidecar adds the blocks, and they get back what a
provider of plain SOAP would have sent (SOAP 1.1 §6.2: a Fault has status 500).
"""

import base64
import secrets
import uuid
from contextlib import suppress
from typing import Final

import aiohttp
from aiohttp import web
from msgspec import Struct
from yarl import URL

from gateway.client.believed import Believed
from gateway.client.session import now as clock
from gateway.client.sidecar_fault import fault
from gateway.client.sidecar_mime import SOAP12_MEDIA, Package, Split, has_xop, inlined, opened, signable, written
from gateway.client.sidecar_plain import is_fault, speaks_xroad, with_blocks, without_blocks
from gateway.client.sidecar_settings import Settings
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import MISSING_HEADER, TARGET_REFUSED, UNSUPPORTED_MEDIA_TYPE
from gateway.model.errors.sidecar import ANSWER_TOO_LARGE, GATEWAY_UNREACHABLE
from gateway.model.errors.signature import ANSWER_UNSIGNED
from gateway.model.errors.wsse import SECURITY_CONFIRMATION
from gateway.model.ids import ServiceId, parse_service
from gateway.model.message import Body, Head
from gateway.ports import Signer
from gateway.signing.wsse import parse_security
from gateway.signing.wsse_sign import sign_envelope
from gateway.signing.xml import parse

_NONCE_BYTES: Final = 16
_NAMED: Final = "/soap/"
_OK: Final = 200
_FAULT_STATUS: Final = 500


class _Asked(Struct, frozen=True, kw_only=True):
    """A request as it is signed. xop: the caller wrote it as XOP. plain: its caller sent no header blocks."""

    package: Package
    target: str
    xop: bool
    plain: bool


class SoapSidecar:
    """Signs envelopes in the name of one system. http: to the gateway. believed: whose answers count. split: takes
    multipart messages apart; None: no attachments.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: Settings,
        key: Signer,
        believed: Believed,
        split: Split | None = None,
    ) -> None:
        self._http = http
        self._settings = settings
        self._key = key
        self._believed = believed
        self._split = split

    async def __call__(self, head: Head, body: Body) -> web.Response:
        """The proved answer, or a Fault of our own."""
        plain = head.path.startswith(_NAMED)
        try:
            asked = self._asked(head, body.data or b"")
            plain = asked.plain
            return await self._exchange(head, asked)
        except ExchangeError as error:
            return self._fault(head, error, plain=plain)
        except (aiohttp.ClientError, TimeoutError):
            return self._fault(head, ExchangeError(GATEWAY_UNREACHABLE), plain=plain)

    def fault(self, head: Head, error: ExchangeError) -> web.Response:
        """An error of the sidecar's own as a Fault."""
        return self._fault(head, error, plain=head.path.startswith(_NAMED))

    # -- the request -------------------------------------------------------------------------------------------------

    def _asked(self, head: Head, data: bytes) -> _Asked:
        """What is to be signed. Raises ExchangeError."""
        if head.all("content-encoding"):
            raise ExchangeError(UNSUPPORTED_MEDIA_TYPE, "compressed messages are not taken")
        service = _named(head)
        package = opened(head.get("content-type"), data, self._split)
        xop = package.xop
        package = signable(package, _new_id)
        root = parse(package.envelope)
        if service is None and speaks_xroad(root):
            return _Asked(package=package, target=head.target, xop=xop, plain=False)
        settings = self._settings
        service = service or settings.plain.service
        if service is None:
            detail = "the envelope has no X-Road header blocks: name the service in the path, or give --service"
            raise ExchangeError(MISSING_HEADER, detail, parts=("service",))
        envelope = with_blocks(
            root, settings.plain, client=settings.subsystem, service=service, message_id=str(uuid.uuid4())
        )
        named = Package(media=package.media, envelope=envelope, attachments=package.attachments, xop=package.xop)
        return _Asked(package=named, target="/soap", xop=xop, plain=True)

    async def _exchange(self, head: Head, asked: _Asked) -> web.Response:
        package = asked.package
        signed = sign_envelope(
            package.envelope,
            key=self._key,
            now=clock(),
            nonce=secrets.token_bytes(_NONCE_BYTES),
            attachments=package.attachments,
        )
        out = Package(media=package.media, envelope=signed.envelope, attachments=package.attachments, xop=package.xop)
        status, content_type, data = await self._send(head, asked.target, out)
        answer = self._opened_answer(status, content_type, data)
        proved = self._proved(answer, base64.b64encode(signed.signature).decode())
        return self._given(asked, answer, proved)

    async def _send(self, head: Head, target: str, package: Package) -> tuple[int, str | None, bytes]:
        content_type, data = written(package, _boundary())
        headers = {
            "Content-Type": content_type,
            "Accept-Encoding": "identity",  # what is proved is the envelope itself
            "Accept-Language": head.get("accept-language") or self._settings.language,
        }
        action = head.get("soapaction")
        if action is not None:
            headers["SOAPAction"] = action
        url = URL(self._settings.gateway.rstrip("/") + target, encoded=True)
        async with self._http.post(url, headers=headers, data=data, allow_redirects=False) as response:
            pieces, size = [], 0
            async for piece in response.content.iter_any():
                size += len(piece)
                if size > self._settings.limit:
                    raise ExchangeError(ANSWER_TOO_LARGE, f"an answer may have {self._settings.limit} bytes")
                pieces.append(piece)
            return response.status, response.headers.get("Content-Type"), b"".join(pieces)

    # -- the answer --------------------------------------------------------------------------------------------------

    def _opened_answer(self, status: int, content_type: str | None, data: bytes) -> Package:
        try:
            return opened(content_type, data, self._split)
        except ExchangeError as error:
            detail = f"the gateway answered {status} and nothing that could be proved ({error.detail})"
            raise ExchangeError(ANSWER_UNSIGNED, detail) from None

    def _proved(self, answer: Package, confirms: str) -> bytes:
        """What of the answer is proved. Raises ExchangeError."""
        given, parts = answer.envelope, answer.attachments
        try:
            return self._believed.envelope(given, now=clock(), confirms=confirms, parts=parts)
        except ExchangeError as error:
            if error.kind != SECURITY_CONFIRMATION or parse_security(given).confirmations:
                raise
        # The gateway confirms no signature that it could not verify: then it says so, in a Fault, and nothing else.
        proved = self._believed.envelope(given, now=clock(), confirms=None, parts=parts)
        if not is_fault(proved):
            raise ExchangeError(SECURITY_CONFIRMATION)
        return proved

    def _given(self, asked: _Asked, answer: Package, proved: bytes) -> web.Response:
        """What the caller gets: nothing but what was proved."""
        envelope = without_blocks(proved) if asked.plain else proved
        package = Package(media=answer.media, envelope=envelope, attachments=answer.attachments, xop=has_xop(envelope))
        if package.xop and not asked.xop:
            with suppress(ExchangeError):  # a provider's broken include stays as it is
                package = inlined(package)
        content_type, data = written(package, _boundary())
        status = _FAULT_STATUS if asked.plain and is_fault(proved) else _OK
        return web.Response(status=status, body=data, headers={"Content-Type": content_type})

    def _fault(self, head: Head, error: ExchangeError, *, plain: bool) -> web.Response:
        soap12 = SOAP12_MEDIA in (head.get("content-type") or "").lower()
        media, envelope = fault(error, self._settings.language, soap12=soap12)
        headers = {"Content-Type": f"{media}; charset=utf-8", "X-Road-Error": error.kind.code}
        status = _FAULT_STATUS if plain else error.kind.status
        return web.Response(status=status, body=envelope, headers=headers)


def _named(head: Head) -> ServiceId | None:
    """The service that a path names; None for / and /soap. Raises ExchangeError."""
    if not head.path.startswith(_NAMED):
        return None
    try:
        return parse_service(head.path.removeprefix(_NAMED))
    except ValueError:
        detail = "the path is /soap, or /soap/instance/class/member/subsystem/service"
        raise ExchangeError(TARGET_REFUSED, detail) from None


def _new_id() -> str:
    return f"{uuid.uuid4()}@motlan"


def _boundary() -> str:
    return f"motlan-{secrets.token_hex(_NONCE_BYTES)}"
