"""Who is at the other end of a connection: its address and the TLS client certificate, where one was shown.

The certificate is that of the TLS handshake or, behind a TLS terminator, what the terminator says that it saw
(RFC 9440). A terminator is believed by its address, and then says everything: its own certificate is nobody's identity.
From anyone else the fields are refused, not ignored: someone tries to be somebody else (§4, "Security Considerations").

The address is always the connection's. ``Forwarded`` is not read: most proxies let pass what a caller wrote there, so
behind one a subsystem's ``networks`` are held against the proxy's address.
"""

from collections.abc import Iterable
from functools import lru_cache

from aiohttp import web

from gateway.model.addresses import Network, parse_address
from gateway.model.errors import ExchangeError
from gateway.model.errors.identity import CLIENT_CERT_MALFORMED, CLIENT_CERT_REFUSED
from gateway.model.stages import Peer
from gateway.server.protocol import EdgeProtocol
from gateway.validation.client_cert import CERT, CHAIN, parse_client_cert

FIELDS = (CERT, CHAIN)
"""Never forwarded to a provider."""

_ADDRESSES = 4096


class Identities:
    """Says of each request who sent it. proxies: networks of the TLS terminators that are believed; by default none."""

    def __init__(self, proxies: Iterable[Network] = ()) -> None:
        self._proxies = tuple(proxies)
        self._believed = lru_cache(maxsize=_ADDRESSES)(self._is_proxy)

    def peer_of(self, request: web.BaseRequest) -> Peer:
        """Who sent a request. Raises ExchangeError: a Client-Cert of a stranger, or one that cannot be read."""
        address = request.remote or ""
        headers = request.headers
        told = CERT in headers or CHAIN in headers
        if not self._proxies or not self._believed(address):
            if told:
                raise ExchangeError(CLIENT_CERT_REFUSED, parts=(CERT.lower(),))
            protocol = request.protocol
            shown = protocol.client_certificate if isinstance(protocol, EdgeProtocol) else None
            return Peer(address=address, certificate=shown)
        if not told:
            return Peer(address=address)
        if CERT not in headers:  # RFC 9440 §2.3: the chain is never there without it
            raise ExchangeError(CLIENT_CERT_MALFORMED, f"{CHAIN} without {CERT}", parts=(CHAIN.lower(),))
        shown = parse_client_cert(headers.getall(CERT), headers.getall(CHAIN, ()))
        return Peer(address=address, certificate=shown)

    def _is_proxy(self, address: str) -> bool:
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self._proxies)
