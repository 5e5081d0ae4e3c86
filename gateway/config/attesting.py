"""Settings of those who attest the log from outside: witnesses and timestamp authorities."""

import re
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

_OID = re.compile(r"[012](\.(0|[1-9][0-9]{0,18})){1,20}")


class Witnesses(Struct, frozen=True, kw_only=True):
    """Who cosigns the log's checkpoints, and how many of them are needed."""

    policy: Annotated[
        Path, Meta(description="C2SP tlog-policy file: each witness with its key and URL, groups, the quorum.")
    ]
    every_seconds: Annotated[
        float, Meta(description="Least time between checkpoints that are shown to them.", ge=1)
    ] = 10.0
    alarm_seconds: Annotated[
        float, Meta(description="How long a record may be without enough cosignatures before an alarm.", ge=5)
    ] = 120.0
    call_seconds: Annotated[float, Meta(description="For one call to a witness.", gt=0)] = 10.0
    authorities: Annotated[
        Path | None, Meta(description="CA certificates (PEM) to believe of their servers; absent: the system's.")
    ] = None

    def __post_init__(self) -> None:
        if self.alarm_seconds <= self.every_seconds:
            raise ValueError("alarm_seconds is more than every_seconds")


class TimestampAuthority(Struct, frozen=True, kw_only=True):
    """An authority that stamps (RFC 3161)."""

    name: Annotated[str, Meta(description="Short name; stands beside each timestamp.")]
    url: Annotated[str, Meta(description="Where it answers, http or https.")]
    roots: Annotated[Path, Meta(description="Certificates (PEM) that its timestamps must lead to.")]
    certificate: Annotated[Path | None, Meta(description="Its own certificate (PEM), if only this one may stamp.")] = (
        None
    )
    policy: Annotated[str | None, Meta(description="OID of the policy to ask for; absent: its default.")] = None
    authorities: Annotated[
        Path | None, Meta(description="CA certificates (PEM) to believe of its server; absent: the system's.")
    ] = None
    crls: Annotated[
        tuple[Path, ...],
        Meta(
            description="Newest revocation lists (DER) of the CAs above it: evidence carries them. Read at each export."
        ),
    ] = ()

    def __post_init__(self) -> None:
        if not self.name or not self.url.startswith(("http://", "https://")):
            raise ValueError("an authority has a name and an http(s) address")
        if self.policy is not None and not _OID.fullmatch(self.policy):
            raise ValueError(f"{self.policy} is no OID")


class Timestamps(Struct, frozen=True, kw_only=True):
    """Who says when the log was as it is."""

    authorities: Annotated[
        tuple[TimestampAuthority, ...],
        Meta(description="Asked in this order until one stamps.", min_length=1),
    ]
    interval_seconds: Annotated[float, Meta(description="Time between timestamps while the log grows.", ge=1)] = 600.0
    stale_seconds: Annotated[
        float, Meta(description="How long a record may be without a timestamp before an alarm.", ge=5)
    ] = 3600.0
    required: Annotated[
        bool, Meta(description="Refuse exchange while timestamps are that late; it goes on by itself.")
    ] = False
    skew_seconds: Annotated[float, Meta(description="How far an authority's clock may be from ours.", ge=1)] = 60.0
    call_seconds: Annotated[float, Meta(description="For one call to an authority.", gt=0)] = 10.0

    def __post_init__(self) -> None:
        if self.stale_seconds <= self.interval_seconds:
            raise ValueError("stale_seconds is more than interval_seconds")
        names = [authority.name for authority in self.authorities]
        if len(set(names)) < len(names):
            raise ValueError("two timestamp authorities have one name")
