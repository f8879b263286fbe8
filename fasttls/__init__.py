"""fasttls: a TLS handshake engine, with the interface of the standard library's `ssl`.

    import fasttls as ssl

Exceptions, enums and constants are the standard library's own objects; contexts and connections are
fasttls's.
"""

import ssl as _base

# Everything public that `ssl` has, on whichever Python this is, and the names its own modules use.
from ssl import *  # noqa: F403
from ssl import _ASN1Object

from fasttls.api.context import SSLContext
from fasttls.api.defaults import (
    create_default_context,
    create_unverified_context,
    get_server_certificate,
)
from fasttls.api.inject import extract_from_ssl, inject_into_ssl
from fasttls.api.session import SSLSession  # type: ignore[assignment]  # the standard library's cannot be made
from fasttls.api.sockets import SSLObject, SSLSocket
from fasttls.sessions.epoch import EpochTicketKeys
from fasttls.sessions.file import FileTicketKeys
from fasttls.sessions.keys import MemoryTicketKeys
from fasttls.sessions.replay import MemoryReplayGuard
from fasttls.trust.policy import OCSPStapling

_create_unverified_context = create_unverified_context
_create_stdlib_context = create_unverified_context
_create_default_https_context = create_default_context

__version__ = "0.1.0"

_ssl = _base._ssl  # type: ignore[attr-defined]  # for the programs that reach into it

if hasattr(_base, "wrap_socket"):
    # Python 3.11 still has the function that checks no host name; it makes no connection of ours.
    del globals()["wrap_socket"]


__all__ = [  # noqa: PLE0604
    *(name for name in vars(_base) if not name.startswith("_") and name != "wrap_socket"),
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
    "inject_into_ssl",
]
