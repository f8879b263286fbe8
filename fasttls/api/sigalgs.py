"""Signature algorithms by the names that OpenSSL has for them."""

from __future__ import annotations

from fasttls.api.errors import ssl_error
from fasttls.crypto.signatures import CERTIFICATE_ONLY, SCHEMES12
from fasttls.wire.iana import SignatureScheme, name_of

_KNOWN = tuple(dict.fromkeys((*SCHEMES12, *CERTIFICATE_ONLY)))


def _name(code: int) -> str:
    return name_of(SignatureScheme, code).lower()


_NAMES = {_name(code): code for code in _KNOWN}

# Pairs of a key and a hash, which OpenSSL takes too; a curve is not tied to a hash there, and is here.
_CURVES = {"SHA256": "secp256r1", "SHA384": "secp384r1", "SHA512": "secp521r1"}
_PAIRS = {
    f"{key}+{digest}": _NAMES[name]
    for digest, curve in _CURVES.items()
    for key, name in (
        ("RSA", f"rsa_pkcs1_{digest.lower()}"),
        ("RSA-PSS", f"rsa_pss_rsae_{digest.lower()}"),
        ("PSS", f"rsa_pss_rsae_{digest.lower()}"),
        ("ECDSA", f"ecdsa_{curve}_{digest.lower()}"),
    )
}


def get_sigalgs() -> list[str]:
    """Return the names of the signature algorithms that can be set, as Python 3.15's function does."""
    return list(_NAMES)


def schemes_of(names: str, side: str) -> tuple[int, ...]:
    """Return the code points of names with colons between. Raises ssl.SSLError for one that is not known."""
    chosen = []
    for name in names.split(":"):
        code = _NAMES.get(name.lower(), _PAIRS.get(name.upper()))
        if code is None:
            raise ssl_error("INVALID_CONFIG", f"unable to set {side} signature algorithms: {name!r} is not known")
        if code not in chosen:
            chosen.append(code)
    return tuple(chosen)
