"""The programs that people have: http.client, urllib, requests, http.server and socketserver over TLS 1.3."""

from __future__ import annotations

import http.client
import http.server
import os
import socketserver
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from api.peers import SECONDS, client_context, each_library, each_pair, server_context
from certs import client_credential

import fasttls

PAGE = b"hello over TLS 1.3\n" * 5000


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def do_GET(self) -> None:
        self._answer(PAGE)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-TLS", self.connection.version() or "")  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients go away on purpose here."""


@contextmanager
def https(context: ssl.SSLContext, server_class: type[http.server.HTTPServer] = _Server) -> Iterator[int]:
    """Serve the page as the documentation of http.server does it, and return the port."""
    server = server_class(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS)
        assert not thread.is_alive()


@each_pair
def test_http_client(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    with https(server_context(server_library, folder)) as port:
        context = client_context(client_library, folder)
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=SECONDS)
        for _ in range(3):  # one connection, kept
            connection.request("GET", "/")
            response = connection.getresponse()
            assert (response.status, response.headers["X-TLS"]) == (200, "TLSv1.3")
            assert response.read() == PAGE
        connection.request("POST", "/", body=PAGE * 5)
        assert connection.getresponse().read() == PAGE * 5
        connection.close()


def test_http_client_refuses_another_host(folder: Path) -> None:
    with https(server_context(fasttls, folder)) as port:
        context = fasttls.create_default_context()
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=SECONDS)
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.request("GET", "/")
        connection.close()


def test_http_client_makes_its_own_context_when_fasttls_is_the_ssl_module(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # http.client calls ssl._create_default_https_context, and then turns post-handshake auth on.
    monkeypatch.setattr(http.client, "ssl", fasttls)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    with https(server_context(ssl, folder)) as port:
        connection = http.client.HTTPSConnection("localhost", port, timeout=SECONDS)
        connection.request("GET", "/")
        assert isinstance(connection.sock, fasttls.SSLSocket)
        assert connection.getresponse().read() == PAGE
        connection.close()


def test_http_client_with_a_client_certificate(folder: Path) -> None:
    server = server_context(fasttls, folder)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(folder / "ca.pem")
    context = client_context(fasttls, folder)
    context.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem")
    with https(server) as port:
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=SECONDS)
        connection.request("GET", "/")
        assert connection.getresponse().read() == PAGE
        connection.close()


