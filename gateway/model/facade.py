"""How a service is called without any header of ours: its own request elements say why, for whom and from where."""

from typing import Annotated

from msgspec import Meta, Struct, field


class Facade(Struct, frozen=True, kw_only=True):
    """Where the elements of a request stand that say what header blocks say otherwise.

    Each is the path of an element below the request element: local names, with ``/`` between them. Raises ValueError.
    """

    purpose: Annotated[str, Meta(description="Element that holds the procedure code (MaDVC).")]
    officer: Annotated[str | None, Meta(description="Element that holds the officer (MaCanBo).")] = None
    case: Annotated[str | None, Meta(description="Element that holds the case.")] = None
    message_id: Annotated[str | None, Meta(description="Element that holds the caller's message id (MaYeuCau).")] = None
    agency: Annotated[
        str | None,
        Meta(description="Element that holds the caller's agency (MaDonVi); it must be the certificate's owner."),
    ] = None
    agencies: Annotated[
        dict[str, str], Meta(description="Member code -> agency code, where they differ; absent: the service's own.")
    ] = field(default_factory=dict)
    basis: Annotated[str | None, Meta(description="Legal basis of every such call.")] = None

    def __post_init__(self) -> None:
        for path in (self.purpose, self.officer, self.case, self.message_id, self.agency):
            if path is not None and not all(path.split("/")):
                raise ValueError("an element's path is names with one slash between them")
