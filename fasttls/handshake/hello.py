"""What both sides' hellos share: building a ClientHello, choosing a version, the downgrade sentinel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from fasttls.crypto.groups import Offer, offers
from fasttls.crypto.suites import SUITES
from fasttls.crypto.suites12 import SUITES12
from fasttls.handshake.config import Config
from fasttls.trust.names import as_ascii, as_ip_address
from fasttls.trust.policy import OCSPStapling
from fasttls.wire.extensions import Extensions, KeyShareEntry
from fasttls.wire.iana import VERSION_NAMES, CipherSuite, ExtensionType, ProtocolVersion, name_of
from fasttls.wire.messages import DOWNGRADE_BELOW_TLS1_2, DOWNGRADE_TO_TLS1_2, ClientHello

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_TLS_EMPTY_RENEGOTIATION_INFO_SCSV = CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV
_TLS_FALLBACK_SCSV = CipherSuite.TLS_FALLBACK_SCSV
_ALPN = ExtensionType.ALPN
_CERTIFICATE_AUTHORITIES = ExtensionType.CERTIFICATE_AUTHORITIES
_EC_POINT_FORMATS = ExtensionType.EC_POINT_FORMATS
_EXTENDED_MASTER_SECRET = ExtensionType.EXTENDED_MASTER_SECRET
_KEY_SHARE = ExtensionType.KEY_SHARE
_POST_HANDSHAKE_AUTH = ExtensionType.POST_HANDSHAKE_AUTH
_PSK_KEY_EXCHANGE_MODES = ExtensionType.PSK_KEY_EXCHANGE_MODES
_RENEGOTIATION_INFO = ExtensionType.RENEGOTIATION_INFO
_SERVER_NAME = ExtensionType.SERVER_NAME
_SIGNATURE_ALGORITHMS = ExtensionType.SIGNATURE_ALGORITHMS
_SIGNATURE_ALGORITHMS_CERT = ExtensionType.SIGNATURE_ALGORITHMS_CERT
_STATUS_REQUEST = ExtensionType.STATUS_REQUEST
_SUPPORTED_GROUPS = ExtensionType.SUPPORTED_GROUPS
_SUPPORTED_VERSIONS = ExtensionType.SUPPORTED_VERSIONS
_OFF = OCSPStapling.OFF
_TLS1_2 = ProtocolVersion.TLS1_2
_TLS1_3 = ProtocolVersion.TLS1_3

UNCOMPRESSED = 0
"""The one point format (RFC 8422 §5.1.2)."""

# RFC 6066 §8: an OCSP request without responder ids and without extensions.
_OCSP_REQUEST = b"\x01\0\0\0\0"


@dataclass(frozen=True)
class Asked:
    """The host name in the ClientHello, and whether the server's choice was made by it."""

    server_name: str | None
    by_name: bool


def listed(codes: tuple[int, ...], kind: type[IntEnum], most: int = 12) -> str:
    """Return the names of code points, for messages."""
    names = ", ".join(name_of(kind, code) for code in codes[:most])
    return names + (", …" if len(codes) > most else "") or "none"


def is_grease(code: int) -> bool:
    """Whether a code point is one of those that stand for the unknown (RFC 8701)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF


def is_signal(code: int) -> bool:
    """Whether a suite is none, but says something (RFC 5746 §3.3, RFC 7507 §2)."""
    return code in (_TLS_EMPTY_RENEGOTIATION_INFO_SCSV, _TLS_FALLBACK_SCSV)


def is_legacy_suite(code: int) -> bool:
    """Whether a suite is one of CBC, RC4 or weaker, by its name; one without a name is not known to be."""
    name = name_of(CipherSuite, code)
    return any(f"_{kind}" in name for kind in ("CBC", "RC4", "NULL", "EXPORT"))


def key_offers(config: Config, groups: tuple[int, ...]) -> dict[int, Offer]:
    """Make the client's key shares for these groups."""
    return offers(groups, config.random if config.deterministic_keys else None)


