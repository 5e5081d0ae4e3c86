"""Grants: the shape of ``policy/*.toml``, and grants built from it."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.ids import ServiceId, SubsystemId
from gateway.policy.grants import Grant, GrantedPurpose, Quota

Note = Meta


class PurposeTable(Struct, frozen=True, kw_only=True):
    """A purpose of a grant."""

    code: Annotated[str, Note(description="The procedure's code.")]
    bases: Annotated[
        tuple[str, ...],
        Note(
            description="Legal bases that may be stated; a caller that states none is given the only one.",
            min_length=1,
        ),
    ]

    def build(self) -> GrantedPurpose:
        """As policy takes it. Raises ValueError."""
        return GrantedPurpose(code=self.code, bases=self.bases)


class QuotaTable(Struct, frozen=True, kw_only=True):
    """Calls a Vietnamese day may see."""

    client_per_day: Annotated[int | None, Note(description="Of the client, all officers together.", ge=1)] = None
    officer_per_day: Annotated[
        int | None, Note(description="Of each officer; X-Road-UserId is required then.", ge=1)
    ] = None


class GrantTable(Struct, frozen=True, kw_only=True):
    """A grant. Raises ValueError when it makes no sense."""

    name: Annotated[str, Note(description="Unique; stands in records. a-z 0-9 . _ -")]
    client: Annotated[SubsystemId, Note(description="Who may call.")]
    service: Annotated[ServiceId, Note(description="What.")]
    methods: Annotated[tuple[str, ...], Note(description="HTTP methods, or SOAP operations.", min_length=1)]
    paths: Annotated[
        tuple[str, ...],
        Note(
            description='What may follow the service in the target: "" nothing; * is one segment, a last /** any rest.'
        ),
    ] = ("",)
    purpose: Annotated[tuple[PurposeTable, ...], Note(description="What for.", min_length=1)]
    fields: Annotated[
        tuple[str, ...],
        Note(description='JSON Pointers into the answer (* is every item), or "*" for all of it.', min_length=1),
    ]
    quota: Annotated[QuotaTable | None, Note(description="How often.")] = None
    valid_from: Annotated[date | None, Note(description="First day, Vietnamese time.")] = None
    valid_until: Annotated[date | None, Note(description="Last day, Vietnamese time.")] = None
    officer_required: Annotated[bool, Note(description="The call must name the officer.")] = False
    case_required: Annotated[bool, Note(description="The call must name the case.")] = False
    enabled: Annotated[bool, Note(description="Whether it counts.")] = True

    def __post_init__(self) -> None:
        self.build()

    def build(self) -> Grant:
        """As policy takes it."""
        quota = self.quota or QuotaTable()
        return Grant(
            name=self.name,
            client=self.client,
            service=self.service,
            methods=self.methods,
            paths=self.paths,
            purposes=tuple(purpose.build() for purpose in self.purpose),
            fields=self.fields,
            quota=Quota(client_per_day=quota.client_per_day, officer_per_day=quota.officer_per_day),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            officer_required=self.officer_required,
            case_required=self.case_required,
            enabled=self.enabled,
        )


class PolicyFile(Struct, frozen=True, kw_only=True):
    """A file of policy/."""

    grant: Annotated[tuple[GrantTable, ...], Note(description="Who may ask what, for what, and how much.")]
