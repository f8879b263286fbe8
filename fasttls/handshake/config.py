"""What a connection is told before it begins. A Config is frozen, and shared by connections."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from fasttls.crypto.groups import DEFAULT_GROUPS, DEFAULT_KEY_SHARES, GROUPS
from fasttls.crypto.signatures import CERTIFICATE_ONLY, DEFAULT_SCHEMES, SCHEMES, SCHEMES12, Signer
from fasttls.crypto.suites import SUITES
from fasttls.crypto.suites12 import DEFAULT_SUITES, EVERY_SUITE, SUITES12, KeyExchange, Suite12
from fasttls.native._secret import Secret
from fasttls.sessions.cache import ServerSessions
from fasttls.sessions.keys import TicketKeyStore
from fasttls.sessions.psk import ExternalPsk
from fasttls.sessions.replay import ReplayGuard
from fasttls.sessions.session import MOST_SECONDS
from fasttls.trust.certificate import CERTIFICATES, CanonicalName, Certificate
from fasttls.trust.policy import DEFAULT_STRENGTH, CrlCheck, OCSPStapling, Strength
from fasttls.trust.store import TrustStore
from fasttls.wire.iana import NamedGroup, ProtocolVersion, PskKeyExchangeMode


class PeerCertificate(Enum):
    """What is asked of the peer's certificate."""

    UNCHECKED = "unchecked"
    """A server's is taken as it comes, a client's is not asked for (CERT_NONE)."""

    OPTIONAL = "optional"
    """A client may have none; one that is sent is verified (CERT_OPTIONAL)."""

    REQUIRED = "required"
    """There must be one, and it is verified (CERT_REQUIRED)."""

    ANY = "any"
    """There must be one, and only its possession is proved: the application judges it."""


@dataclass(unsafe_hash=True)  # what is derived is set when it is made; compiled, nobody can set anything
class Credential:
    """A certificate chain, DER and the own certificate first, and the key of that certificate.

    chain_algorithms are the signature schemes that the peer must know to verify the chain; staple
    returns the OCSP response to send with the certificate, or None when there is none.
    """

    chain: tuple[bytes, ...]
    signer: Signer
    chain_algorithms: frozenset[int] = frozenset()
    staple: Callable[[], bytes | None] | None = None
    issuers: frozenset[CanonicalName] = field(init=False, repr=False, compare=False)
    """The names of those who issued the chain, for a peer that says whom it trusts."""

    def __post_init__(self) -> None:
        """Read the issuers; what is no certificate has none."""
        found = set()
        self.chain = tuple(self.chain)
        for der in self.chain:
            try:
                found.add(CERTIFICATES.parse(der).issuer)
            except ValueError:
                continue
        self.issuers = frozenset(found)


@dataclass(frozen=True)
class Limits:
    """How much a peer may ask of this side; each is a fatal alert when passed."""

    certificate_message: int = 256 * 1024  # bytes
    handshake_message: int = 64 * 1024  # bytes, every other message
    message_fragments: int = 16384  # records that one handshake message is spread over
    empty_records: int = 32  # in a row
    warning_alerts: int = 32  # in a row
    key_updates: int = 32  # in a row, without application data between them
    change_cipher_specs: int = 32
    tickets: int = 255  # NewSessionTickets in a row
    certificate_requests: int = 8  # after the handshake, in a row
    renegotiations: int = 8  # requests in a row that are refused with a warning, in TLS 1.2
    early_data: int = 64 * 1024  # bytes of refused early data that are skipped


@dataclass(frozen=True)
class ClientHelloInfo:
    """What a server may base a choice on before it answers."""

    server_name: str | None
    alpn: tuple[bytes, ...]
    cipher_suites: tuple[int, ...]
    groups: tuple[int, ...]
    signature_algorithms: tuple[int, ...]
    versions: tuple[int, ...]


KeyLog = Callable[[str, bytes, Secret], None]
"""Called with NSS's label, the client random and the secret."""

Observer = Callable[[bool, int, bytes], None]
"""Called with every handshake message, alert and ChangeCipherSpec in the clear: whether this side
sent it, its content type and its bytes."""

RecordObserver = Callable[[bool, bytes, int | None], None]
"""Called with every record: whether this side sent it, its header, and the content type that protection hides, if it
does."""

