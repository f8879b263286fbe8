"""TLS servers of the standard library's `ssl`, for the programs to connect to."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from drop_in.way import SECONDS

CERTIFICATES = ("server", "stranger", "misnamed")
"""For localhost; for localhost by an authority that nobody trusts; for another host."""


def context_of(folder: Path, certificate: str = "server") -> ssl.SSLContext:
    """Return a server's context, which asks its clients for a certificate and does without."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_cert_chain(folder / f"{certificate}-chain.pem", folder / f"{certificate}-key.pem")
    return context


class Line:
    """A connection that can become TLS, for a conversation to read and write."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self.socket = sock
        self._server = server
        self._file = sock.makefile("rb")

    def handshake(self, plain: socket.socket) -> ssl.SSLSocket:
        """Make TLS of another connection."""
        return self._server.handshake(plain)

    def start_tls(self) -> None:
        """Do the handshake."""
        self._file.close()
        self.socket = self.handshake(self.socket)
        self._file = self.socket.makefile("rb")

    def read(self, size: int) -> bytes:
        """Read exactly so much. Raises EOFError at the end."""
        data = self._file.read(size)
        if len(data) != size:
            raise EOFError
        return data

    def readline(self) -> bytes:
        """Read a line. Raises EOFError at the end."""
        data = self._file.readline()
        if not data.endswith(b"\n"):
            raise EOFError
        return data

    def some(self) -> bytes:
        """Read what there is."""
        return self._file.read1(1 << 16)

    def write(self, data: bytes) -> None:
        """Send everything."""
        self.socket.sendall(data)

    def end_tls(self) -> None:
        """Say the end of TLS as one ought to, and wait a moment for the other side's."""
        if isinstance(self.socket, ssl.SSLSocket):
            self.socket.settimeout(1)
            self.socket.unwrap()

    def close(self) -> None:
        """Close both."""
        with suppress(OSError):
            self._file.close()
        self.socket.close()


Talk = Callable[[Line], None]


class Server:
    """A port where conversations are held, each in a thread of its own."""

    def __init__(self, context: ssl.SSLContext, talk: Talk, *, tls_first: bool = True) -> None:
        self.context = context
        self.handshakes = 0
        """Handshakes that were completed."""
        self.certificates = 0
        """Client certificates among them."""
        self._talk = talk
        self._tls_first = tls_first
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(SECONDS)
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        line = Line(plain, self)
        # Clients go away on purpose here; what went wrong is told by the program.
        try:
            with suppress(OSError, EOFError, ValueError):
                if self._tls_first:
                    line.start_tls()
                self._talk(line)
                line.end_tls()
        finally:
            line.close()

    def handshake(self, plain: socket.socket) -> ssl.SSLSocket:
        """Make TLS of a plain connection."""
        wrapped = self.context.wrap_socket(plain, server_side=True)
        with self._lock:
            self.handshakes += 1
            self.certificates += wrapped.getpeercert(True) is not None
        return wrapped

    def close(self) -> None:
        """Accept no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SECONDS)


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def talk_http(line: Line) -> None:
    """Answer every POST with its body."""
    nobody: Any = None
    _Echo(line.socket, ("", 0), nobody)


def talk_echo(line: Line) -> None:
    """Send back everything until the end."""
    while data := line.some():
        line.write(data)


def talk_upgrade(line: Line) -> None:
    """Send back everything until the end, over TLS once a plain line has asked for it."""
    line.readline()
    line.write(b"go ahead\n")
    line.start_tls()
    talk_echo(line)
