"""fasttls: a TLS handshake engine, with the interface of the standard library's `ssl`.

    import fasttls as ssl

Exceptions, enums and constants are the standard library's own objects; contexts and connections are
fasttls's.
"""

import ssl as _base
from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Ours first, for a checker goes by what it meets first.
    # isort: off
    from fasttls.api.context import SSLContext
    from fasttls.api.defaults import create_default_context, create_unverified_context, get_server_certificate
    from fasttls.api.inject import extract_from_ssl, inject_into_ssl
    from fasttls.api.session import SSLSession
    from fasttls.api.sigalgs import get_sigalgs
    from fasttls.api.sockets import CHANNEL_BINDING_TYPES as CHANNEL_BINDING_TYPES
    from fasttls.api.sockets import SSLObject, SSLSocket
    from fasttls.sessions.epoch import EpochTicketKeys
    from fasttls.sessions.file import FileTicketKeys
    from fasttls.sessions.keys import MemoryTicketKeys
    from fasttls.sessions.replay import MemoryReplayGuard
    from fasttls.trust.policy import OCSPStapling

    # Everything public that `ssl` has, on whichever Python this is, and the names its own modules use.
    from ssl import *  # type: ignore[assignment]  # noqa: F403
    from ssl import _ASN1Object, _ssl  # type: ignore[attr-defined]
    # isort: on

    _create_unverified_context = create_unverified_context
    _create_stdlib_context = create_unverified_context
    _create_default_https_context = create_default_context

__version__ = "0.1.0"

# Where our own names are: each is imported when it is first asked for, as programs import what they may never use.
_OURS = {
    "CHANNEL_BINDING_TYPES": "api.sockets",
    "EpochTicketKeys": "sessions.epoch",
    "FileTicketKeys": "sessions.file",
    "MemoryReplayGuard": "sessions.replay",
    "MemoryTicketKeys": "sessions.keys",
    "OCSPStapling": "trust.policy",
    "SSLContext": "api.context",
    "SSLObject": "api.sockets",
    "SSLSession": "api.session",
    "SSLSocket": "api.sockets",
    "create_default_context": "api.defaults",
    "create_unverified_context": "api.defaults",
    "extract_from_ssl": "api.inject",
    "get_server_certificate": "api.defaults",
    "get_sigalgs": "api.sigalgs",
    "inject_into_ssl": "api.inject",
}
_ALIASES = {
    "_create_default_https_context": "create_default_context",
    "_create_stdlib_context": "create_unverified_context",
    "_create_unverified_context": "create_unverified_context",
}

# Where everything else is, for programs that import no more than this.
_PARTS = ("api", "connection", "crypto", "events", "handshake", "native", "sessions", "trust", "wire")

if hasattr(_base, "wrap_socket"):  # until Python 3.11
    _OURS["wrap_socket"] = "api.defaults"

# What later Pythons say: of pre-shared keys (3.13, 3.15), post-handshake authentication (3.14), old servers (3.12).
HAS_PSK = HAS_PSK_TLS13 = HAS_PHA = True
OP_LEGACY_SERVER_CONNECT = _base.Options(0x4)

# What programs and the standard library itself reach for, underscore or not.
_TAKEN = {*globals(), *_OURS, *_ALIASES}
globals().update({name: value for name, value in vars(_base).items() if name not in _TAKEN})


def __getattr__(name: str) -> object:
    if name in _PARTS:
        _import_module("fasttls.api.wrapping")  # which imports all of them, down to the handshake's modules
        return _import_module(f"fasttls.{name}")
    found = _ALIASES.get(name, name)
    if found not in _OURS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # First, so that all classes have their bases from one `ssl`, which gevent may have patched or is yet to patch.
    _import_module("fasttls.api.context")
    value = globals()[name] = getattr(_import_module(f"fasttls.{_OURS[found]}"), found)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_OURS, *_ALIASES, *_PARTS})


__all__ = [  # noqa: PLE0604
    *(name for name in vars(_base) if not name.startswith("_")),
    "HAS_PHA",
    "HAS_PSK",
    "HAS_PSK_TLS13",
    "OP_LEGACY_SERVER_CONNECT",
    "EpochTicketKeys",
    "FileTicketKeys",
    "MemoryReplayGuard",
    "MemoryTicketKeys",
    "OCSPStapling",
    "SSLContext",
    "SSLObject",
    "SSLSession",
    "SSLSocket",
    "_ASN1Object",
    "_create_default_https_context",
    "_create_stdlib_context",
    "_create_unverified_context",
    "_ssl",
    "create_default_context",
    "create_unverified_context",
    "extract_from_ssl",
    "get_server_certificate",
    "get_sigalgs",
    "inject_into_ssl",
]
