"""A citizen who was proved by their own token, as the exchange sees them."""

from msgspec import Struct

from gateway.model.storage import Nonce

CITIZEN_NONCE = "citizen:"
"""What the key of a token's nonce begins with."""


class Citizen(Struct, frozen=True, kw_only=True):
    """Who asks for what concerns themselves. number: theirs. nonce: by which their token is used once."""

    number: str
    nonce: Nonce

    def __repr__(self) -> str:
        return "Citizen(…)"
