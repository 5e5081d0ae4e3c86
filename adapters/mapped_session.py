"""Sessions of providers that want a login first: opened once, shared by all calls, opened again when stale."""

import asyncio
import time
from collections.abc import Callable

from adapters.rest.failures import CredentialsRefusedError, NotSentError
from adapters.rest.http1 import Client, split_url
from gateway.mapping.compile import Login
from gateway.mapping.context import Context
from gateway.model.errors import ExchangeError
from gateway.model.instant import Instant
from gateway.model.jsontext import encode
from gateway.model.message import Body, Fields
from gateway.ports import Secret
from gateway.validation.strict_json import parse_json

_OK = 200
_REFUSED = frozenset({400, 401, 403})
_FIELDS: Fields = (("Content-Type", "application/json"), ("Accept", "application/json"))
_LONGEST = 4096


class Sessions:
    """A provider's session, as its credentials: it stands in no header, but where the mapping puts it.

    secret: the password. base_url: the provider's. monotonic: the outside world, replaced in tests.
    """

    def __init__(
        self,
        user: str,
        secret: Secret,
        client: Client,
        base_url: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._user, self._secret, self._client, self._monotonic = user, secret, client, monotonic
        self._origin, self._base_path = split_url(base_url)
        self._session = ""
        self._until = 0.0
        self._opening = asyncio.Lock()

    async def fields(self, url: str, deadline: float) -> Fields:  # noqa: ARG002 - the protocol's signature
        """No fields: the session is part of the message."""
        return ()

    def refused(self) -> bool:
        """A 401: the session is forgotten; the message that holds it is not sent again as it is."""
        self._until = 0.0
        return False

    async def session(self, login: Login, deadline: float) -> str:
        """The open session. Raises CallError where there is none to be had."""
        if self._monotonic() >= self._until:
            async with self._opening:
                if self._monotonic() >= self._until:
                    await self._open(login, deadline)
        return self._session

    def forget(self, session: str) -> None:
        """The provider says that a session is stale; one that was opened since is kept."""
        if session == self._session:
            self._until = 0.0

    async def _open(self, login: Login, deadline: float) -> None:
        facts: dict[str, str | None] = {"user": self._user, "secret": self._secret.reveal()}
        body = Body(encode(login.body(Context(document={}, facts=facts, now=Instant(0)))))
        target = self._base_path + login.path
        answer = await self._client.request(
            "POST", self._origin, target, _FIELDS, body, deadline=deadline, repeatable=True
        )
        try:
            if answer.status in _REFUSED:
                raise CredentialsRefusedError("the provider refused the login")
            data = answer.body.data
            if answer.status != _OK or data is None:
                raise NotSentError("the provider's login gave no session")
            self._session = _session(login, data)
        finally:
            answer.body.close()
        self._until = self._monotonic() + login.lifetime_seconds


def _session(login: Login, data: bytes) -> str:
    try:
        session = login.session(parse_json(data))
    except ExchangeError:
        raise NotSentError("the provider's login gave no session") from None
    if not session or len(session) > _LONGEST or not session.isprintable():
        raise CredentialsRefusedError("the provider refused the login")
    return session
