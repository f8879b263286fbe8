"""Finite-field Diffie-Hellman over groups that are known to be safe (RFC 7919, RFC 3526).

The primes are computed from their definitions: 2^b - 2^(b-64) + (floor(2^(b-130) c) + X) 2^64 - 1, with c
Euler's number for RFC 7919 and pi for RFC 3526, both with the generator 2. A group that a server makes up is
refused: nothing in the handshake shows whether it is safe.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import dh
from cryptography.utils import CryptographyDeprecationWarning

from fasttls.native._secret import Secret
from fasttls.wire.alerts import HandshakeFailure, IllegalParameter
from fasttls.wire.iana import NamedGroup
from fasttls.wire.messages12 import ServerDhParams

# Whoever enables DHE by name knows its age; a warning a handshake would not help.
warnings.filterwarnings("ignore", r"Diffie-Hellman over finite fields", CryptographyDeprecationWarning, r"fasttls\.")

_GENERATOR = 2
_GUARD = 64  # bits

# The X of each prime, by its size in bits (RFC 7919 Appendix A, RFC 3526 §3 to §7).
_RFC7919 = {2048: 560316, 3072: 2625351, 4096: 5736041, 6144: 15705020, 8192: 10965728}
_RFC3526 = {2048: 124476, 3072: 1690314, 4096: 240904, 6144: 929484, 8192: 4743158}

GROUP_BITS = {
    NamedGroup.FFDHE2048: 2048,
    NamedGroup.FFDHE3072: 3072,
    NamedGroup.FFDHE4096: 4096,
    NamedGroup.FFDHE6144: 6144,
    NamedGroup.FFDHE8192: 8192,
}
"""RFC 7919's groups by their code points."""


def _euler(bits: int) -> int:
    """Return floor(2^bits e)."""
    term, total, count = 1 << (bits + _GUARD), 0, 1
    while term:
        total += term
        term //= count
        count += 1
    return total >> _GUARD


def _arctan_inverse(one: int, value: int) -> int:
    """Return about one times arctan(1 / value)."""
    power, total, odd, sign = one // value, 0, 1, 1
    while power:
        total += sign * (power // odd)
        power //= value * value
        odd, sign = odd + 2, -sign
    return total


def _pi(bits: int) -> int:
    """Return floor(2^bits pi), by Machin's formula."""
    one = 1 << (bits + _GUARD)
    return 4 * (4 * _arctan_inverse(one, 5) - _arctan_inverse(one, 239)) >> _GUARD


@cache
def _prime(bits: int, *, ffdhe: bool) -> int:
    constant = _euler(bits - 130) + _RFC7919[bits] if ffdhe else _pi(bits - 130) + _RFC3526[bits]
    prime: int = 2**bits - 2 ** (bits - 64) + constant * 2**64 - 1
    return prime


@cache
def _parameters(bits: int, *, ffdhe: bool) -> dh.DHParameters:
    return dh.DHParameterNumbers(_prime(bits, ffdhe=ffdhe), _GENERATOR).parameters()


class DhePrivate(NamedTuple):
    """A key made for one handshake, and the size of its group."""

    key: dh.DHPrivateKey
    bits: int
    ffdhe: bool

    @property
    def params(self) -> ServerDhParams:
        """What a server's ServerKeyExchange says."""
        prime = _prime(self.bits, ffdhe=self.ffdhe)
        return ServerDhParams(prime.to_bytes(self.bits // 8, "big"), bytes([_GENERATOR]), self.public)

    @property
    def public(self) -> bytes:
        """The public value, without leading zeros."""
        value = self.key.public_key().public_numbers().y
        return value.to_bytes((value.bit_length() + 7) // 8, "big")

    def finish(self, public: bytes) -> Secret:
        """Return the premaster secret, given the peer's public value.

        Raises IllegalParameter for one that is out of range (RFC 7919 §5.1).
        """
        prime, value = _prime(self.bits, ffdhe=self.ffdhe), int.from_bytes(public, "big")
        if not 1 < value < prime - 1:
            raise IllegalParameter("a Diffie-Hellman public value that is out of range", reason="BAD_DH_VALUE")
        numbers = dh.DHPublicNumbers(value, dh.DHParameterNumbers(prime, _GENERATOR))
        try:
            # RFC 5246 §8.1.2: leading zeros are no part of the premaster secret.
            return Secret(self.key.exchange(numbers.public_key()).lstrip(b"\0"))
        except ValueError as exc:
            raise IllegalParameter("a Diffie-Hellman public value that leads to no secret") from exc


def known_group(prime: int, generator: int) -> NamedGroup | None:
    """Return the group of RFC 7919 that a server uses for these parameters, None for those of no known group.

    RFC 3526's primes stand for RFC 7919's of the same size, which clients can ask for by name.
    """
    bits = prime.bit_length()
    if generator != _GENERATOR or bits not in _RFC7919:
        return None
    if prime not in (_prime(bits, ffdhe=True), _prime(bits, ffdhe=False)):
        return None
    return next(code for code, size in GROUP_BITS.items() if size == bits)


def generate(group: int) -> DhePrivate:
    """Make a server's key in one of RFC 7919's groups."""
    bits = GROUP_BITS[NamedGroup(group)]
    return DhePrivate(_parameters(bits, ffdhe=True).generate_private_key(), bits, True)


def answer(params: ServerDhParams) -> tuple[bytes, Secret, int | None]:
    """Return a client's public value, the premaster secret and the group's code point, if it has one.

    Raises HandshakeFailure for a group below 2048 bits, IllegalParameter for one that is not known.
    """
    prime = int.from_bytes(params.prime, "big")
    bits = prime.bit_length()
    if bits < min(_RFC7919):
        raise HandshakeFailure(f"the server's Diffie-Hellman group has {bits} bits", reason="DH_KEY_TOO_SMALL")
    ffdhe = bits in _RFC7919 and prime == _prime(bits, ffdhe=True)
    known = ffdhe or (bits in _RFC3526 and prime == _prime(bits, ffdhe=False))
    if not known or int.from_bytes(params.generator, "big") != _GENERATOR:
        raise IllegalParameter(
            f"the server's Diffie-Hellman group of {bits} bits is none of RFC 7919 or RFC 3526, and may be unsafe",
            reason="BAD_DH_VALUE",
        )
    private = DhePrivate(_parameters(bits, ffdhe=ffdhe).generate_private_key(), bits, ffdhe)
    code = next((code for code, size in GROUP_BITS.items() if size == bits), None) if ffdhe else None
    return private.public, private.finish(params.public), code
