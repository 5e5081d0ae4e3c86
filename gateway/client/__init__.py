"""The client that agencies import: signs a call, sends it, and believes an answer only after its signature.

::

    async with gateway.client.open(
        "https://gateway.example:8443", subsystem="VN/GOV/H31/portal", key="sign.key.pem", certificate="sign.pem",
        gateway_certificates=["gateway.pem"], authorities="ca.pem",
    ) as client:
        answer = await client.call("VN/GOV/G01/population/citizen", {"identity_number": "…"}, purpose="1.001193")
"""

from gateway.client.call import Call
from gateway.client.receipt import ProvedExchange
from gateway.client.session import Answer, CallFailedError, Client, open  # noqa: A004 - the name that callers read best
from gateway.client.signing import Scheme
from gateway.ledger.cosignature_policy import WitnessPolicy, parse_policy

__all__ = [
    "Answer",
    "Call",
    "CallFailedError",
    "Client",
    "ProvedExchange",
    "Scheme",
    "WitnessPolicy",
    "open",
    "parse_policy",
]
