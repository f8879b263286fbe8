"""Whether a session may be gone on with, on either side and in every version; its peer is verified anew."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.suites12 import SUITES12, KeyExchange
from fasttls.handshake.auth import KeyUse, PeerIdentity, identify_peer
from fasttls.handshake.config import Config, PeerCertificate
from fasttls.sessions.session import Session
from fasttls.trust.path import Purpose
from fasttls.trust.policy import OCSPStapling
from fasttls.wire.alerts import Alert
from fasttls.wire.iana import ProtocolVersion

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_RSA = KeyExchange.RSA
_DECRYPT = KeyUse.DECRYPT
_SIGN = KeyUse.SIGN
_OFF = OCSPStapling.OFF
_OPTIONAL = PeerCertificate.OPTIONAL
_UNCHECKED = PeerCertificate.UNCHECKED
_CLIENT_AUTH = Purpose.CLIENT_AUTH
_SERVER_AUTH = Purpose.SERVER_AUTH

LARGEST_OFFER = 60000
"""Bytes of a ticket that a client offers: a longer one leaves no room for the rest of a ClientHello."""


def usable_session(
    config: Config, session: Session | None, host: str | None, version: int
) -> tuple[Session, PeerIdentity] | None:
    """Return a session that a client may go on with, and its server, verified by the rules and the time of now."""
    if (
        not config.resumption
        or session is None
        or session.version != version
        or session.suite not in config.offered_suites
    ):
        return None
    if len(session.ticket) > LARGEST_OFFER:
        return None
    if session.expired(config.now()) or not session.peer_chain or session.server_name != host:
        return None
    if session.alpn is not None and session.alpn not in config.alpn:
        return None
    if config.ocsp_stapling is not _OFF:
        return None  # a resumption brings no response
    suite = SUITES12.get(session.suite)
    use = _DECRYPT if suite is not None and suite.key_exchange is _RSA else _SIGN
    try:
        peer = identify_peer(config, session.peer_chain, _SERVER_AUTH, host, use)
    except Alert:
        return None  # a full handshake shows what is wrong with it
    return session, peer


@dataclass(frozen=True)
class MayResume:
    """Says that a server may go on with a session, and who its client is."""

    peer: PeerIdentity | None


def server_may_resume(config: Config, session: Session, server_name: str | None) -> MayResume | None:
    """Return whether a server may go on with a session, by the rules and the time of now; None when not.

    The name asked for must be the session's (RFC 6066 §3), and the client's certificate is verified
    anew: what expired or is no longer trusted since is not gone on with.
    """
    if session.expired(config.now()) or (session.server_name or "").lower() != (server_name or "").lower():
        return None
    if not session.peer_chain:
        asked_later = config.post_handshake_auth and session.version == ProtocolVersion.TLS1_3
        may = asked_later or config.peer_certificate in (_UNCHECKED, _OPTIONAL)
        return MayResume(None) if may else None
    if config.peer_certificate is _UNCHECKED:
        return None  # who the client was is not asked here, and must not be told
    try:
        return MayResume(identify_peer(config, session.peer_chain, _CLIENT_AUTH, None))
    except Alert:
        return None