VerifyCallback = Callable[[tuple[bytes, ...], tuple[Certificate, ...] | None, Exception | None], None]
"""Called with the peer's chain, the verified path or None, and the refusal or None.

It accepts by returning and refuses by raising an Alert; it can only be stricter, or, in the mode
ANY, the one that decides."""

AlpnCallback = Callable[[tuple[bytes, ...]], bytes | None]
"""Called with the client's protocols; returns one of them, None for none, or raises an Alert."""

SelectConfig = Callable[[ClientHelloInfo], "Config | None"]
"""Called with the ClientHello; returns the configuration to go on with, or None for this one."""


@dataclass(kw_only=True, unsafe_hash=True)  # as Credential
class Config:
    """Everything that a connection may depend on, clock and randomness included.

    Tuples are in order of preference and hold the code points. A Config refuses, with ValueError,
    what cannot work.
    """

    minimum_version: int = ProtocolVersion.TLS1_2
    maximum_version: int = ProtocolVersion.TLS1_3
    suites: tuple[int, ...] = DEFAULT_SUITES
    groups: tuple[int, ...] = DEFAULT_GROUPS
    key_shares: tuple[int, ...] | None = None
    """The groups that a client sends shares of, None for X25519MLKEM768 and X25519 as far as they are listed, else
    the first. They are sent in the order of the groups (RFC 8446 §4.2.8)."""

    signature_algorithms: tuple[int, ...] = DEFAULT_SCHEMES
    """What the peer may sign with."""

    signature_algorithms_cert: tuple[int, ...] | None = None
    """What the peer's certificates may be signed with, when it differs."""

    signing_algorithms: tuple[int, ...] = tuple(SCHEMES12)
    """What this side signs with."""

    alpn: tuple[bytes, ...] = ()
    alpn_required: bool = False
    """Whether a server refuses a client that offers protocols and none in common (RFC 7301 §3.2)."""

    alpn_callback: AlpnCallback | None = None
    credentials: tuple[Credential, ...] = ()
    select_config: SelectConfig | None = None
    peer_certificate: PeerCertificate = PeerCertificate.REQUIRED
    trust: TrustStore = field(default_factory=TrustStore)
    check_host: bool = True
    check_common_name: bool = False
    """Whether a server's common name stands for a host where its certificate has no DNS name, as in OpenSSL."""

    partial_chain: bool = False
    strict: bool = False
    strength: Strength = DEFAULT_STRENGTH
    crl_check: CrlCheck = CrlCheck.NONE
    verify_callback: VerifyCallback | None = None
    certificate_authorities: tuple[bytes, ...] = ()
    """DER names sent to the peer, for it to choose a certificate by (RFC 8446 §4.2.4)."""

    require_extended_master_secret: bool = True
    """Whether a TLS 1.2 peer without it is refused (RFC 7627)."""

    require_secure_renegotiation: bool = True
    """Whether a TLS 1.2 server that does not say it is safe from renegotiation attacks is refused (RFC 5746)."""

    dhe_groups: tuple[int, ...] = (
        NamedGroup.FFDHE2048,
        NamedGroup.FFDHE3072,
        NamedGroup.FFDHE4096,
        NamedGroup.FFDHE6144,
        NamedGroup.FFDHE8192,
    )
    """A TLS 1.2 server's groups for DHE, the first one for clients that name none (RFC 7919)."""

    request_ocsp: bool = False
    """Whether a client asks for an OCSP response with the certificate (RFC 6066 §8), to hand it on."""

    ocsp_stapling: OCSPStapling = OCSPStapling.OFF
    """What a client that verifies does about the OCSP response; other than OFF it asks for one."""

    resumption: bool = False
    """Whether sessions are gone on with: a client asks for tickets, a server gives them."""

    ticket_keys: TicketKeyStore | None = None
    """What a server seals its tickets with; without, it gives none."""

    server_sessions: ServerSessions | None = None
    """A server's sessions of TLS 1.2 for clients that take no tickets."""

    num_tickets: int = 2
    """Tickets that a server gives after a full handshake of TLS 1.3."""

    renewed_tickets: int = 1
    """Those that it gives after a resumption, and no more than num_tickets; without any, a session ends when its
    tickets are used."""

    ticket_lifetime: int = 7200
    """Seconds for which a session may be gone on with; at most seven days (RFC 8446 §4.6.1)."""

    post_handshake_auth: bool = False
    """Whether a client may be asked for a certificate after the handshake; a server asks then, and not before
    (RFC 8446 §4.6.2)."""

    psk_modes: tuple[int, ...] = (PskKeyExchangeMode.PSK_DHE_KE,)
    """How pre-shared keys may be used; without Diffie-Hellman there is no forward secrecy (RFC 8446 §4.2.9)."""

    external_psks: tuple[ExternalPsk, ...] = ()
    """Keys that a client shares with the server beforehand."""

    make_psks: Callable[[str | None], tuple[ExternalPsk, ...]] | None = None
    """Called by a client with the server's hint, None before its first flight; returns more of them."""

    psk_identity_hint: str = ""
    """What a server of TLS 1.2 says for the client to choose a key by (RFC 4279 §5.2)."""

    find_psk: Callable[[bytes], ExternalPsk | None] | None = None
    """Called by a server with an identity that is none of its tickets; returns the key that it is known by."""

    psk_only: bool = False
    """Whether a handshake without a pre-shared key is refused, on either side."""

    early_data: bool = False
    """Whether a client may send data with its first flight, which a server may see twice (RFC 8446 §8)."""

    max_early_data: int = 0
    """Bytes of early data that a server takes; more than none needs a replay_guard."""

    replay_guard: ReplayGuard | None = None

    prefer_server_suites: bool = True
    send_server_name: bool = True
    compatibility_mode: bool = True
    """Whether a client looks like TLS 1.2 to middleboxes (RFC 8446 Appendix D.4)."""

    retry_cookie: bool = False
    """Whether a server's HelloRetryRequest has a cookie, which the client must bring back."""

    padding: Callable[[int], int] | None = None
    """Bytes of padding for a record with so many bytes of content (RFC 8446 §5.4)."""

    max_fragment: int = 16384
    """The most bytes of content in a record that this side sends."""

    key_update_after: int | None = None
    """Records after which keys are updated, when sooner than the suite's own limit."""

    limits: Limits = Limits()
    key_log: KeyLog | None = None
    observer: Observer | None = None
    record_observer: RecordObserver | None = None
    now: Callable[[], float] = time.time
    """Seconds since the epoch."""

    random: Callable[[int], bytes] = os.urandom
    deterministic_keys: bool = False
    """Draw private keys from `random` too, to replay a handshake exactly. Never for real use.

    What `cryptography` draws itself stays random: ML-KEM's encapsulation, signatures with ECDSA and RSA-PSS, DHE keys
    and the padding of RSA key transport. Ed25519 and ECDHE replay byte for byte.
    """

    # What follows from the settings, computed once.

    speaks12: bool = field(init=False, repr=False)
    """Whether TLS 1.2 may be spoken."""

    speaks13: bool = field(init=False, repr=False)
    """Whether TLS 1.3 may be spoken."""

    offered_suites: tuple[int, ...] = field(init=False, repr=False)
    """The suites of the versions that may be spoken."""

    ecdhe_groups: tuple[int, ...] = field(init=False, repr=False)
    """The groups that TLS 1.2 has too: ML-KEM is for TLS 1.3 alone (draft-ietf-tls-ecdhe-mlkem §5)."""

    groups12: tuple[int, ...] = field(init=False, repr=False)
    """What a client of TLS 1.2 alone offers: with DHE suites the groups of RFC 7919 §3 too."""

    suites12: dict[int, Suite12] = field(init=False, repr=False, compare=False)
    """The suites of TLS 1.2 that go with certificates, by their codes and in the order of preference."""

    signs_with: frozenset[int] = field(init=False, repr=False, compare=False)
    """The schemes that this side signs with."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        self._take_sequences()
        self.suites12 = {
            code: SUITES12[code]
            for code in self.suites
            if code in SUITES12 and not SUITES12[code].key_exchange.uses_psk
        }
        self.signs_with = frozenset(self.signing_algorithms)
        self.speaks12 = self.minimum_version <= ProtocolVersion.TLS1_2
        self.speaks13 = self.maximum_version >= ProtocolVersion.TLS1_3
        psks = bool(self.external_psks) or self.make_psks is not None or self.find_psk is not None
        in12 = {code for code, suite in SUITES12.items() if psks or not suite.key_exchange.uses_psk}
        spoken = {*(SUITES if self.speaks13 else ()), *(in12 if self.speaks12 else ())}
        self.offered_suites = tuple(code for code in self.suites if code in spoken)
        self.ecdhe_groups = tuple(code for code in self.groups if code != NamedGroup.X25519MLKEM768)
        _known("cipher suite", self.suites, EVERY_SUITE)
        dhe = any(
            code in SUITES12 and SUITES12[code].key_exchange is KeyExchange.DHE_RSA for code in self.offered_suites
        )
        self.groups12 = (*self.ecdhe_groups, *(self.dhe_groups if dhe else ()))
        _known("group", self.groups, GROUPS)
        _known("signature scheme", self.signing_algorithms, SCHEMES12)
        _known("signature scheme", self.signature_algorithms, {*SCHEMES, *CERTIFICATE_ONLY})
        if not self.suites or not self.groups or not self.signature_algorithms:
            raise ValueError("a handshake needs a cipher suite, a group and a signature scheme")
        self.key_shares = self._ordered_shares()
        if not self.speaks13 and not self.ecdhe_groups:
            raise ValueError("none of the groups is one of TLS 1.2")
        if self.minimum_version > self.maximum_version:
            raise ValueError("the minimum version is above the maximum version")
        if self.minimum_version < ProtocolVersion.TLS1_2 or self.maximum_version > ProtocolVersion.TLS1_3:
            raise ValueError("the versions are TLS 1.2 and TLS 1.3")
        if not self.offered_suites:
            raise ValueError("no cipher suite is of the versions to speak")
        if self.peer_certificate is PeerCertificate.ANY and self.verify_callback is None:
            raise ValueError("any certificate is accepted only with a callback that judges it")
        if not 64 <= self.max_fragment <= 16384:
            raise ValueError("a fragment has 64 to 16384 bytes")
        if not self.dhe_groups or not set(self.dhe_groups) <= _FFDHE:
            raise ValueError("the groups for DHE are those of RFC 7919")
        if not 0 <= self.renewed_tickets <= 255:
            raise ValueError("a server gives at most 255 tickets after a resumption")
        if not 0 <= self.num_tickets <= 255 or not 0 <= self.ticket_lifetime <= MOST_SECONDS:
            raise ValueError("a server gives at most 255 tickets, and for at most seven days")
        if not 0 <= self.max_early_data <= 0xFFFFFFFF:
            raise ValueError("early data has 0 to 2^32-1 bytes")
        if self.max_early_data and self.replay_guard is None:
            raise ValueError("a server takes early data only with a replay guard (RFC 8446 §8)")
        if not self.psk_modes:
            raise ValueError("there is a way or more to use a pre-shared key")
        self.alpn = tuple(bytes(memoryview(name)) for name in self.alpn)  # of bytes itself
        if any(not 1 <= len(name) <= 255 for name in self.alpn):
            raise ValueError("an ALPN protocol name has 1 to 255 bytes")
        if self.key_update_after is not None and not 1 <= self.key_update_after <= 1 << 62:
            raise ValueError("keys are updated after 1 to 2^62 records")

    def _take_sequences(self) -> None:
        """Keep tuples of what was given as other sequences."""
        self.suites, self.groups = tuple(self.suites), tuple(self.groups)
        self.key_shares = None if self.key_shares is None else tuple(self.key_shares)
        self.signature_algorithms = tuple(self.signature_algorithms)
        if self.signature_algorithms_cert is not None:
            self.signature_algorithms_cert = tuple(self.signature_algorithms_cert)
        self.signing_algorithms, self.credentials = tuple(self.signing_algorithms), tuple(self.credentials)
        self.certificate_authorities, self.dhe_groups = tuple(self.certificate_authorities), tuple(self.dhe_groups)
        self.psk_modes, self.external_psks = tuple(self.psk_modes), tuple(self.external_psks)

    def _ordered_shares(self) -> tuple[int, ...]:
        """Return the groups to send shares of, in the order of the groups. Raises ValueError for one not offered."""
        if self.key_shares is None:
            return tuple(code for code in self.groups if code in DEFAULT_KEY_SHARES) or self.groups[:1]
        if not set(self.key_shares) <= set(self.groups):
            raise ValueError("a key share must be of a group that is offered")
        return tuple(code for code in self.groups if code in self.key_shares)


_FFDHE = frozenset(code for code in NamedGroup if code.name.startswith("FFDHE"))


def _known(what: str, codes: tuple[int, ...], table: object) -> None:
    for code in codes:
        if code not in table:  # type: ignore[operator]
            raise ValueError(f"there is no {what} 0x{code:04x}")
        if codes.count(code) > 1:
            raise ValueError(f"the {what} 0x{code:04x} is there twice")
