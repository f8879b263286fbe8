"""What a server of TLS 1.3 picks from a ClientHello: suite, group, pre-shared key, credential (RFC 8446 §4.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.suites import SUITES, Suite
from fasttls.handshake.auth13 import choose_credential
from fasttls.handshake.config import Config, Credential
from fasttls.handshake.flight import Flight
from fasttls.handshake.hello import Asked, listed
from fasttls.handshake.psk13 import ChosenPsk, choose_psk
from fasttls.wire.alerts import HandshakeFailure, IllegalParameter, MissingExtension, UnknownPskIdentity
from fasttls.wire.extensions import KeyShareEntry
from fasttls.wire.iana import CipherSuite, ExtensionType, NamedGroup, PskKeyExchangeMode, SignatureScheme, name_of
from fasttls.wire.messages import ClientHello

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_CERTIFICATE_AUTHORITIES = ExtensionType.CERTIFICATE_AUTHORITIES
_KEY_SHARE = ExtensionType.KEY_SHARE
_PRE_SHARED_KEY = ExtensionType.PRE_SHARED_KEY
_PSK_KEY_EXCHANGE_MODES = ExtensionType.PSK_KEY_EXCHANGE_MODES
_SIGNATURE_ALGORITHMS = ExtensionType.SIGNATURE_ALGORITHMS
_SIGNATURE_ALGORITHMS_CERT = ExtensionType.SIGNATURE_ALGORITHMS_CERT
_SUPPORTED_GROUPS = ExtensionType.SUPPORTED_GROUPS
_PSK_KE = PskKeyExchangeMode.PSK_KE


@dataclass(frozen=True)
class Chosen:
    """What the server picks from a ClientHello."""

    suite: Suite
    group: int | None
    """None when there is nothing in common, and a pre-shared key must do alone."""

    share: KeyShareEntry | None
    """None when the group needs a HelloRetryRequest."""


def check_offer(hello: ClientHello) -> None:
    """RFC 8446 §9.2: what a ClientHello must have, with a pre-shared key and without."""
    extensions = hello.extensions
    psk = _PRE_SHARED_KEY in extensions
    if psk and _PSK_KEY_EXCHANGE_MODES not in extensions:
        # RFC 8446 §4.2.9.
        raise MissingExtension("ClientHello with pre_shared_key and without psk_key_exchange_modes")
    if not psk and _SIGNATURE_ALGORITHMS not in extensions:
        raise MissingExtension("ClientHello without signature_algorithms")
    pair = _SUPPORTED_GROUPS, _KEY_SHARE
    missing = [code for code in pair if code not in extensions]
    if missing and (len(missing) == 1 or not psk):
        raise MissingExtension(f"ClientHello without {missing[0].name.lower()}")
    groups = set(extensions.get(_SUPPORTED_GROUPS, ()))
    for share in extensions.get(_KEY_SHARE, ()):
        if share.group not in groups:
            # RFC 8446 §4.2.8: no share for a group that supported_groups does not have.
            raise IllegalParameter(
                f"a key share for {name_of(NamedGroup, share.group)}, which is not in supported_groups",
                reason="BAD_KEY_SHARE",
            )


def _common_suites(config: Config, hello: ClientHello) -> list[Suite]:
    """Return the suites of both sides, the preferred first. Raises HandshakeFailure when there is none."""
    ours = tuple([code for code in config.suites if code in SUITES])
    first, second = (ours, hello.cipher_suites) if config.prefer_server_suites else (hello.cipher_suites, ours)
    theirs = frozenset(second)  # a client may repeat itself, at length
    common = [SUITES[code] for code in dict.fromkeys(first) if code in theirs]
    if not common:
        raise HandshakeFailure(
            f"no cipher suite in common: the client offers {listed(hello.cipher_suites, CipherSuite)}; "
            f"we have {listed(ours, CipherSuite)}",
            reason="NO_SHARED_CIPHER",
        )
    return common


def choose(config: Config, hello: ClientHello, asked: Asked, flight: Flight) -> tuple[Chosen, ChosenPsk | None]:
    """Choose suite, group and pre-shared key. Raises HandshakeFailure when nothing is in common."""
    check_offer(hello)
    suites = _common_suites(config, hello)
    psk = choose_psk(config, hello, suites, asked.server_name, flight.transcript)
    return _choose_group(config, hello, suites[0] if psk is None else psk.suite), psk


def _choose_group(config: Config, hello: ClientHello, suite: Suite) -> Chosen:
    offered: tuple[int, ...] = hello.extensions.get(_SUPPORTED_GROUPS, ())
    shares = {share.group: share for share in hello.extensions.get(_KEY_SHARE, ())}
    theirs = frozenset(offered)
    common = [group for group in config.groups if group in theirs]
    # A group whose share is here goes before one that costs another round trip.
    for group in common:
        if group in shares:
            return Chosen(suite, group, shares[group])
    if not common and _psk_alone(config, hello):
        return Chosen(suite, None, None)
    if not common:
        raise HandshakeFailure(
            f"no group in common: the client offers {listed(offered, NamedGroup)}; "
            f"we have {listed(config.groups, NamedGroup)}",
            reason="NO_SUITABLE_GROUPS",
        )
    return Chosen(suite, common[0], None)


def _psk_alone(config: Config, hello: ClientHello) -> bool:
    """Whether both sides would do without (EC)DHE (RFC 8446 §4.2.9)."""
    modes: tuple[int, ...] = hello.extensions.get(_PSK_KEY_EXCHANGE_MODES, ())
    return _PSK_KE in modes and _PSK_KE in config.psk_modes


def credential_for(config: Config, hello: ClientHello) -> tuple[Credential, int]:
    """Return the credential and the scheme to sign with. Raises HandshakeFailure when the client verifies none."""
    if config.psk_only:
        raise UnknownPskIdentity("the client offers no pre-shared key that is known here")
    if _SIGNATURE_ALGORITHMS not in hello.extensions:
        # RFC 8446 §9.2: needed where the server authenticates with a certificate.
        raise MissingExtension("ClientHello without signature_algorithms")
    accepted: tuple[int, ...] = hello.extensions[_SIGNATURE_ALGORITHMS]
    chosen = choose_credential(
        config,
        accepted,
        hello.extensions.get(_SIGNATURE_ALGORITHMS_CERT),
        hello.extensions.get(_CERTIFICATE_AUTHORITIES, ()),
    )
    if chosen is not None:
        return chosen
    if not config.credentials:
        offered = hello.extensions.get(_PRE_SHARED_KEY)
        unknown = "" if offered is None else f", and it knows none of the {len(offered.identities)} pre-shared keys"
        raise HandshakeFailure(f"this server has no certificate{unknown}", reason="NO_CERTIFICATE_SET")
    ours = tuple([scheme for credential in config.credentials for scheme in credential.signer.schemes])
    raise HandshakeFailure(
        f"no signature scheme in common: the client accepts {listed(accepted, SignatureScheme)}; "
        f"our certificates can sign with {listed(ours, SignatureScheme)}",
        reason="NO_SUITABLE_SIGNATURE_ALGORITHM",
    )
