"""Other libraries under the methods of `ssl.SSLObject` that the benchmarks call, over `ssl`'s memory BIOs.

Each does what a program that drives the library over memory has to do: bytes in, a call, bytes out. None of these
libraries is imported before it is asked for.
"""

from __future__ import annotations

import errno
import importlib
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from fasttls.diagnose.authority import DemoFiles

_PIECE = 1 << 16


class _Context:
    """Makes ends, as SSLContext.wrap_bio() does."""

    def __init__(self, make: Callable[[bool, str | None, Any], Any], end: type[_End]) -> None:
        self._make, self._end = make, end

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | None = None,
        session: Any = None,
    ) -> _End:
        """Return one end of a connection."""
        return self._end(self._make(server_side, server_hostname, session), incoming, outgoing, server_side)


class _End:
    """One end: a library's connection between two BIOs."""

    def __init__(self, inner: Any, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_side: bool = False) -> None:
        self._inner, self._incoming, self._outgoing = inner, incoming, outgoing


class _PyOpenSSLEnd(_End):
    """pyOpenSSL: `Connection(context)` without a socket has BIOs of its own."""

    def __init__(self, inner: Any, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_side: bool) -> None:
        super().__init__(inner, incoming, outgoing)
        self._library = importlib.import_module("OpenSSL.SSL")
        self._want_read = self._library.WantReadError

    def _flush(self) -> None:
        size = _PIECE
        with suppress(self._want_read):
            while size == _PIECE:
                size = self._outgoing.write(self._inner.bio_read(_PIECE))

    def _call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        data = self._incoming.read()
        if data:
            self._inner.bio_write(data)
        try:
            return call(*arguments)
        except self._want_read:
            raise ssl.SSLWantReadError from None
        finally:
            self._flush()

    def do_handshake(self) -> None:
        self._call(self._inner.do_handshake)

    def read(self, size: int) -> bytes:
        data: bytes = self._call(self._inner.recv, size)
        return data

    def write(self, data: bytes) -> int:
        size: int = self._call(self._inner.send, data)
        return size

    def version(self) -> str:
        name: str = self._inner.get_protocol_version_name()
        return name

    def certificate(self) -> bytes:
        serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
        found: bytes = self._inner.get_peer_certificate(as_cryptography=True).public_bytes(serialization.Encoding.DER)
        return found

    @property
    def session(self) -> Any:
        session = self._inner.get_session()
        # OpenSSL forgets the session of a connection that is freed without a shutdown.
        self._inner.set_shutdown(self._library.SENT_SHUTDOWN | self._library.RECEIVED_SHUTDOWN)
        return session

    @property
    def session_reused(self) -> bool:
        return bool(self._library._lib.SSL_session_reused(self._inner._ssl))  # it has no public name for it


def pyopenssl(files: DemoFiles, version: str, suite: str, curve: str | None, *, server: bool, mutual: bool) -> _Context:
    """Return a context of pyOpenSSL, with a group other than OpenSSL's own choice when a curve is named."""
    library = importlib.import_module("OpenSSL.SSL")
    context = library.Context(library.TLS_SERVER_METHOD if server else library.TLS_CLIENT_METHOD)
    only = {"TLSv1.3": library.TLS1_3_VERSION, "TLSv1.2": library.TLS1_2_VERSION}[version]
    context.set_min_proto_version(only)
    context.set_max_proto_version(only)
    if version == "TLSv1.3":
        context.set_tls13_ciphersuites(suite.encode())
    else:
        context.set_cipher_list(suite.encode())
    if curve is not None:
        ec = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ec")
        context.set_tmp_ecdh(getattr(ec, curve.upper())())
    if server or mutual:
        context.use_certificate_chain_file(str(files.chain))
        context.use_privatekey_file(str(files.key))
    if not server or mutual:
        context.load_verify_locations(str(files.root))
        context.set_verify(library.VERIFY_PEER | library.VERIFY_FAIL_IF_NO_PEER_CERT)
    if server:
        context.set_session_id(b"bench")

    def make(server_side: bool, name: str | None, session: Any) -> Any:
        connection = library.Connection(context, None)
        if server_side:
            connection.set_accept_state()
        else:
            assert name is not None
            connection.set_tlsext_host_name(name.encode())
            if session is not None:
                connection.set_session(session)
            connection.set_connect_state()
        return connection

    return _Context(make, _PyOpenSSLEnd)


