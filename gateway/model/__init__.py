"""The language of the product: frozen domain types that cannot be built invalid. Only stdlib and msgspec here."""
