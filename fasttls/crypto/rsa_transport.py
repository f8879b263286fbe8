"""RSA key transport, with the countermeasure against Bleichenbacher's attack (RFC 5246 §7.4.7.1)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa

from fasttls.native._kdf import choose_premaster
from fasttls.native._secret import Secret
from fasttls.wire.alerts import IllegalParameter

_PREMASTER = 48  # bytes
_PADDING = padding.PKCS1v15()

Decrypt = Callable[[bytes], bytes]
"""RSA decryption with PKCS#1 v1.5 padding, by a key of any kind; any exception says that it failed."""


def transport(public: rsa.RSAPublicKey, version: int, random: Callable[[int], bytes]) -> tuple[Secret, bytes]:
    """Return a client's premaster secret, and how it travels to the holder of the key.

    Raises IllegalParameter for a key that does not encrypt it: one that is too short, or that has no usable exponent.
    """
    premaster = version.to_bytes(2, "big") + random(_PREMASTER - 2)
    try:
        return Secret(premaster), public.encrypt(premaster, _PADDING)
    except ValueError as exc:
        raise IllegalParameter(
            f"the server's RSA key of {public.key_size} bits does not encrypt a premaster secret",
            reason="BAD_RSA_ENCRYPT",
        ) from exc


def decrypter(key: rsa.RSAPrivateKey) -> Decrypt:
    """Return the decryption by one of `cryptography`'s keys."""
    return lambda ciphertext: key.decrypt(ciphertext, _PADDING)


def receive(decrypt: Decrypt, size: int, ciphertext: bytes, version: int, random: Callable[[int], bytes]) -> Secret:
    """Return the premaster secret that a client sent, or a random one when there is none in ciphertext.

    size is the modulus's, in bytes. Nothing tells the two apart, not the time either: `cryptography`'s OpenSSL
    rejects padding implicitly, the version and the length are compared in constant time, and what cannot be
    decrypted at all costs a decryption too. The client finds out when its Finished does not verify.
    """
    fallback = Secret(random(_PREMASTER))
    # A ciphertext of another length is no secret of the client's, but it need not show in the time.
    usable = ciphertext if len(ciphertext) == size else b"\0" + ciphertext[1:size].rjust(size - 1, b"\1")
    try:
        decrypted = bytes(memoryview(decrypt(usable)))  # any buffer is fine
    except Exception:  # whatever an HSM raises: a peer must not learn of it (RFC 5246 §7.4.7.1)
        decrypted = _decrypt_nothing(decrypt, size)
    if usable is not ciphertext:
        decrypted = b""
    premaster = choose_premaster(decrypted, fallback, version)
    fallback.wipe()
    return premaster


def _decrypt_nothing(decrypt: Decrypt, size: int) -> bytes:
    """Spend what a decryption costs."""
    with contextlib.suppress(Exception):
        decrypt(b"\0" * (size - 1) + b"\2")
    return b""


def modulus_size(public: Any) -> int:
    """Return the size of an RSA key's modulus, in bytes."""
    return (int(public.key_size) + 7) // 8
