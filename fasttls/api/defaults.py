"""The standard library's functions that make contexts, making ours."""

from __future__ import annotations

import os
import ssl
import sys
import warnings

from fasttls.api.context import SSLContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from fasttls.api.keyfile import Path


def create_default_context(
    purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH,
    *,
    cafile: Path | None = None,
    capath: Path | None = None,
    cadata: str | Buffer | None = None,
) -> SSLContext:
    """Return a context that verifies: for a client when purpose is SERVER_AUTH, for a server otherwise.

    The platform's certificates are trusted unless others are given. SSLKEYLOGFILE is honoured as
    the standard library does.
    """
    if not isinstance(purpose, ssl._ASN1Object):
        raise TypeError(purpose)
    if purpose == ssl.Purpose.SERVER_AUTH:
        context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
    elif purpose == ssl.Purpose.CLIENT_AUTH:
        context = SSLContext(ssl.PROTOCOL_TLS_SERVER)
    else:
        raise ValueError(purpose)
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    _load_trust(context, purpose, cafile, capath, cadata)
    _log_keys(context)
    return context


def create_unverified_context(
    protocol: int | None = None,
    *,
    cert_reqs: ssl.VerifyMode = ssl.CERT_NONE,
    check_hostname: bool = False,
    purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH,
    certfile: Path | None = None,
    keyfile: Path | None = None,
    cafile: Path | None = None,
    capath: Path | None = None,
    cadata: str | Buffer | None = None,
) -> SSLContext:
    """Return a context that verifies nothing unless told to: the standard library's for its own modules."""
    if not isinstance(purpose, ssl._ASN1Object):
        raise TypeError(purpose)
    if purpose == ssl.Purpose.SERVER_AUTH:
        context = SSLContext(ssl.PROTOCOL_TLS_CLIENT if protocol is None else protocol)
    elif purpose == ssl.Purpose.CLIENT_AUTH:
        context = SSLContext(ssl.PROTOCOL_TLS_SERVER if protocol is None else protocol)
    else:
        raise ValueError(purpose)
    context.check_hostname = check_hostname
    if cert_reqs is not None:
        context.verify_mode = cert_reqs
    if check_hostname:
        context.check_hostname = True
    if keyfile and not certfile:
        raise ValueError("certfile must be specified")
    if certfile or keyfile:
        assert certfile is not None
        context.load_cert_chain(certfile, keyfile)
    _load_trust(context, purpose, cafile, capath, cadata)
    _log_keys(context)
    return context


def _load_trust(context: SSLContext, purpose: ssl.Purpose, cafile: Any, capath: Any, cadata: Any) -> None:
    if cafile or capath or cadata:
        context.load_verify_locations(cafile, capath, cadata)
    elif context.verify_mode != ssl.CERT_NONE:
        context.load_default_certs(purpose)


def _log_keys(context: SSLContext) -> None:
    path = os.environ.get("SSLKEYLOGFILE")
    if path and not sys.flags.ignore_environment:
        context.keylog_filename = path


def get_server_certificate(
    addr: tuple[str, int],
    ssl_version: int = ssl.PROTOCOL_TLS_CLIENT,
    ca_certs: Path | None = None,
    timeout: Any = None,
) -> str:
    """Return the certificate of the server at addr as PEM, verified only when ca_certs is given."""
    import socket

    cert_reqs = ssl.CERT_NONE if ca_certs is None else ssl.CERT_REQUIRED
    context = create_unverified_context(ssl_version, cert_reqs=cert_reqs, cafile=ca_certs)
    connected = socket.create_connection(addr) if timeout is None else socket.create_connection(addr, timeout)
    with connected as plain, context.wrap_socket(plain, server_hostname=addr[0]) as wrapped:
        der = wrapped.getpeercert(True)
    assert isinstance(der, bytes)
    return ssl.DER_cert_to_PEM_cert(der)


def wrap_socket(
    sock: Any,
    keyfile: Path | None = None,
    certfile: Path | None = None,
    server_side: bool = False,
    cert_reqs: int = ssl.CERT_NONE,
    ssl_version: int = ssl.PROTOCOL_TLS,
    ca_certs: Path | None = None,
    do_handshake_on_connect: bool = True,
    suppress_ragged_eofs: bool = True,
    ciphers: str | None = None,
) -> Any:
    """Wrap a socket with a context of its own; Python 3.12 has no such function any more. IT CHECKS NO HOST NAME."""
    message = "ssl.wrap_socket() is deprecated, use SSLContext.wrap_socket()"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    if server_side and not certfile:
        raise ValueError("certfile must be specified for server-side operations")
    if keyfile and not certfile:
        raise ValueError("certfile must be specified")
    context = SSLContext(ssl_version)
    context.verify_mode = cert_reqs
    if ca_certs:
        context.load_verify_locations(ca_certs)
    if certfile:
        context.load_cert_chain(certfile, keyfile)
    if ciphers:
        context.set_ciphers(ciphers)
    return context.wrap_socket(
        sock,
        server_side=server_side,
        do_handshake_on_connect=do_handshake_on_connect,
        suppress_ragged_eofs=suppress_ragged_eofs,
    )
