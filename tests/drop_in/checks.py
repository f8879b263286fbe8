"""What holds for every library: bodies arrive, fasttls carried them, wrong certificates are refused."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from drop_in import peers
from drop_in.peers import Talk
from drop_in.way import BODY, HOST, SECONDS, Peer
from drop_in.ways import Way

VERIFICATION = "ssl.SSLCertVerificationError"

Peers = Callable[..., peers.Server]

each_wrong = pytest.mark.parametrize("certificate", ["stranger", "misnamed"])


def check_client(
    way: Way, name: str, peer: Peers, talk: Talk, *, tls_first: bool = True, anonymous: bool = False
) -> None:
    """A program exchanges its bodies with a peer, every handshake being one of fasttls's."""
    server = peer(talk, tls_first=tls_first)
    handshakes, certificates = server.handshakes, server.certificates
    outcome = way.run(name, Peer(server.port))
    outcome.check()
    assert outcome.clients == server.handshakes - handshakes
    assert outcome.clients >= 1
    assert server.certificates - certificates == (0 if anonymous else outcome.clients)


def check_refusal(way: Way, name: str, peer: Peers, talk: Talk, certificate: str, *, tls_first: bool = True) -> None:
    """A program ends with SSLCertVerificationError, and completes no handshake."""
    outcome = way.run(name, Peer(peer(talk, certificate, tls_first=tls_first).port))
    assert VERIFICATION in outcome.errors, outcome.text or "the certificate was not refused"
    assert outcome.clients == 0


def client_of(keys: Path, certificate: str | None = "client", ca: str = "ca") -> ssl.SSLContext:
    """Return a context of the standard library for a server's peer."""
    context = ssl.create_default_context(cafile=str(keys / f"{ca}.pem"))
    if certificate is not None:
        context.load_cert_chain(keys / f"{certificate}-chain.pem", keys / f"{certificate}-key.pem")
    return context


Exchange = Callable[[int, ssl.SSLContext], int]
"""Exchanges bodies with the server at a port, and returns how many connections that took."""


Prepare = Callable[[socket.socket], None]
"""What a client says before the handshake."""


def nothing(plain: socket.socket) -> None:
    """Say nothing."""


def check_server(
    way: Way, name: str, keys: Path, exchange: Exchange, *, alerts: bool = True, prepare: Prepare = nothing
) -> None:
    """A server program refuses who has a wrong certificate or none, lives on, and exchanges bodies with who has one.

    alerts is whether its library sends the alert before it closes the connection, which asyncio and trio do not.
    """
    connections = 0
    with way.serve(name) as (port, outcome):
        with pytest.raises(ssl.SSLCertVerificationError):
            exchange(port, client_of(keys, ca="another-ca"))
        unknown = "TLSV1_ALERT_UNKNOWN_CA" if alerts else None
        required = "TLSV13_ALERT_CERTIFICATE_REQUIRED" if alerts else None
        assert alert_for(port, client_of(keys, "strange-client"), prepare) == unknown
        assert alert_for(port, client_of(keys, None), prepare) == required
        for _ in range(2):
            connections += exchange(port, client_of(keys))
    outcome.check()
    assert outcome.servers == connections


def alert_for(port: int, context: ssl.SSLContext, prepare: Prepare = nothing) -> str | None:
    """Return OpenSSL's name for the alert that a server answers a client with, None when it only closes."""
    with socket.create_connection((HOST, port), timeout=SECONDS) as plain:
        prepare(plain)
        try:
            with context.wrap_socket(plain, server_hostname=HOST, suppress_ragged_eofs=False) as sock:
                # In TLS 1.3 the client's handshake is over before the server has looked at its certificate.
                data = sock.recv(1)
        except ssl.SSLEOFError:
            return None
        except ssl.SSLError as error:
            return error.reason
    raise AssertionError(f"the certificate was not refused: {data!r}")


def exchange_http(port: int, context: ssl.SSLContext) -> int:
    """Send one MiB and get it back, two times over one connection if the server keeps it."""
    connections = 0
    connection = http.client.HTTPSConnection(HOST, port, context=context, timeout=SECONDS)
    try:
        for _ in range(2):
            connections += connection.sock is None
            connection.request("POST", "/echo", body=BODY)
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, BODY)
    finally:
        connection.close()
    return connections


def exchange_echo(port: int, context: ssl.SSLContext, prepare: Prepare = nothing) -> int:
    """Send one MiB and get it back."""
    with socket.create_connection((HOST, port), timeout=SECONDS) as plain:
        prepare(plain)
        with context.wrap_socket(plain, server_hostname=HOST) as sock:
            received = b""
            for start in range(0, len(BODY), 1 << 18):  # both sides would wait if it were sent at once
                piece = BODY[start : start + (1 << 18)]
                sock.sendall(piece)
                while len(received) < start + len(piece):
                    data = sock.recv(1 << 16)
                    assert data
                    received += data
            assert received == BODY
    return 1
