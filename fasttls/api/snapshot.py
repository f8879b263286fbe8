"""A context's settings, frozen for its connections."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from fasttls.api.context_plain import READ
from fasttls.api.errors import ssl_error
from fasttls.crypto.signatures import SCHEMES12
from fasttls.handshake.config import Config, PeerCertificate
from fasttls.trust.policy import CrlCheck, Strength
from fasttls.wire.iana import ProtocolVersion

if TYPE_CHECKING:
    from fasttls.api.context import SSLContext
    from fasttls.handshake.config import Credential

_VERIFY_MODES = {
    ssl.CERT_NONE: PeerCertificate.UNCHECKED,
    ssl.CERT_OPTIONAL: PeerCertificate.OPTIONAL,
    ssl.CERT_REQUIRED: PeerCertificate.REQUIRED,
}

# ssl.OP_LEGACY_SERVER_CONNECT, which Python 3.11 does not name.
_LEGACY = 0x4

_SPOKEN = (
    (ssl.TLSVersion.TLSv1_2, ProtocolVersion.TLS1_2),
    (ssl.TLSVersion.TLSv1_3, ProtocolVersion.TLS1_3),
)

# The protocols that are one version each, none of them but TLS 1.2 spoken.
_METHODS: dict[int, tuple[int, ...]] = {
    ssl.PROTOCOL_TLSv1: (),
    ssl.PROTOCOL_TLSv1_1: (),
    ssl.PROTOCOL_TLSv1_2: (ProtocolVersion.TLS1_2,),
}

_SUPPORTED_VERIFY_FLAGS = (
    ssl.VERIFY_X509_TRUSTED_FIRST
    | ssl.VERIFY_X509_PARTIAL_CHAIN
    | ssl.VERIFY_X509_STRICT
    | ssl.VERIFY_CRL_CHECK_LEAF
    | ssl.VERIFY_CRL_CHECK_CHAIN
)


def config_of(context: SSLContext) -> Config:
    """Return the settings of a context as they are now: the same object until one of them changes.

    Raises ssl.SSLError where they exclude every version that is spoken, NotImplementedError for flags that are not
    supported.
    """
    state, kept = context._state, context._snapshot
    plain = tuple([read(context) for read in READ])
    if kept is not None and kept[0] is state and kept[1] == plain:
        return kept[2]
    options = context.options
    found = _freeze(context)
    object.__setattr__(context, "_ignores_unexpected_eof", bool(options & ssl.OP_IGNORE_UNEXPECTED_EOF))
    object.__setattr__(context, "_snapshot", (state, plain, found))
    return found


def _freeze(context: SSLContext) -> Config:
    low, high = _versions(context)
    flags = context.verify_flags
    unsupported = int(flags) & ~int(_SUPPORTED_VERIFY_FLAGS)
    if unsupported:
        raise NotImplementedError(f"{ssl.VerifyFlags(unsupported)!r} is not supported")
    options = context.options
    return Config(
        minimum_version=low,
        maximum_version=high,
        require_extended_master_secret=not options & _LEGACY,
        require_secure_renegotiation=not options & _LEGACY,
        credentials=_credentials(context),
        peer_certificate=_VERIFY_MODES[context.verify_mode],
        trust=context._trust,
        check_host=context.check_hostname,
        check_common_name=context.hostname_checks_common_name,
        partial_chain=bool(flags & ssl.VERIFY_X509_PARTIAL_CHAIN),
        strict=bool(flags & ssl.VERIFY_X509_STRICT),
        strength=Strength.of_level(context._level),
        crl_check=_crl_check(flags),
        ocsp_stapling=context._ocsp_stapling,
        prefer_server_suites=bool(options & ssl.OP_CIPHER_SERVER_PREFERENCE),
        compatibility_mode=bool(options & ssl.OP_ENABLE_MIDDLEBOX_COMPAT),
        key_log=context._key_log,
        observer=context.observer,
        post_handshake_auth=context._post_handshake_auth,
        **_offers(context),
        **context._session_settings(options),
    )


def _credentials(context: SSLContext) -> tuple[Credential, ...]:
    """Return the certificates that it shows, with those of their issuers that are known."""
    if not context._credentials:
        return ()
    from fasttls.api.keyfile import with_issuers

    return tuple(with_issuers(one, context._trust) for one in context._credentials)


def _versions(context: SSLContext) -> tuple[int, int]:
    """Return the lowest and the highest version. Raises ssl.SSLError when none is left that is spoken."""
    bounds = _METHODS.get(context.protocol)
    if bounds is None:
        low, high = context.minimum_version, context.maximum_version
        excluded = context.options & ssl.OP_NO_TLSv1_2, context.options & ssl.OP_NO_TLSv1_3
        spoken = [
            code
            for (version, code), no in zip(_SPOKEN, excluded, strict=True)
            if not no
            and (low is ssl.TLSVersion.MINIMUM_SUPPORTED or low <= version)
            and (high is ssl.TLSVersion.MAXIMUM_SUPPORTED or version <= high)
            and (low is not ssl.TLSVersion.MAXIMUM_SUPPORTED or version is ssl.TLSVersion.TLSv1_3)
        ]
        bounds = tuple(spoken)
    if not bounds:
        raise ssl_error(
            "NO_PROTOCOLS_AVAILABLE",
            "no protocols available: fasttls speaks TLS 1.2 and TLS 1.3, the context excludes them",
        )
    return min(bounds), max(bounds)


def _offers(context: SSLContext) -> dict[str, Any]:
    """Return what is offered and chosen from: suites, groups, signature schemes, application protocols."""
    found: dict[str, Any] = {
        "suites": (*context._suites, *context._suites12),
        "groups": context._groups,
        "key_shares": context._key_shares,
        "alpn": context._alpn,
    }
    if context._dhe_groups is not None:
        found["dhe_groups"] = context._dhe_groups
    asked, own = context._server_schemes, context._client_schemes
    if context.protocol == ssl.PROTOCOL_TLS_SERVER:
        asked, own = own, asked
    if asked is not None:
        found["signature_algorithms"] = asked
    if own is not None:
        found["signing_algorithms"] = tuple(code for code in own if code in SCHEMES12)
    return found


def _crl_check(flags: int) -> CrlCheck:
    """Return what the flags ask; one bit alone of VERIFY_CRL_CHECK_CHAIN is VERIFY_CRL_CHECK_LEAF, or nothing."""
    if not flags & ssl.VERIFY_CRL_CHECK_LEAF:
        return CrlCheck.NONE
    every = (flags & ssl.VERIFY_CRL_CHECK_CHAIN) == ssl.VERIFY_CRL_CHECK_CHAIN
    return CrlCheck.CHAIN if every else CrlCheck.LEAF
