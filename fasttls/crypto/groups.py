"""Key exchange groups, as a table over `cryptography` (RFC 8446 §4.2.8, draft-ietf-tls-ecdhe-mlkem).

The client `offer`s a share and `finish`es with the server's answer; the server `answer`s an offer.
Every share is checked as its RFC says, and a bad one raises IllegalParameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from fasttls.native._secret import Secret
from fasttls.wire.alerts import IllegalParameter
from fasttls.wire.iana import NamedGroup

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_X25519 = NamedGroup.X25519
_X25519MLKEM768 = NamedGroup.X25519MLKEM768

Random = Callable[[int], bytes]


class Offer(Protocol):
    """The client's half of a key exchange."""

    public: bytes

    def finish(self, answer: bytes) -> Secret:
        """Return the shared secret, given the server's share. Raises IllegalParameter for a bad one."""


class Group(Protocol):
    """A key exchange group. random is None for the library's own randomness, or a source to draw keys from."""

    code: NamedGroup
    names: tuple[str, ...]

    def offer(self, random: Random | None) -> Offer:
        """Make the client's share."""

    def answer(self, share: bytes, random: Random | None) -> tuple[bytes, Secret]:
        """Return the server's share and the shared secret. Raises IllegalParameter for a bad share."""


class _XOffer:
    """A client's X25519 or X448 key."""

    def __init__(self, group: _X, random: Random | None) -> None:
        self._group = group
        self._private = group.generate(random)
        self.public = self._private.public_key().public_bytes_raw()

    def finish(self, answer: bytes) -> Secret:
        return self._group.exchange(self._private, answer)


class _X:
    """X25519 and X448 (RFC 7748, RFC 8446 §4.2.8.2)."""

    def __init__(
        self,
        code: NamedGroup,
        names: tuple[str, ...],
        private: type[x25519.X25519PrivateKey | x448.X448PrivateKey],
        prefix: bytes,
        size: int,
    ) -> None:
        self.code = code
        self.names = names
        self._private = private
        self._prefix = prefix  # of a public key's SubjectPublicKeyInfo (RFC 8410 §4): a share is the rest of it
        self.size = size  # bytes of a share

    def generate(self, random: Random | None) -> x25519.X25519PrivateKey | x448.X448PrivateKey:
        return self._private.generate() if random is None else self._private.from_private_bytes(random(self.size))

    def exchange(self, private: x25519.X25519PrivateKey | x448.X448PrivateKey, share: bytes) -> Secret:
        if len(share) != self.size:
            raise IllegalParameter(f"a share of {len(share)} bytes for {self.code.name}, {self.size} are needed")
        try:
            # RFC 8446 §7.4.2: an all-zero result is refused; `cryptography` does, with ValueError. It reads DER
            # sooner than from_public_bytes(), which imports a module each time.
            return Secret(private.exchange(load_der_public_key(self._prefix + share)))  # type: ignore[arg-type]
        except ValueError as exc:
            raise IllegalParameter(f"a share for {self.code.name} that leads to no secret") from exc

    def offer(self, random: Random | None) -> Offer:
        return _XOffer(self, random)

    def answer(self, share: bytes, random: Random | None) -> tuple[bytes, Secret]:
        private = self.generate(random)
        return private.public_key().public_bytes_raw(), self.exchange(private, share)


class _EcdhOffer:
    """A client's key on a NIST curve."""

    def __init__(self, group: _Ecdh, random: Random | None) -> None:
        self._group = group
        self._private = group.generate(random)
        self.public = group.public(self._private)

    def finish(self, answer: bytes) -> Secret:
        return self._group.exchange(self._private, answer)


