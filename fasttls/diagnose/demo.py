"""`python -m fasttls demo`: real handshakes on loopback, told step by step."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import ssl
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from fasttls.api.context import SSLContext
from fasttls.api.defaults import create_default_context
from fasttls.api.sockets import SSLSocket
from fasttls.connection import Connection
from fasttls.diagnose.authority import DemoFiles, make_demo_files
from fasttls.diagnose.measure import cpu_seconds
from fasttls.diagnose.trace import Trace

_PAGE = b"<!doctype html><title>fasttls</title><p>Hello over TLS.</p>\n"
_TIMEOUT_SECONDS = 10


class _Pages(http.server.BaseHTTPRequestHandler):
    """Serves one page, quietly."""

    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_SECONDS

    def do_GET(self) -> None:
        """Answer with the page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(_PAGE)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    """An HTTPS server that shakes hands in the thread of the connection, and remembers the last one."""

    daemon_threads = False

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Pages)
        self.context = context
        self.last: Connection | None = None

    def finish_request(self, request: object, client_address: object) -> None:
        """Shake hands, serve, and close as TLS wants it."""
        assert hasattr(request, "settimeout")
        request.settimeout(_TIMEOUT_SECONDS)
        with self.context.wrap_socket(request, server_side=True) as wrapped:  # type: ignore[arg-type]
            if isinstance(wrapped, SSLSocket):
                self.last = wrapped.connection
            super().finish_request(wrapped, client_address)
            with contextlib.suppress(OSError):
                wrapped.unwrap()


@contextlib.contextmanager
def _serving(context: ssl.SSLContext) -> Iterator[_Server]:
    """Run the server until the block ends."""
    with _Server(context) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _fetch(context: ssl.SSLContext, port: int) -> tuple[Connection | None, bytes]:
    """Fetch the page with http.client; return the connection, when it is fasttls's, and the page."""
    connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=_TIMEOUT_SECONDS)
    with contextlib.closing(connection):
        connection.connect()
        ours = connection.sock.connection if isinstance(connection.sock, SSLSocket) else None
        connection.request("GET", "/")
        return ours, connection.getresponse().read()


def _fasttls_client(files: DemoFiles) -> SSLContext:
    context = create_default_context(cafile=files.root)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _fasttls_server(files: DemoFiles) -> SSLContext:
    context = SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _fasttls_client12(files: DemoFiles) -> SSLContext:
    context = _fasttls_client(files)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _ssl_client(files: DemoFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.root)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _ssl_server(files: DemoFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _show(title: str, traced: SSLContext, client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Fetch the page once, and print what the side whose context is traced saw."""
    print(f"\n━━ {title} {'━' * max(0, 96 - len(title))}\n")
    trace = Trace()
    traced.observer = trace
    with _serving(server) as serving:
        connection, page = _fetch(client, serving.server_address[1])
    if traced is server:
        connection = serving.last
    assert connection is not None
    assert page == _PAGE
    print("\n".join(trace.lines(connection)))
    print(f"  page         {page.decode().strip()}")


def _show_cost(files: DemoFiles, times: int) -> None:
    """Print the CPU time of a full handshake, both sides together, measured here and now."""
    title = "CPU time of a full TLS 1.3 handshake, client and server together"
    print(f"\n━━ {title} {'━' * max(0, 96 - len(title))}\n")
    contexts: dict[str, tuple[ssl.SSLContext, ssl.SSLContext, bool]] = {}
    ours, base = (_fasttls_client(files), _fasttls_server(files)), (_ssl_client(files), _ssl_server(files))
    for context in (*ours, *base):
        context.set_ecdh_curve("prime256v1")
    contexts["ssl      P-256 key exchange"] = (*base, False)
    contexts["fasttls  P-256 key exchange, cold"] = (*ours, True)
    contexts["fasttls  P-256 key exchange, warm"] = (*ours, False)
    contexts["fasttls  X25519MLKEM768, its default, warm"] = (_fasttls_client(files), _fasttls_server(files), False)
    # In turns, so that a busy moment of the machine is nobody's disadvantage.
    seconds = dict.fromkeys(contexts, float("inf"))
    for _ in range(times):
        for name, (client, server, cold) in contexts.items():
            seconds[name] = min(seconds[name], cpu_seconds(client, server, "localhost", 5, cold=cold))
    baseline = seconds["ssl      P-256 key exchange"]
    for name, taken in seconds.items():
        print(f"  {name:<43}{1e6 * taken:>8.0f} µs   {taken / baseline:>5.2f} of ssl's")
    print("\n  Cold: the first handshake with these certificates. Warm: their signatures were verified before.")
    print(f"  The fastest of {5 * times} handshakes each; P-256 certificates, a chain of 2; {ssl.OPENSSL_VERSION}.")


def run(times: int = 40) -> None:
    """Show three handshakes, and what one costs."""
    with tempfile.TemporaryDirectory() as folder:
        files = make_demo_files(Path(folder))
        client, server = _fasttls_client(files), _fasttls_server(files)
        _show("fasttls as client and as server: what the client sees", client, client, server)
        server = _fasttls_server(files)
        _show("ssl as client, fasttls as server: what the server sees", server, _ssl_client(files), server)
        client = _fasttls_client(files)
        _show("fasttls as client, ssl as server: what the client sees", client, client, _ssl_server(files))
        client = _fasttls_client12(files)
        _show("the classic handshake, TLS 1.2: what the client sees", client, client, _fasttls_server(files))
        _show_cost(files, times)
