"""Python's other TLS libraries as peers: `ssl` over OpenSSL, `rtls` over rustls, `utls` over BoringSSL.

utls is a client alone.
"""

from __future__ import annotations

import contextlib
import importlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from interop.ends import TIMEOUT_SECONDS, missing

# What each library can do that the tests have to know.
GROUPS = {
    "ssl": ("X25519", "secp256r1", "X448", "secp521r1", "secp384r1"),
    "rtls": ("X25519", "secp256r1", "secp384r1", "X25519MLKEM768"),
    "utls": ("X25519MLKEM768", "X25519", "secp256r1", "secp384r1"),
}
SUITES13 = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
EPHEMERAL = ("AES256-GCM-SHA384", "AES128-GCM-SHA256", "CHACHA20-POLY1305")
KEYS = {
    "ssl": ("p256", "p384", "p521", "rsa", "ed25519", "ed448"),
    "rtls": ("p256", "p384", "rsa", "ed25519"),
    "utls": ("p256", "p384", "rsa"),
}
SERVERS = ("ssl", "rtls")
_PIECE = 1 << 16
CLIENTS = ("ssl", "rtls", "utls")


def library(name: str) -> ModuleType:
    """Import a library. Skips without it, and fails in CI."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(f"the package {name}")
        raise


def client_context(name: str, folder: Path, *, version: str | None = None, certificate: bool = False) -> Any:
    """Return a client's context of a library, which trusts the shared root."""
    module = library(name)
    context = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(folder / "ca.pem"))
    if version is not None:
        context.minimum_version = context.maximum_version = module.TLSVersion[version]
    if certificate:
        context.load_cert_chain(str(folder / "client-chain.pem"), str(folder / "client-key.pem"))
    return context


def server_context(name: str, folder: Path, *, version: str | None = None, credential: str = "server") -> Any:
    """Return a server's context of a library, with a certificate from the folder."""
    module = library(name)
    context = module.SSLContext(module.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(folder / f"{credential}-chain.pem"), str(folder / f"{credential}-key.pem"))
    if version is not None:
        context.minimum_version = context.maximum_version = module.TLSVersion[version]
    return context


@dataclass
class Seen:
    """What the library's end saw."""

    version: str | None = None
    cipher: tuple[str, str, int] | None = None
    alpn: str | None = None
    unique: bytes | None = None
    certificate: bytes | None = None
    error: Exception | None = None


@contextlib.contextmanager
def serve(context: Any) -> Iterator[tuple[int, Seen]]:
    """Run an echo server of a library for one connection; yield its port, and what it saw when the block is over."""
    seen = Seen()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(TIMEOUT_SECONDS)

    def work() -> None:
        try:
            plain, _ = listener.accept()
            plain.settimeout(TIMEOUT_SECONDS)
            with context.wrap_socket(plain, server_side=True) as wrapped:
                look(wrapped, seen)
                while data := wrapped.recv(65536):
                    wrapped.sendall(data)
                with contextlib.suppress(OSError):
                    wrapped.unwrap()
        except Exception as exc:  # the test looks at it
            seen.error = exc

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        thread.join(TIMEOUT_SECONDS)
        listener.close()
        assert not thread.is_alive(), "the peer hangs"


def look(wrapped: Any, seen: Seen) -> None:
    """Remember what a connected socket says."""
    seen.version, seen.cipher = wrapped.version(), wrapped.cipher()
    seen.alpn = wrapped.selected_alpn_protocol()
    with contextlib.suppress(ValueError, NotImplementedError, AttributeError):
        seen.unique = wrapped.get_channel_binding("tls-unique")
    seen.certificate = wrapped.getpeercert(True)


def talk(context: Any, port: int, data: bytes = b"hello") -> Seen:
    """Connect with a library's context, echo data, and return what it saw. Raises what the library raises."""
    seen = Seen()
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with plain, context.wrap_socket(plain, server_hostname="localhost") as wrapped:
        # A piece at a time: OpenSSL's objects are not for two threads at once.
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            wrapped.sendall(piece)
            received = b""
            while len(received) < len(piece):
                more = wrapped.recv(_PIECE)
                assert more, "the server closed too early"
                received += more
            assert received == piece
        look(wrapped, seen)
        with contextlib.suppress(OSError):
            wrapped.unwrap()
    return seen
