"""Making a container out of its material: files, guide, signature, archive values, ZIP. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gateway.ledger.evidence import GUIDE, Material, authorities_of, files_of, media_type
from gateway.ledger.evidence_guide import guide
from gateway.ledger.timestamp import token_of
from gateway.ports import Signer
from gateway.signing.asice import write_container
from gateway.signing.xades import Archive, Draft, SignedFile, sign_files, write_signatures

EXTENSION: Final = ".asice"


class Signed(Struct, frozen=True):
    """A container's files, signed but not yet timestamped. files: by path."""

    files: Mapping[str, bytes]
    draft: Draft
    archive: Archive

    @property
    def stamped(self) -> bytes:
        """What a timestamp authority is to see."""
        return self.draft.stamped


def sign_material(material: Material, key: Signer, *, stamped: bool) -> Signed:
    """Lay the files out and sign them, at the material's own time. stamped: whether a timestamp will follow.

    Raises ExchangeError: SIGNATURE_ALGORITHM for a key that XML Signature has no method for (Ed25519), and for material
    that cannot be read. ValueError if the key is not ``material.signer``'s.
    """
    if key.certificate != material.signer:
        raise ValueError("the container is signed with the key that it names")
    files = {**files_of(material), GUIDE: guide(material, stamped=stamped)}
    listed = [SignedFile(path, media_type(path), hashlib.sha256(content).digest()) for path, content in files.items()]
    certificates, crls = authorities_of(material)
    return Signed(files, sign_files(listed, key=key, now=material.made), Archive(certificates, crls))


def pack(signed: Signed, response: bytes | None = None) -> bytes:
    """The container. response: an authority's answer (TimeStampResp, DER) over ``signed.stamped``; None: no timestamp.

    Raises ExchangeError (TIMESTAMP_INVALID).
    """
    token = None if response is None else token_of(response)
    signatures = write_signatures(signed.draft, token=token, archive=signed.archive)
    return write_container(signed.files, signatures, {path: media_type(path) for path in signed.files})
