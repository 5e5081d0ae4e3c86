"""Settings of the citizens' lists of accesses."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

ACCESSES_CODE = "accesses"
"""The code of the gateway's own service that gives the lists."""


class CitizenIssuer(Struct, frozen=True, kw_only=True):
    """Who may say who a citizen is."""

    issuer: Annotated[str, Meta(description="As tokens name it (iss).", min_length=1, max_length=255)]
    key: Annotated[
        Path, Meta(description="Its public key, PEM: P-256, P-384, Ed25519, or RSA. For two keys, name it twice.")
    ]
    audience: Annotated[
        str | None, Meta(description="What it calls this gateway (aud); absent: the gateway's subsystem.")
    ] = None


class Citizens(Struct, frozen=True, kw_only=True):
    """The citizens' lists of accesses: GET /v1/accesses. While this is absent, no record is made to be found so."""

    issuers: Annotated[
        tuple[CitizenIssuer, ...], Meta(description="Whose tokens are believed, and nobody else's.", min_length=1)
    ]
    months: Annotated[int, Meta(description="How far back a list goes that names no beginning.", ge=1, le=1200)] = 12
