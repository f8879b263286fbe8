"""What an alert of the peer's means about certificates, as far as this side knows: which one, whose, and what to do."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fasttls.events import Negotiated
from fasttls.handshake.config import Config, Credential
from fasttls.handshake.state import State
from fasttls.trust.certificate import CERTIFICATES
from fasttls.trust.names import host_names
from fasttls.wire.alerts import AlertDescription

_REFUSED: dict[int, str] = {
    AlertDescription.BAD_CERTIFICATE: (
        "most often it is too weak or not yet valid; one that is malformed, or whose signature does not verify, is "
        "refused so too"
    ),
    AlertDescription.UNSUPPORTED_CERTIFICATE: (
        "most often its extended key usage is not for this side, or its key is of a kind that is not taken"
    ),
    AlertDescription.CERTIFICATE_REVOKED: "it was revoked",
    AlertDescription.CERTIFICATE_EXPIRED: (
        "by its clock this certificate, or another one of the chain, has expired or is not yet valid"
    ),
    AlertDescription.CERTIFICATE_UNKNOWN: "it does not say why",
    AlertDescription.UNKNOWN_CA: (
        "it does not trust its authority, or misses an intermediate that was not sent; a revocation list that is "
        "missing, and an issuer that may not issue, are refused so too"
    ),
    AlertDescription.ACCESS_DENIED: "it is verified, and may not enter",
}
"""Alerts about a certificate (RFC 8446 §6.2), and what each says of it."""

_MOST_HOSTS = 8

_NONE_SENT = (
    AlertDescription.CERTIFICATE_REQUIRED,
    AlertDescription.HANDSHAKE_FAILURE,  # TLS 1.2's word for it (RFC 5246 §7.4.6)
    AlertDescription.BAD_CERTIFICATE,
)


def explain_alert(description: int, state: State, config: Config, *, server_side: bool, host: str | None) -> str:
    """Return what an alert that comes in a state means, nothing when there is no more to say.

    host is the name that a client asked for.
    """
    said = state.explain_alert(description)
    if said:
        return said
    if not server_side:
        said = _of_the_hello(description, config, host)
        if said:
            return said
    agreed = _agreed(state)
    if agreed is None:
        return ""
    if server_side:
        own = [one for one in config.credentials if one.chain[0] == agreed.own_certificate]
        return _refused("client", description, own)
    if not agreed.client_certificate_requested:
        return ""
    if agreed.own_signature_algorithm is not None:
        return _refused("server", description, list(config.credentials))
    if description in _NONE_SENT:
        have = "none that it takes" if config.credentials else "none: load_cert_chain() gives it one"
        return f"the server asked for a certificate, and this side has {have}"
    return ""


def _of_the_hello(description: int, config: Config, host: str | None) -> str:
    """Return what a server's alert says of the ClientHello."""
    if description == AlertDescription.UNRECOGNIZED_NAME:
        return f"the server has no site {host!r}: server_hostname is to be another one, or the server lacks it"
    if description == AlertDescription.NO_APPLICATION_PROTOCOL:
        listed = ", ".join(one.decode("latin-1") for one in config.alpn)
        return f"the server speaks none of the protocols that set_alpn_protocols() names: {listed}"
    if description == AlertDescription.UNKNOWN_PSK_IDENTITY:
        return "the server does not know the identity of our pre-shared key"
    if description == AlertDescription.INAPPROPRIATE_FALLBACK:
        return "the server speaks a later version than the fallback that was tried"
    return ""


def _agreed(state: Any) -> Negotiated | None:
    """Return what a state knows of what was agreed on."""
    for holder in (state, getattr(state, "session", None), getattr(state, "done", None)):
        found = getattr(holder, "negotiated", None)
        if isinstance(found, Negotiated):
            return found
    return None


def _refused(peer: str, description: int, own: list[Credential]) -> str:
    if description not in _REFUSED or not own:
        return ""
    why = _REFUSED[description]
    if peer == "client" and description == AlertDescription.BAD_CERTIFICATE:
        why = f"most often it is for another host than the client wanted, {_hosts(own)}; else {why}"
    return f"the {peer} does not accept our certificate, {' or '.join(map(_described, own))}: {why}"


def _hosts(own: list[Credential]) -> str:
    """Return for which hosts this side's certificates are."""
    found: list[str] = []
    for credential in own:
        with suppress(ValueError):
            found += host_names(CERTIFICATES.parse(credential.chain[0]))
    return f"being for {', '.join(found[:_MOST_HOSTS]) or 'none'}{' and others' if len(found) > _MOST_HOSTS else ''}"


def _described(credential: Credential) -> str:
    """Return a credential as a person knows it."""
    count = len(credential.chain)
    try:
        leaf = CERTIFICATES.parse(credential.chain[0])
        name = f"{leaf.description}, issued by {leaf.issuer_description}"
    except ValueError:
        name = "one that cannot be read"
    return f"{name} (a chain of {count})"
