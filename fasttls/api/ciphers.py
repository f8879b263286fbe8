"""Cipher suites as `SSLContext.get_ciphers()` describes them, in OpenSSL's words."""

from __future__ import annotations

from typing import Any

from fasttls.crypto.suites12 import EVERY_SUITE, KeyExchange, Suite12

# The kea and auth of the dict, and the Kx and Au of the description.
_METHODS = {
    None: ("kx-any", "auth-any", "any", "any"),
    KeyExchange.ECDHE_ECDSA: ("kx-ecdhe", "auth-ecdsa", "ECDH", "ECDSA"),
    KeyExchange.ECDHE_RSA: ("kx-ecdhe", "auth-rsa", "ECDH", "RSA"),
    KeyExchange.DHE_RSA: ("kx-dhe", "auth-rsa", "DH", "RSA"),
    KeyExchange.RSA: ("kx-rsa", "auth-rsa", "RSA", "RSA"),
    KeyExchange.ECDHE_PSK: ("kx-ecdhe-psk", "auth-psk", "ECDHEPSK", "PSK"),
}


def _encryption(name: str, bits: int) -> tuple[str, str]:
    """Return the symmetric cipher and the description's Enc, from a suite's IANA name."""
    if "CHACHA20" in name:
        return "chacha20-poly1305", f"CHACHA20/POLY1305({bits})"
    if "GCM" in name:
        return f"aes-{bits}-gcm", f"AESGCM({bits})"
    return f"aes-{bits}-ccm", f"{'AESCCM8' if 'CCM_8' in name else 'AESCCM'}({bits})"


def cipher_dict(code: int) -> dict[str, Any]:
    """Return a suite as a dict with the keys of the standard library."""
    suite = EVERY_SUITE[code]
    older = isinstance(suite, Suite12)
    kea, auth, kx, au = _METHODS[suite.key_exchange if isinstance(suite, Suite12) else None]
    bits = suite.secret_bits
    symmetric, enc = _encryption(suite.name, bits)
    version = "TLSv1.2" if older else "TLSv1.3"
    return {
        "id": 0x03000000 | code,
        "name": suite.openssl_name,
        "protocol": version,
        "description": f"{suite.openssl_name:<30} {version} Kx={kx:<8} Au={au:<5} Enc={enc:<22} Mac=AEAD",
        "strength_bits": bits,
        "alg_bits": bits,
        "aead": True,
        "symmetric": symmetric,
        "digest": None,
        "kea": kea,
        "auth": auth,
    }