class _Ecdh:
    """The NIST curves, with uncompressed points (RFC 8446 §4.2.8.2)."""

    def __init__(self, code: NamedGroup, names: tuple[str, ...], curve: ec.EllipticCurve, order: int) -> None:
        self.code = code
        self.names = names
        self._curve = curve
        self._order = order
        self._size = 1 + 2 * ((curve.key_size + 7) // 8)
        self._algorithm = ec.ECDH()

    def generate(self, random: Random | None) -> ec.EllipticCurvePrivateKey:
        if random is None:
            return ec.generate_private_key(self._curve)
        # The scalar is taken as given, so that published traces replay; out of range is drawn again.
        while True:
            scalar = int.from_bytes(random(self._size // 2), "big")
            scalar &= (1 << self._curve.key_size) - 1
            if 0 < scalar < self._order:
                return ec.derive_private_key(scalar, self._curve)

    def public(self, private: ec.EllipticCurvePrivateKey) -> bytes:
        return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def exchange(self, private: ec.EllipticCurvePrivateKey, share: bytes) -> Secret:
        if len(share) != self._size or share[0] != 4:
            raise IllegalParameter(
                f"a share of {len(share)} bytes for {self.code.name}, an uncompressed point has {self._size}"
            )
        try:
            # Parsing checks that the point is on the curve.
            peer = ec.EllipticCurvePublicKey.from_encoded_point(self._curve, share)
            return Secret(private.exchange(self._algorithm, peer))
        except ValueError as exc:
            raise IllegalParameter(f"a share for {self.code.name} that is not on the curve") from exc

    def offer(self, random: Random | None) -> Offer:
        return _EcdhOffer(self, random)

    def answer(self, share: bytes, random: Random | None) -> tuple[bytes, Secret]:
        private = self.generate(random)
        return self.public(private), self.exchange(private, share)


_MLKEM_KEY = 1184  # bytes of an encapsulation key
_MLKEM_CIPHERTEXT = 1088
_MLKEM_SEED = 64


def _joined(first: Secret | bytes, second: Secret) -> Secret:
    """Concatenate two shared secrets, and wipe the parts that can be."""
    together = bytearray(first)
    together += memoryview(second)
    secret = Secret(together)
    together[:] = bytes(len(together))
    second.wipe()
    return secret


class _HybridOffer:
    """A client's ML-KEM-768 and X25519 keys."""

    def __init__(self, random: Random | None) -> None:
        if random is None:
            self._mlkem = mlkem.MLKEM768PrivateKey.generate()
        else:
            self._mlkem = mlkem.MLKEM768PrivateKey.from_seed_bytes(random(_MLKEM_SEED))
        self._ecdh = X25519.offer(random)
        self.public = self._mlkem.public_key().public_bytes_raw() + self._ecdh.public

    @property
    def ecdh(self) -> Offer:
        """The X25519 half, which may stand as a share of its own (draft-ietf-tls-hybrid-design §3.2)."""
        return self._ecdh

    def finish(self, answer: bytes) -> Secret:
        if len(answer) != _MLKEM_CIPHERTEXT + X25519.size:
            raise IllegalParameter(f"a share of {len(answer)} bytes for X25519MLKEM768")
        classical = self._ecdh.finish(answer[_MLKEM_CIPHERTEXT:])
        try:
            return _joined(self._mlkem.decapsulate(answer[:_MLKEM_CIPHERTEXT]), classical)
        except ValueError as exc:
            raise IllegalParameter("a share for X25519MLKEM768 that does not decapsulate") from exc


class _Hybrid:
    """X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem §4): the ML-KEM half comes first, in share and secret."""

    code = NamedGroup.X25519MLKEM768
    names: tuple[str, ...] = ("X25519MLKEM768",)

    def offer(self, random: Random | None) -> Offer:
        return _HybridOffer(random)

    def answer(self, share: bytes, random: Random | None) -> tuple[bytes, Secret]:
        if len(share) != _MLKEM_KEY + X25519.size:
            raise IllegalParameter(f"a share of {len(share)} bytes for X25519MLKEM768")
        try:
            # FIPS 203 §7.2's check of the key is `cryptography`'s.
            key = mlkem.MLKEM768PublicKey.from_public_bytes(share[:_MLKEM_KEY])
            secret, ciphertext = key.encapsulate()
        except ValueError as exc:
            raise IllegalParameter("a share for X25519MLKEM768 that is no encapsulation key") from exc
        public, classical = X25519.answer(share[_MLKEM_KEY:], random)
        return ciphertext + public, _joined(secret, classical)


# What comes before the key in a SubjectPublicKeyInfo of id-X25519 and id-X448 (RFC 8410 §4).
_X25519_KEY = bytes.fromhex("302a300506032b656e032100")
_X448_KEY = bytes.fromhex("3042300506032b656f033900")

X25519 = _X(NamedGroup.X25519, ("X25519", "x25519"), x25519.X25519PrivateKey, _X25519_KEY, 32)

# The orders of the NIST curves' base points (SP 800-186 §3.2.1).
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P384_ORDER = int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16)
_P521_ORDER = int("01" + "F" * 64 + "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409", 16)

_ALL: tuple[Group, ...] = (
    _Hybrid(),
    X25519,
    _Ecdh(NamedGroup.SECP256R1, ("secp256r1", "P-256", "prime256v1"), ec.SECP256R1(), _P256_ORDER),
    _X(NamedGroup.X448, ("X448", "x448"), x448.X448PrivateKey, _X448_KEY, 56),
    _Ecdh(NamedGroup.SECP384R1, ("secp384r1", "P-384"), ec.SECP384R1(), _P384_ORDER),
    _Ecdh(NamedGroup.SECP521R1, ("secp521r1", "P-521"), ec.SECP521R1(), _P521_ORDER),
)

GROUPS: Mapping[int, Group] = {group.code: group for group in _ALL}

DEFAULT_GROUPS: tuple[int, ...] = tuple(group.code for group in _ALL)
DEFAULT_KEY_SHARES: tuple[int, ...] = (NamedGroup.X25519MLKEM768, NamedGroup.X25519)


def group_by_name(name: str) -> Group | None:
    """Return the group of an OpenSSL or IANA name, whatever its case, or None."""
    wanted = name.lower()
    for group in _ALL:
        if any(wanted == known.lower() for known in group.names):
            return group
    return None


def offers(codes: tuple[int, ...], random: Random | None) -> dict[int, Offer]:
    """Make a share for each group; X25519 shares its key with the hybrid when both are asked for."""
    made: dict[int, Offer] = {}
    hybrid: _HybridOffer | None = None
    for code in codes:
        if code == _X25519MLKEM768:
            hybrid = _HybridOffer(random)
    for code in codes:
        if code == _X25519MLKEM768 and hybrid is not None:
            made[code] = hybrid
        elif code == _X25519 and hybrid is not None:
            made[code] = hybrid.ecdh
        else:
            made[code] = GROUPS[code].offer(random)
    return made