class _PyrtlsEnd(_End):
    """pyrtls: a buffer to fill with what is to be sent, and one to read from.

    Without a socket it has no word for "done": a client is when it has sent its second flight, a server when it has
    taken the client's.
    """

    def __init__(self, inner: Any, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_side: bool) -> None:
        super().__init__(inner, incoming, outgoing)
        self._buffer = bytearray(_PIECE)
        self._server_side = server_side
        self._sent = self._received = 0  # flights

    def _receive(self) -> None:
        data = self._incoming.read()
        self._received += bool(data)
        while data:
            data = data[self._inner.read_tls(data) :]
            self._inner.process_new_packets()

    def _flush(self) -> None:
        self._sent += self._inner.writable()
        while self._inner.writable():
            size = self._inner.write_tls_into(self._buffer)
            self._outgoing.write(memoryview(self._buffer)[:size])

    def do_handshake(self) -> None:
        self._receive()
        self._flush()
        if (self._received if self._server_side else self._sent) < 2:
            raise ssl.SSLWantReadError

    def read(self, size: int) -> bytes:
        self._receive()
        buffer = bytearray(size)
        try:
            read = self._inner.read_into(buffer)
        except ValueError:  # "operation would block"
            raise ssl.SSLWantReadError from None
        return bytes(memoryview(buffer)[:read])

    def write(self, data: bytes) -> int:
        size: int = self._inner.write(data)
        self._flush()
        return size

    def version(self) -> str:
        return "TLSv1.3"

    def certificate(self) -> bytes | None:
        return None


def pyrtls(files: DemoFiles, *, server: bool) -> _Context:
    """Return a configuration of pyrtls; it has no choice of version, suite or group."""
    library = importlib.import_module("pyrtls")
    if server:
        config = library.ServerConfig(_certificates(files.chain), files.key.read_text())
    else:
        config = library.ClientConfig(platform_verifier=False, custom_roots=_certificates(files.root))

    def make(server_side: bool, name: str | None, session: Any) -> Any:
        assert session is None
        return library.ServerConnection(config) if server_side else library.ClientConnection(config, name)

    return _Context(make, _PyrtlsEnd)


def _certificates(path: Path) -> list[str]:
    end = "-----END CERTIFICATE-----\n"
    return [part + end for part in path.read_text().split(end) if part.strip()]


class _WouldBlock(_End):
    """What tlslite takes for a socket that does not block."""

    def recv(self, size: int) -> bytes:
        data = self._incoming.read(size)
        if not data:
            raise BlockingIOError(errno.EWOULDBLOCK, "nothing has come")
        return data

    def send(self, data: bytes) -> int:
        return self._outgoing.write(data)

    def sendall(self, data: bytes) -> None:
        self._outgoing.write(data)

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """There is nothing to close."""


class _TlsliteEnd(_End):
    """tlslite-ng: a generator that stops where it would read. It checks no chain."""

    def __init__(self, inner: Any, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_side: bool) -> None:
        super().__init__(inner, incoming, outgoing)
        socket = _WouldBlock(None, incoming, outgoing)
        self._connection = importlib.import_module("tlslite.api").TLSConnection(socket)
        self._steps: Iterator[int] = inner(self._connection)

    def do_handshake(self) -> None:
        for wants in self._steps:
            if wants == 0:
                raise ssl.SSLWantReadError

    def read(self, size: int) -> bytes:
        data = next(self._connection.readAsync(size, size))
        if data in (0, 1):
            raise ssl.SSLWantReadError
        return bytes(data)

    def write(self, data: bytes) -> int:
        for _ in self._connection.writeAsync(data):
            pass
        return len(data)

    def version(self) -> str:
        name: str = self._connection.getVersionName()
        return name.replace("TLS ", "TLSv")

    def certificate(self) -> bytes:
        return bytes(self._connection.session.serverCertChain.x509List[0].bytes)


def tlslite(files: DemoFiles, version: str, group: str, *, server: bool) -> _Context:
    """Return a context of tlslite-ng for one version and group, AES-256-GCM."""
    library = importlib.import_module("tlslite.api")
    settings = library.HandshakeSettings()
    settings.minVersion = settings.maxVersion = {"TLSv1.3": (3, 4), "TLSv1.2": (3, 3)}[version]
    settings.cipherNames = ["aes256gcm"]
    settings.eccCurves = [group.lower()] + ["secp256r1"] * (group.lower() != "secp256r1")
    settings.keyShares = [group.lower()]
    chain = library.X509CertChain()
    chain.parsePemList(files.chain.read_text())
    key = library.parsePEMKey(files.key.read_text(), private=True)

    def make(server_side: bool, name: str | None, session: Any) -> Any:
        assert session is None
        if server_side:
            return lambda end: end.handshakeServerAsync(certChain=chain, privateKey=key, settings=settings)
        return lambda end: end.handshakeClientCert(settings=settings, serverName=name, async_=True)

    return _Context(make, _TlsliteEnd)
