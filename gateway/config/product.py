"""Where the files that come with the product are: in an installed wheel, or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def product_folder(name: str) -> Path:
    """``schemas`` or ``config`` of the product."""
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def product_schemas() -> Path:
    """The product's JSON Schemas."""
    return product_folder("schemas") / "json"
