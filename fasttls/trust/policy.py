"""The rules of one validation, as the caller chooses them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Purpose(Enum):
    """What the peer's certificate must be good for."""

    __hash__ = object.__hash__  # each is itself alone, and the hash of its name costs more than what it finds

    SERVER_AUTH = "server"
    CLIENT_AUTH = "client"


class CrlCheck(IntEnum):
    """Which certificates of a path must have a certificate revocation list that says they are good."""

    NONE = 0
    LEAF = 1
    CHAIN = 2


class OCSPStapling(IntEnum):
    """What a client does about OCSP responses that are stapled to certificates (RFC 6066 §8)."""

    OFF = 0
    """It does not ask for one."""

    IF_STAPLED = 1
    """It asks; one that is stapled must be good, and one is needed where the certificate says so (RFC 7633)."""

    REQUIRED = 2
    """It asks, and refuses a server without a good one."""


@dataclass(frozen=True)
class Strength:
    """What is too weak to be relied on: bits of keys, and digests of signatures by name."""

    rsa_bits: int = 2048
    ec_bits: int = 224
    refused_digests: frozenset[str] = frozenset({"md5", "sha1"})

    @classmethod
    def of_level(cls, level: int) -> Strength:
        """Return what an OpenSSL security level asks of certificates. Raises ValueError for another than 0 to 3."""
        if level not in _LEVELS:
            raise ValueError(f"the security levels are {min(_LEVELS)} to {max(_LEVELS)}, not {level}")
        return _LEVELS[level]


DEFAULT_STRENGTH = Strength()

# SSL_CTX_set_security_level(3): bits of security 0, 80, 112, 128, and the keys that have them.
_LEVELS = {
    0: Strength(0, 0, frozenset()),
    1: Strength(1024, 160, frozenset({"md5", "sha1"})),
    2: DEFAULT_STRENGTH,
    3: Strength(3072, 256, frozenset({"md5", "sha1", "sha224", "sha3-224"})),
}


@dataclass(frozen=True)
class Policy:
    """The rules of one validation.

    now is in seconds since the epoch; host is None when no name is to be checked; partial_chain lets
    any trusted certificate end the path, self-signed or not (VERIFY_X509_PARTIAL_CHAIN); strict
    holds the path to the form of RFC 5280 (VERIFY_X509_STRICT), web_pki to that of the web's public
    authorities too; crl_check says whose revocation is
    looked up; most_intermediates bounds the path; common_name lets the subject stand for a host
    where there is no DNS name.
    """

    purpose: Purpose
    now: float
    host: str | None = None
    partial_chain: bool = False
    strict: bool = False
    strength: Strength = DEFAULT_STRENGTH
    crl_check: CrlCheck = CrlCheck.NONE
    most_intermediates: int = 8
    web_pki: bool = False
    common_name: bool = False
