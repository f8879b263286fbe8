"""Pre-shared keys from outside of TLS: plain ones (RFC 8446 §4.2.11) and imported ones (RFC 9258)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from fasttls.native._hash import Hash
from fasttls.native._kdf import hkdf_expand_label, hkdf_extract
from fasttls.native._secret import Secret
from fasttls.native._wire import Writer
from fasttls.wire.iana import ProtocolVersion

# RFC 9258 §9: the identifiers of the KDFs that an imported key is for.
_KDFS = {"sha256": 0x0001, "sha384": 0x0002}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ExternalPsk:
    """A key that both sides have, the identity by which they name it, and the hash that it goes with."""

    identity: bytes
    secret: Secret
    hash_name: str = "sha256"
    imported: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no key."""
        if not 1 <= len(self.identity) <= 0xFFFF or not len(self.secret):
            raise ValueError("a pre-shared key has an identity of 1 to 65535 bytes, and is not empty")
        if self.hash_name not in _KDFS:
            raise ValueError(f"a pre-shared key goes with {' or '.join(_KDFS)}, not {self.hash_name}")

    def __repr__(self) -> str:
        return f"<ExternalPsk for {self.hash_name}>"

    @property
    def binder_label(self) -> bytes:
        """The label of its binder (RFC 8446 §7.1, RFC 9258 §5.2)."""
        return b"imp binder" if self.imported else b"ext binder"

    @classmethod
    def imported_from(
        cls,
        identity: bytes,
        secret: Secret,
        context: bytes = b"",
        *,
        hash_name: str = "sha256",
        own_hash: str = "sha256",
    ) -> Self:
        """Return a key for TLS 1.3 and one hash, derived from one that may be used elsewhere too (RFC 9258 §5.1).

        own_hash is the hash that the key itself goes with, SHA-256 where nobody says otherwise.
        """
        if hash_name not in _KDFS:
            raise ValueError(f"a pre-shared key goes with {' or '.join(_KDFS)}, not {hash_name}")
        writer = Writer()
        writer.vector(2, identity)
        writer.vector(2, context)
        writer.u16(ProtocolVersion.TLS1_3)
        writer.u16(_KDFS[hash_name])
        imported = writer.finish()
        extracted = hkdf_extract(own_hash, None, secret)
        size = 32 if hash_name == "sha256" else 48
        derived = hkdf_expand_label(own_hash, extracted, b"derived psk", Hash(own_hash, imported).digest(), size)
        return cls(imported, derived, hash_name, True)