def build_client_hello(config: Config, host: str | None, shares: dict[int, Offer]) -> ClientHello:
    """Return the first ClientHello (RFC 8446 §4.1.2)."""
    random = bytes(memoryview(config.random(32)))
    # RFC 8446 Appendix D.4: a session id makes the handshake look like a resumption of TLS 1.2.
    session_id = bytes(memoryview(config.random(32))) if config.compatibility_mode and config.speaks13 else b""
    extensions: Extensions = {}
    if host is not None and config.send_server_name and as_ip_address(host) is None:
        # RFC 6066 §3: literal addresses are not allowed in server_name.
        extensions[_SERVER_NAME] = as_ascii(host).encode("ascii")
    extensions[_SUPPORTED_GROUPS] = config.groups if config.speaks13 else config.groups12
    if config.alpn:
        extensions[_ALPN] = config.alpn
    extensions[_SIGNATURE_ALGORITHMS] = config.signature_algorithms
    if config.signature_algorithms_cert is not None:
        extensions[_SIGNATURE_ALGORITHMS_CERT] = config.signature_algorithms_cert
    if config.certificate_authorities:
        extensions[_CERTIFICATE_AUTHORITIES] = config.certificate_authorities
    if config.request_ocsp or config.ocsp_stapling is not _OFF:
        extensions[_STATUS_REQUEST] = _OCSP_REQUEST
    if config.speaks12:
        extensions[_EXTENDED_MASTER_SECRET] = None
        extensions[_RENEGOTIATION_INFO] = b""
        extensions[_EC_POINT_FORMATS] = (UNCOMPRESSED,)
    if config.speaks13:
        versions = (_TLS1_3, _TLS1_2)
        extensions[_SUPPORTED_VERSIONS] = versions if config.speaks12 else versions[:1]
        if config.resumption or config.external_psks or config.make_psks is not None:
            extensions[_PSK_KEY_EXCHANGE_MODES] = config.psk_modes
        if config.post_handshake_auth:
            extensions[_POST_HANDSHAKE_AUTH] = None
        extensions[_KEY_SHARE] = key_share_entries(shares)
    return ClientHello(random, session_id, config.offered_suites, extensions)


def key_share_entries(shares: dict[int, Offer]) -> tuple[KeyShareEntry, ...]:
    """Return the shares as key_share carries them."""
    return tuple([KeyShareEntry(group, share.public) for group, share in shares.items()])


MOST_AUTHORITIES = 256
"""Names of authorities that a server keeps of a client's hello; it chooses by all of them."""

_MOST_SUITES = 64


def known_suites(suites: tuple[int, ...]) -> tuple[int, ...]:
    """Return what a server keeps of a client's suites: of a long list, those that it knows, each once."""
    if len(suites) <= _MOST_SUITES:
        return suites
    return tuple([code for code in dict.fromkeys(suites) if code in SUITES or code in SUITES12])


def server_random(config: Config, version: int) -> bytes:
    """Return a ServerHello.random, with the downgrade sentinel when version is not our highest.

    RFC 8446 §4.1.3: a server that could have spoken TLS 1.3 marks an answer in an earlier version.
    """
    random = bytes(memoryview(config.random(32)))
    if config.maximum_version >= _TLS1_3 and version <= _TLS1_2:
        sentinel = DOWNGRADE_TO_TLS1_2 if version == _TLS1_2 else DOWNGRADE_BELOW_TLS1_2
        return random[:-8] + sentinel
    return random


def is_downgrade(config: Config, version: int, random: bytes) -> bool:
    """Whether a ServerHello of this version says that the server could speak a higher one that we offered."""
    ours = config.maximum_version
    if ours >= _TLS1_3 and version <= _TLS1_2:
        return random[-8:] in (DOWNGRADE_TO_TLS1_2, DOWNGRADE_BELOW_TLS1_2)
    return ours == _TLS1_2 and version < ours and random[-8:] == DOWNGRADE_BELOW_TLS1_2


def version_label(version: int) -> str:
    """Return a version's name, or its number when it has none."""
    try:
        return VERSION_NAMES[ProtocolVersion(version)]
    except ValueError:
        return f"0x{version:04x}"


def version_range(config: Config) -> str:
    """Return the versions this side speaks, for messages."""
    low, high = version_label(config.minimum_version), version_label(config.maximum_version)
    return low if low == high else f"{low} to {high}"
