"""The cipher suites, as a table over the AEADs of `cryptography` (RFC 8446 Appendix B.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from fasttls.wire.iana import CipherSuite


class Aead(Protocol):
    """Authenticated encryption with one key."""

    def encrypt_into(self, nonce: bytes, data: Any, associated_data: bytes, buf: Any, /) -> int:
        """Put the ciphertext with its tag in a buffer of just that size, and return the size."""

    def decrypt_into(self, nonce: bytes, data: Any, associated_data: bytes, buf: Any, /) -> int:
        """Put the plaintext in a buffer of just its size, and return that.

        Raises cryptography's InvalidTag when it is not authentic.
        """


@dataclass(frozen=True)
class Suite:
    """A TLS 1.3 cipher suite; sizes in bytes."""

    code: CipherSuite
    hash_name: str
    hash_size: int
    key_size: int
    tag_size: int
    aead: Callable[[Any], Aead]
    record_limit: int
    """How many records one key may protect before it is updated (RFC 8446 §5.5)."""

    @property
    def name(self) -> str:
        """The IANA name."""
        return self.code.name

    @property
    def openssl_name(self) -> str:
        """OpenSSL's name, which is IANA's for TLS 1.3."""
        return self.code.name

    @property
    def secret_bits(self) -> int:
        """The strength that `SSLSocket.cipher()` reports."""
        return 8 * self.key_size


# RFC 8446 §5.5: 2^24.5 full-size records for AES-GCM; the limit of CCM is that of its security proof
# (RFC 9147 Appendix B.2); ChaCha20-Poly1305 reaches the end of the sequence numbers first.
_GCM_RECORDS = 2**24
_CCM_RECORDS = 2**23
_CHACHA_RECORDS = 2**62

SUITES: Mapping[int, Suite] = {
    suite.code: suite
    for suite in (
        Suite(CipherSuite.TLS_AES_256_GCM_SHA384, "sha384", 48, 32, 16, AESGCM, _GCM_RECORDS),
        Suite(CipherSuite.TLS_CHACHA20_POLY1305_SHA256, "sha256", 32, 32, 16, ChaCha20Poly1305, _CHACHA_RECORDS),
        Suite(CipherSuite.TLS_AES_128_GCM_SHA256, "sha256", 32, 16, 16, AESGCM, _GCM_RECORDS),
        Suite(CipherSuite.TLS_AES_128_CCM_SHA256, "sha256", 32, 16, 16, AESCCM, _CCM_RECORDS),
        Suite(
            CipherSuite.TLS_AES_128_CCM_8_SHA256,
            "sha256",
            32,
            16,
            8,
            partial(AESCCM, tag_length=8),
            _CCM_RECORDS,
        ),
    )
}

DEFAULT_SUITES13: tuple[int, ...] = (
    CipherSuite.TLS_AES_256_GCM_SHA384,
    CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_AES_128_GCM_SHA256,
    CipherSuite.TLS_AES_128_CCM_SHA256,
)
"""In OpenSSL's order; CCM_8, whose tag is short, is known and left out."""