@each_pair
def test_urllib(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    with https(server_context(server_library, folder)) as port:
        context = client_context(client_library, folder)
        with urllib.request.urlopen(f"https://localhost:{port}/", context=context, timeout=SECONDS) as page:
            assert page.read() == PAGE
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/", context=context, timeout=SECONDS) as page:
            assert page.read() == PAGE
        handler = urllib.request.HTTPSHandler(context=context)
        with urllib.request.build_opener(handler).open(f"https://localhost:{port}/", timeout=SECONDS) as page:
            assert page.read() == PAGE


def test_urllib_tells_why_a_certificate_is_refused(folder: Path) -> None:
    with https(server_context(fasttls, folder)) as port:
        with pytest.raises(urllib.error.URLError) as refused:
            urllib.request.urlopen(
                f"https://localhost:{port}/", context=fasttls.create_default_context(), timeout=SECONDS
            )
        assert isinstance(refused.value.reason, ssl.SSLCertVerificationError)


def _requests() -> Any:
    try:
        import requests
    except ImportError:
        if os.environ.get("CI"):
            pytest.fail("requests is not installed")
        pytest.skip("requests is not installed")
    return requests


def _session(context: ssl.SSLContext) -> Any:
    """Return a session of requests whose connections are made by a context."""
    requests = _requests()

    class Adapter(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, ssl_context=context, **kwargs)

    session = requests.Session()
    session.mount("https://", Adapter())
    session.trust_env = False
    return session


@each_pair
def test_requests(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    with (
        https(server_context(server_library, folder)) as port,
        _session(client_context(client_library, folder)) as session,
    ):
        for host in ("localhost", "127.0.0.1"):
            response = session.get(f"https://{host}:{port}/", timeout=SECONDS)
            assert (response.status_code, response.content) == (200, PAGE)
        assert session.post(f"https://localhost:{port}/", data=PAGE, timeout=SECONDS).content == PAGE


def test_requests_verifies(folder: Path) -> None:
    requests = _requests()
    with https(server_context(fasttls, folder)) as port, _session(fasttls.create_default_context()) as session:
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            session.get(f"https://localhost:{port}/", timeout=SECONDS)


def test_requests_with_its_own_files(folder: Path) -> None:
    server = server_context(fasttls, folder)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(folder / "ca.pem")
    with https(server) as port, _session(fasttls.create_default_context()) as session:
        session.verify = str(folder / "ca.pem")
        session.cert = (str(folder / "client-chain.pem"), str(folder / "client-key.pem"))
        assert session.get(f"https://localhost:{port}/", timeout=SECONDS).content == PAGE


def test_requests_without_verifying(folder: Path) -> None:
    urllib3 = _requests().packages.urllib3
    with https(server_context(fasttls, folder)) as port:
        context = fasttls.create_default_context()
        context.check_hostname = False
        with _session(context) as session:
            session.verify = False
            with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
                assert session.get(f"https://localhost:{port}/", timeout=SECONDS).content == PAGE


def test_urllib3_makes_its_own_context_of_our_class(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _requests()
    import urllib3.util.ssl_ as urllib3_ssl

    monkeypatch.setattr(urllib3_ssl, "SSLContext", fasttls.SSLContext)
    context = urllib3_ssl.create_urllib3_context()
    context.load_verify_locations(folder / "ca.pem")
    with https(server_context(ssl, folder)) as port, _session(context) as session:
        assert session.get(f"https://localhost:{port}/", timeout=SECONDS).content == PAGE


@each_library
def test_server_lives_on_after_clients_that_go_wrong(folder: Path, library: ModuleType) -> None:
    import socket

    server = server_context(library, folder)
    server.verify_mode = ssl.CERT_OPTIONAL
    with https(server) as port:
        for data in (
            b"",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\xff\xff" + bytes(100),
            b"\x80\x2e\1\3\1" + bytes(60),
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as plain, suppress(OSError):
                plain.sendall(data)
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(1000):
                    pass
        refusing = http.client.HTTPSConnection("localhost", port, context=ssl.create_default_context(), timeout=SECONDS)
        with pytest.raises(ssl.SSLCertVerificationError):
            refusing.request("GET", "/")
        refusing.close()
        context = client_context(ssl, folder)
        with urllib.request.urlopen(f"https://localhost:{port}/", context=context, timeout=SECONDS) as page:
            assert page.read() == PAGE


class _Echo(socketserver.StreamRequestHandler):
    timeout = SECONDS

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


@each_pair
def test_socketserver(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    import socket

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    server.socket = server_context(server_library, folder).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        with (
            socket.create_connection(server.server_address, timeout=SECONDS) as plain,
            client_context(client_library, folder).wrap_socket(plain, server_hostname="localhost") as ours,
            ours.makefile("rwb") as file,
        ):
            for word in (b"one\n", b"two\n"):
                file.write(word)
                file.flush()
                assert file.readline() == word.upper()
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS)


def test_get_server_certificate(folder: Path) -> None:
    with https(server_context(fasttls, folder)) as port:
        for library in (ssl, fasttls):
            pem = library.get_server_certificate(("localhost", port), timeout=SECONDS)
            assert pem.startswith("-----BEGIN CERTIFICATE-----")
            assert pem == library.get_server_certificate(
                ("localhost", port), ca_certs=str(folder / "ca.pem"), timeout=SECONDS
            )
            with pytest.raises(ssl.SSLError):
                library.get_server_certificate(
                    ("localhost", port), ca_certs=str(folder / "client-chain.pem"), timeout=SECONDS
                )


def test_client_certificate_is_seen_by_the_handler(folder: Path) -> None:
    server = server_context(fasttls, folder)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(folder / "ca.pem")
    context = client_context(fasttls, folder)
    context.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem")
    seen: list[bytes | None] = []

    class Handler(_Handler):
        def do_GET(self) -> None:
            seen.append(self.connection.getpeercert(True))  # type: ignore[attr-defined]
            super().do_GET()

    class Server(_Server):
        def finish_request(self, request: Any, client_address: Any) -> None:
            Handler(request, client_address, self)

    with https(server, Server) as port:
        urllib.request.urlopen(f"https://localhost:{port}/", context=context, timeout=SECONDS).close()
    assert seen == [client_credential().der]
