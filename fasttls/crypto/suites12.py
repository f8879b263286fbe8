"""The cipher suites of TLS 1.2 that are spoken: AEADs with ECDHE, DHE or RSA (RFC 5288, 6655, 7251, 7905, 8442)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from fasttls.crypto.suites import DEFAULT_SUITES13, SUITES, Aead, Suite
from fasttls.wire.iana import CipherSuite


class KeyExchange(Enum):
    """How the premaster secret is agreed on, and with which kind of certificate."""

    ECDHE_ECDSA = "ECDHE-ECDSA"
    ECDHE_RSA = "ECDHE-RSA"
    DHE_RSA = "DHE-RSA"
    RSA = "RSA"
    ECDHE_PSK = "ECDHE-PSK"

    @property
    def is_ephemeral(self) -> bool:
        """Whether the server makes a key for this handshake, in ServerKeyExchange, and signs it where it has one."""
        return self is not KeyExchange.RSA

    @property
    def uses_curves(self) -> bool:
        """Whether it is ECDHE."""
        return self in (KeyExchange.ECDHE_ECDSA, KeyExchange.ECDHE_RSA, KeyExchange.ECDHE_PSK)

    @property
    def uses_psk(self) -> bool:
        """Whether a key that both sides have stands for certificates (RFC 5489, RFC 8442)."""
        return self is KeyExchange.ECDHE_PSK


class _Cipher(NamedTuple):
    """The record protection of a suite; sizes in bytes."""

    openssl_name: str
    hash_name: str
    key_size: int
    fixed_iv_size: int
    tag_size: int
    aead: Callable[[Any], Aead]


@dataclass(frozen=True)
class Suite12:
    """A cipher suite of TLS 1.2; sizes in bytes."""

    code: CipherSuite
    key_exchange: KeyExchange
    hash_name: str
    """The hash of the PRF and the transcript."""

    key_size: int
    fixed_iv_size: int
    """Of the nonce's twelve bytes; the others are in each record."""

    tag_size: int
    aead: Callable[[Any], Aead]
    openssl_name: str

    @property
    def name(self) -> str:
        """The IANA name."""
        return self.code.name

    @property
    def explicit_nonce(self) -> bool:
        """Whether a part of the nonce is in each record."""
        return self.fixed_iv_size < 12

    @property
    def secret_bits(self) -> int:
        """The strength that `SSLSocket.cipher()` reports."""
        return 8 * self.key_size


_CIPHERS: Mapping[str, _Cipher] = {
    "AES_128_GCM_SHA256": _Cipher("AES128-GCM-SHA256", "sha256", 16, 4, 16, AESGCM),
    "AES_256_GCM_SHA384": _Cipher("AES256-GCM-SHA384", "sha384", 32, 4, 16, AESGCM),
    "CHACHA20_POLY1305_SHA256": _Cipher("CHACHA20-POLY1305", "sha256", 32, 12, 16, ChaCha20Poly1305),
    "AES_128_CCM": _Cipher("AES128-CCM", "sha256", 16, 4, 16, AESCCM),
    "AES_256_CCM": _Cipher("AES256-CCM", "sha256", 32, 4, 16, AESCCM),
    "AES_128_CCM_8": _Cipher("AES128-CCM8", "sha256", 16, 4, 8, partial(AESCCM, tag_length=8)),
    "AES_256_CCM_8": _Cipher("AES256-CCM8", "sha256", 32, 4, 8, partial(AESCCM, tag_length=8)),
}


def _suites() -> Mapping[int, Suite12]:
    """Return every registered combination of a key exchange and one of the ciphers."""
    found: dict[int, Suite12] = {}
    for cipher_name, cipher in _CIPHERS.items():
        for key_exchange in KeyExchange:
            code = CipherSuite.__members__.get(f"TLS_{key_exchange.name}_WITH_{cipher_name}")
            if code is None:
                continue
            prefix = "" if key_exchange is KeyExchange.RSA else f"{key_exchange.value}-"
            found[code] = Suite12(code, key_exchange, *cipher[1:], f"{prefix}{cipher.openssl_name}")
    return found


SUITES12: Mapping[int, Suite12] = _suites()

EVERY_SUITE: Mapping[int, Suite | Suite12] = {**SUITES, **SUITES12}
"""The suites of both versions, by code point."""

DEFAULT_SUITES12: tuple[int, ...] = (
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
)
"""In the order of the standard library's default; what is not forward secret is known and left out."""

DEFAULT_SUITES: tuple[int, ...] = (*DEFAULT_SUITES13, *DEFAULT_SUITES12)
