"""The XML text inside a civil-status registration: ``<hotich><hoso>…</hoso></hotich>`` with one element a field."""

from typing import Final

from lxml import etree
from msgspec import Struct

from adapters.simulators.dossiers import slashed
from adapters.simulators.person import Person, Relative

SEXES: Final = {"male": "1", "female": "2"}
_REQUIRED: Final = ("nksHoTen", "nksGioiTinh", "nksNgaySinh", "nycHoTen", "nycQuanHe")
_KNOWN: Final = frozenset(
    {
        *_REQUIRED,
        *("nksNoiSinh", "nksQueQuan", "nksDanToc", "nksQuocTich"),
        *("meHoTen", "meNgaySinh", "meDanToc", "meQuocTich", "meSoDDCN", "meNoiCuTru"),
        *("chaHoTen", "chaNgaySinh", "chaDanToc", "chaQuocTich", "chaSoDDCN", "chaNoiCuTru"),
        *("nycSoGiayToTuyThan", "nguoiKy", "ghiChu"),
    }
)


class Registration(Struct, frozen=True, kw_only=True):
    """A birth registration's fields under their own names, those that are empty left out."""

    fields: dict[str, str]

    def parents(self) -> tuple[str, ...]:
        """Personal numbers of the parents, where they are given."""
        return tuple(self.fields[name] for name in ("meSoDDCN", "chaSoDDCN") if name in self.fields)


def read(text: str) -> Registration:
    """Parse the text safely. Raises ValueError, which names elements, never values."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        raise ValueError("data is not XML") from None
    if root.getroottree().docinfo.internalDTD is not None or root.tag != "hotich":
        raise ValueError("data is not hotich")
    dossier = root.find("hoso")
    if dossier is None or len(root) != 1 or any(len(child) for child in dossier):
        raise ValueError("hotich has one hoso with fields only")
    fields = {str(child.tag): (child.text or "").strip() for child in dossier}
    unknown = sorted(fields.keys() - _KNOWN)
    missing = [name for name in _REQUIRED if not fields.get(name)]
    if unknown or missing or len(fields) != len(dossier):
        raise ValueError(f"fields unknown, missing or doubled: {', '.join([*unknown, *missing]) or 'doubled'}")
    if fields["nksGioiTinh"] not in {"1", "2", "3"}:
        raise ValueError("nksGioiTinh")
    return Registration(fields={name: value for name, value in fields.items() if value})


def of_person(person: Person) -> Registration:
    """The registration of a generated person's own birth, as the register holds it."""
    fields = {
        "nksHoTen": person.name.full,
        "nksGioiTinh": "7" if "Q16" in person.quirks else SEXES[person.sex],
        "nksNgaySinh": slashed(person.birth.date),
        "nksNoiSinh": person.birth_registration_place.detail,
        "nksDanToc": person.ethnicity,
        "nksQuocTich": person.nationality,
        **_parent("me", person.mother),
        **_parent("cha", person.father),
    }
    return Registration(fields=fields)


def _parent(prefix: str, parent: Relative | None) -> dict[str, str]:
    if parent is None:
        return {}
    held = {"HoTen": parent.name.full, "QuocTich": parent.nationality, "SoDDCN": parent.identity_number or ""}
    return {prefix + name: value for name, value in held.items() if value}
