"""What a server of TLS 1.2 picks from a ClientHello: suite, group, credential (RFC 5246 §7.4.1, RFC 8422 §4)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa

from fasttls.crypto.signatures import curve_of
from fasttls.crypto.suites import SUITES
from fasttls.crypto.suites12 import SUITES12, KeyExchange, Suite12
from fasttls.handshake.auth12 import choose_scheme
from fasttls.handshake.config import Config, Credential
from fasttls.handshake.hello import UNCOMPRESSED, is_grease, is_legacy_suite, is_signal, listed
from fasttls.handshake.wanted import Wanted
from fasttls.trust.certificate import CERTIFICATES
from fasttls.wire.alerts import HandshakeFailure, IllegalParameter, InsufficientSecurity
from fasttls.wire.iana import CipherSuite, ExtensionType, NamedGroup, SignatureScheme
from fasttls.wire.messages import ClientHello

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_CERTIFICATE_AUTHORITIES = ExtensionType.CERTIFICATE_AUTHORITIES
_EC_POINT_FORMATS = ExtensionType.EC_POINT_FORMATS
_EXTENDED_MASTER_SECRET = ExtensionType.EXTENDED_MASTER_SECRET
_RENEGOTIATION_INFO = ExtensionType.RENEGOTIATION_INFO
_SIGNATURE_ALGORITHMS = ExtensionType.SIGNATURE_ALGORITHMS
_SUPPORTED_GROUPS = ExtensionType.SUPPORTED_GROUPS
_ECDHE_ECDSA = KeyExchange.ECDHE_ECDSA
_DHE_RSA = KeyExchange.DHE_RSA
_RSA = KeyExchange.RSA
_SECP256R1 = NamedGroup.SECP256R1

_CODES_OF_CURVES = {name.lower(): int(group) for name, group in NamedGroup.__members__.items()}
"""The groups by the names that `cryptography` has for curves."""

_OF_RFC7919 = frozenset(range(0x0100, 0x0200))
"""The code points of groups for DHE (RFC 7919 §2)."""


@dataclass(frozen=True)
class Chosen:
    """What the server picks from a ClientHello."""

    suite: Suite12
    credential: Credential
    scheme: int | None
    """None for RSA key transport, where nothing is signed."""

    group: int | None


def check_hello(config: Config, hello: ClientHello) -> None:
    """Refuse what cannot be safe (RFC 5746, RFC 7627, RFC 8422 §5.1.2)."""
    extensions = hello.extensions
    if extensions.get(_RENEGOTIATION_INFO):
        # RFC 5746 §3.6: empty in a first handshake.
        raise HandshakeFailure("renegotiation_info is not empty", reason="RENEGOTIATION_MISMATCH")
    if _EXTENDED_MASTER_SECRET not in extensions and config.require_extended_master_secret:
        raise HandshakeFailure(
            "the client does not have extended_master_secret (RFC 7627); OP_LEGACY_SERVER_CONNECT allows it",
            reason="EXTENDED_MASTER_SECRET_MISSING",
        )
    if UNCOMPRESSED not in extensions.get(_EC_POINT_FORMATS, (UNCOMPRESSED,)):
        raise IllegalParameter("the client does not take uncompressed points")


def _common_suites(ours: dict[int, Suite12], hello: ClientHello, prefer_ours: bool) -> list[Suite12]:
    """Return the suites of both sides, the preferred first."""
    theirs = dict.fromkeys(hello.cipher_suites)  # a client may repeat itself, at length
    if prefer_ours:
        return [suite for code, suite in ours.items() if code in theirs]
    return [ours[code] for code in theirs if code in ours]


def _groups_of(hello: ClientHello) -> frozenset[int] | None:
    """Return the groups that the client names, None when it does not say."""
    named: tuple[int, ...] | None = hello.extensions.get(_SUPPORTED_GROUPS)
    return None if named is None else frozenset(named)


def _group(config: Config, suite: Suite12, offered: frozenset[int] | None) -> int | None:
    """Return the group for an ephemeral suite, or None when there is none in common."""
    if suite.key_exchange is not _DHE_RSA:
        if offered is None:
            # RFC 8422 §4: the choice is the server's; whoever does not say is old, and has P-256.
            offered = frozenset((_SECP256R1,))
        return _first(config.ecdhe_groups, offered)
    if offered is None or _OF_RFC7919.isdisjoint(offered):
        return config.dhe_groups[0]
    # RFC 7919 §4: a client that names groups of this kind gets one of them, or another key exchange.
    return _first(config.dhe_groups, offered)


def _first(groups: tuple[int, ...], offered: frozenset[int]) -> int | None:
    """Return the first of our groups that is offered, or None."""
    for group in groups:
        if group in offered:
            return group
    return None


def _curve_is_offered(credential: Credential, offered: frozenset[int] | None) -> bool:
    """Whether the client takes the curve of an ECDSA certificate: supported_groups is for it too (RFC 8422 §5.1)."""
    if offered is None:
        return True
    curve = curve_of(CERTIFICATES.parse(credential.chain[0]).public_key.key)
    return curve is None or _CODES_OF_CURVES.get(curve) in offered


def _credential(
    config: Config, suite: Suite12, wanted: Wanted, groups: frozenset[int] | None
) -> tuple[Credential, int | None] | None:
    """Return the credential for the suite that the client wants most, and the scheme to sign with."""
    best: tuple[Credential, int | None] | None = None
    best_rank = (False, False)
    for credential in config.credentials:
        scheme: int | None = None
        if suite.key_exchange is _RSA:
            if getattr(credential.signer, "decrypt", None) is None:
                continue
        else:
            wants_rsa = suite.key_exchange is not _ECDHE_ECDSA
            scheme = choose_scheme(credential, wanted, wants_rsa)
            if scheme is None or not _curve_is_offered(credential, groups):
                continue
        if len(config.credentials) == 1:
            return credential, scheme
        rank = wanted.rank(credential)
        if best is None or rank > best_rank:
            best, best_rank = (credential, scheme), rank
    return best


def choose(config: Config, hello: ClientHello) -> Chosen:
    """Choose suite, credential and group. Raises HandshakeFailure when nothing is in common."""
    check_hello(config, hello)
    common = _common_suites(config.suites12, hello, config.prefer_server_suites)
    # RFC 5246 §7.4.1.4.1: without the extension it is SHA-1, which nobody should sign with.
    accepted: tuple[int, ...] = hello.extensions.get(_SIGNATURE_ALGORITHMS, ())
    wanted = Wanted(config, accepted, None, hello.extensions.get(_CERTIFICATE_AUTHORITIES, ()))
    groups = _groups_of(hello)
    lacks_group = False
    for suite in common:
        found = _credential(config, suite, wanted, groups)
        if found is None:
            continue
        group = None
        if suite.key_exchange is not _RSA:
            group = _group(config, suite, groups)
            if group is None:
                lacks_group = True
                continue
        return Chosen(suite, found[0], found[1], group)
    raise _nothing_in_common(config, hello, common, accepted, lacks_group=lacks_group)


def _nothing_in_common(
    config: Config, hello: ClientHello, common: list[Suite12], accepted: tuple[int, ...], *, lacks_group: bool
) -> HandshakeFailure | InsufficientSecurity:
    """Return the failure that names what is missing."""
    offered = hello.cipher_suites
    if not common:
        real = [code for code in offered if code not in SUITES and not is_grease(code) and not is_signal(code)]
        old = real and all(map(is_legacy_suite, real))
        why = "; CBC and RC4 suites are not spoken here" if old else ""
        return HandshakeFailure(
            f"no cipher suite in common: the client offers {listed(offered, CipherSuite)}{why}; "
            f"we have {listed(tuple(code for code in config.suites if code in SUITES12), CipherSuite)}",
            reason="NO_SHARED_CIPHER",
        )
    if not config.credentials:
        return HandshakeFailure("this server has no certificate", reason="NO_CERTIFICATE_SET")
    if lacks_group and all(not suite.key_exchange.uses_curves for suite in common):
        named: tuple[int, ...] = hello.extensions.get(_SUPPORTED_GROUPS, ())
        # RFC 7919 §4.
        return InsufficientSecurity(
            f"no group for DHE in common: the client offers {listed(named, NamedGroup)}; "
            f"we have {listed(config.dhe_groups, NamedGroup)}",
            reason="NO_SUITABLE_GROUPS",
        )
    if lacks_group:
        groups: tuple[int, ...] = hello.extensions.get(_SUPPORTED_GROUPS, ())
        return HandshakeFailure(
            f"no group in common: the client offers {listed(groups, NamedGroup)}; "
            f"we have {listed(config.groups, NamedGroup)}",
            reason="NO_SUITABLE_GROUPS",
        )
    ours = "; ".join(map(_key_of, config.credentials))
    for credential in config.credentials:
        if not _curve_is_offered(credential, _groups_of(hello)):
            curves: tuple[int, ...] = hello.extensions.get(_SUPPORTED_GROUPS, ())
            return HandshakeFailure(
                f"the curve of our certificate is not one of the client's: we have {ours}; "
                f"the client takes {listed(curves, NamedGroup)} (RFC 8422 §5.1)",
                reason="NO_SUITABLE_SIGNATURE_ALGORITHM",
            )
    return HandshakeFailure(
        f"none of our certificates, {ours}, goes with the suites in common, "
        f"{listed(tuple(s.code for s in common), CipherSuite)}, "
        f"and what the client verifies: {listed(accepted, SignatureScheme)}",
        reason="NO_SUITABLE_SIGNATURE_ALGORITHM",
    )


def _key_of(credential: Credential) -> str:
    """Return which key a credential has, for messages."""
    key = CERTIFICATES.parse(credential.chain[0]).public_key.key
    curve = curve_of(key)
    if curve is not None:
        return f"an elliptic curve key on {curve}"
    return (
        "an RSA key" if isinstance(key, rsa.RSAPublicKey) else f"an {type(key).__name__.removesuffix('PublicKey')} key"
    )


def choose_with_psk(config: Config, hello: ClientHello) -> tuple[Suite12, int] | None:
    """Return the suite with a pre-shared key to speak, and the group, when it goes before those with certificates."""
    if config.find_psk is None:
        return None
    ours = {code: SUITES12[code] for code in config.offered_suites if code in SUITES12}
    groups = _groups_of(hello)
    for suite in _common_suites(ours, hello, config.prefer_server_suites):
        group = _group(config, suite, groups) if suite.key_exchange.uses_psk else None
        if group is not None:
            return suite, group
        if not suite.key_exchange.uses_psk and config.credentials:
            return None
    return None
