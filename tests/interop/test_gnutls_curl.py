"""Against gnutls-cli and gnutls-serv in both roles, and curl as a client."""

from __future__ import annotations

import subprocess
from pathlib import Path

import certs
import pytest
from interop.ends import TIMEOUT_SECONDS, client, connect, echo, program, serve, server
from interop.tools import gnutls_client, gnutls_server

import fasttls

pytestmark = pytest.mark.interop

GROUPS = {
    "X25519": "X25519",
    "secp256r1": "SECP256R1",
    "secp384r1": "SECP384R1",
    "secp521r1": "SECP521R1",
    "X448": "X448",
}
SUITES13 = {
    "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
    "TLS_AES_128_GCM_SHA256": "AES-128-GCM",
    "TLS_CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305",
    "TLS_AES_128_CCM_SHA256": "AES-128-CCM",
}
CIPHERS12 = {
    "AES128-GCM-SHA256": "AES-128-GCM",
    "AES256-GCM-SHA384": "AES-256-GCM",
    "AES128-CCM": "AES-128-CCM",
    "AES256-CCM8": "AES-256-CCM-8",
}
TLS12 = [
    *(("p256", f"ECDHE-ECDSA-{ours}", "ECDHE-ECDSA", theirs) for ours, theirs in CIPHERS12.items()),
    *(("rsa", f"ECDHE-RSA-{ours}", "ECDHE-RSA", theirs) for ours, theirs in list(CIPHERS12.items())[:2]),
    *(("rsa", f"DHE-RSA-{ours}", "DHE-RSA", theirs) for ours, theirs in CIPHERS12.items()),
    *(("rsa", ours, "RSA", theirs) for ours, theirs in CIPHERS12.items()),
    ("p256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA", "CHACHA20-POLY1305"),
    ("rsa", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA", "CHACHA20-POLY1305"),
    ("rsa", "DHE-RSA-CHACHA20-POLY1305", "DHE-RSA", "CHACHA20-POLY1305"),
]
TLS13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3"
KINDS = ("p256", "p384", "p521", "rsa", "ed25519", "ed448")


def from_client(keys: Path, context: fasttls.SSLContext, *more: str) -> tuple[bytes, fasttls.SSLSocket]:
    """Let gnutls-cli send a line to our server; return what it printed, and our negotiated parameters."""
    with serve(context) as serving, gnutls_client(keys, serving.port, *more) as tool:
        tool.output.wait_for(b"Simple Client Mode")
        tool.type(b"hello from gnutls\n")
        tool.output.wait_for(b"hello from gnutls")
        printed = tool.end()
        return printed, serving.outcome().negotiated  # type: ignore[return-value]


def to_server(keys: Path, context: fasttls.SSLContext, kind: str, *more: str) -> fasttls.SSLSocket:
    """Echo a line over our client and gnutls-serv; return the socket, closed."""
    with gnutls_server(keys, kind, *more) as (port, _), connect(context, port) as wrapped:
        assert echo(wrapped, b"hello to gnutls\n") == b"hello to gnutls\n"
        wrapped.negotiated = wrapped.connection.negotiated
    return wrapped


@pytest.mark.parametrize("suite", SUITES13)
def test_every_suite_of_tls13(suite: str, keys: Path) -> None:
    priority = f"{TLS13}:-CIPHER-ALL:+{SUITES13[suite]}"
    _, negotiated = from_client(keys, server(keys), "--priority", priority)
    assert negotiated.suite_name == suite
    assert to_server(keys, client(keys), "p256", "--priority", priority).negotiated.suite_name == suite


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_of_tls13_and_a_retry(group: str, keys: Path) -> None:
    priority = f"{TLS13}:-GROUP-ALL:+GROUP-{GROUPS[group]}"
    other = "secp256r1" if group == "X25519" else "X25519"
    context = server(keys)
    context.set_groups(group)
    _, negotiated = from_client(keys, context, "--priority", priority)
    assert (negotiated.group_name, negotiated.retried) == (group, False)
    more = f"{TLS13}:-GROUP-ALL:+GROUP-{GROUPS[other]}:+GROUP-{GROUPS[group]}"
    _, negotiated = from_client(keys, context, "--priority", more, "--single-key-share")
    assert (negotiated.group_name, negotiated.retried) == (group, True)
    ours = client(keys)
    ours.set_groups(f"*{other}:{group}")
    found = to_server(keys, ours, "p256", "--priority", priority).negotiated
    assert (found.group_name, found.retried) == (group, True)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_certificate(kind: str, version: str, keys: Path) -> None:
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
    printed, _ = from_client(keys, server(keys, kind), "--priority", priority)
    assert b"The certificate is trusted" in printed
    found = to_server(keys, client(keys), kind, "--priority", priority).negotiated
    assert found.peer_chain[0] == certs.server_credential(kind).der
    assert found.version_name == f"TLSv{version}"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_client_certificates(version: str, keys: Path) -> None:
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
    context = server(keys)
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = fasttls.CERT_REQUIRED
    own = ("--x509certfile", str(keys / "client-chain.pem"), "--x509keyfile", str(keys / "client-key.pem"))
    _, negotiated = from_client(keys, context, "--priority", priority, *own)
    assert negotiated.peer_chain[0] == certs.client_credential().der
    with serve(context) as serving, gnutls_client(keys, serving.port, "--priority", priority) as tool:
        error = serving.outcome().error
        tool.end()
    assert isinstance(error, fasttls.SSLError)
    assert error.alert_sent == (116 if version == "1.3" else 40)

    ours = client(keys)
    ours.load_cert_chain(keys / "client-chain.pem", keys / "client-key.pem")
    asking = ("--priority", priority, "--require-client-cert", "--verify-client-cert")
    assert to_server(keys, ours, "p256", *asking).negotiated.client_certificate_requested
    with (
        gnutls_server(keys, "p256", *asking) as (port, _),
        pytest.raises(OSError),
        connect(client(keys), port) as wrapped,
    ):
        assert echo(wrapped, b"hello") == b"hello"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_alpn(version: str, keys: Path) -> None:
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
    context = server(keys)
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, negotiated = from_client(keys, context, "--priority", priority, "--alpn", "http/1.1", "--alpn", "h2")
    assert negotiated.alpn == b"h2"
    ours = client(keys)
    ours.set_alpn_protocols(["h3", "h2"])
    assert to_server(keys, ours, "p256", "--priority", priority, "--alpn", "h2").negotiated.alpn == b"h2"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_ten_mebibytes(version: str, keys: Path) -> None:
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
    lines = b"".join(b"%01023d\n" % number for number in range(10 * 1024))
    with gnutls_server(keys, "p256", "--priority", priority) as (port, _), connect(client(keys), port) as wrapped:
        # It answers text, and by turns.
        for start in range(0, len(lines), 8192):
            piece = lines[start : start + 8192]
            assert echo(wrapped, piece) == piece
    with serve(server(keys)) as serving, gnutls_client(keys, serving.port, "--priority", priority) as tool:
        tool.output.wait_for(b"Simple Client Mode")
        tool.type(lines)
        tool.output.wait_for(lines[-1024:])
        tool.end()
        assert serving.outcome().echoed == len(lines)
    assert lines in tool.output.all()


def test_key_updates(keys: Path) -> None:
    with gnutls_server(keys, "p256", "--priority", TLS13) as (port, _), connect(client(keys), port) as wrapped:
        for request in (False, True, True):
            wrapped.key_update(request_peer=request)
            assert echo(wrapped, b"after\n") == b"after\n"


@pytest.mark.parametrize(("kind", "cipher", "exchange", "theirs"), TLS12)
def test_every_suite_of_tls12(kind: str, cipher: str, exchange: str, theirs: str, keys: Path) -> None:
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+{exchange}:-CIPHER-ALL:+{theirs}"
    context = server(keys, kind)
    context.set_ciphers(cipher)
    _, negotiated = from_client(keys, context, "--priority", priority)
    assert negotiated.version_name == "TLSv1.2"
    ours = client(keys)
    ours.set_ciphers(cipher)
    found = to_server(keys, ours, kind, "--priority", priority).negotiated
    assert found.suite == negotiated.suite
    assert found.extended_master_secret


@pytest.mark.parametrize("group", ["FFDHE2048", "FFDHE3072", "FFDHE4096"])
def test_named_groups_of_rfc7919(group: str, keys: Path) -> None:
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA:-GROUP-ALL:+GROUP-{group}"
    context = server(keys, "rsa")
    context.set_ciphers("DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384")
    _, negotiated = from_client(keys, context, "--priority", priority)
    assert negotiated.group_name == group.lower()


def test_without_extended_master_secret(keys: Path) -> None:
    """RFC 7627: refused by default with a reason that names it, allowed by OP_LEGACY_SERVER_CONNECT."""
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH"
    with serve(server(keys)) as serving, gnutls_client(keys, serving.port, "--priority", priority) as tool:
        error = serving.outcome().error
        tool.end()
    assert isinstance(error, fasttls.SSLError)
    assert error.reason == "EXTENDED_MASTER_SECRET_MISSING"
    with (
        gnutls_server(keys, "p256", "--priority", priority) as (port, _),
        pytest.raises(fasttls.SSLError) as caught,
        connect(client(keys), port),
    ):
        pass
    assert caught.value.reason == "EXTENDED_MASTER_SECRET_MISSING"
    ours, context = client(keys), server(keys)
    for either in (ours, context):
        either.options |= 0x4  # OP_LEGACY_SERVER_CONNECT
    assert not to_server(keys, ours, "p256", "--priority", priority).negotiated.extended_master_secret
    _, negotiated = from_client(keys, context, "--priority", priority)
    assert negotiated.tls_unique is None


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_old_version_is_named(version: str, keys: Path) -> None:
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}:+SHA1:+SIGN-RSA-SHA1:%VERIFY_ALLOW_SIGN_WITH_SHA1"
    named = "TLSv1" if version == "1.0" else "TLSv1.1"
    with serve(server(keys, "rsa")) as serving, gnutls_client(keys, serving.port, "--priority", priority) as tool:
        error = serving.outcome().error
        tool.end()
    assert isinstance(error, fasttls.SSLError)
    assert f"the client speaks {named}, we speak TLSv1.2 to TLSv1.3" in str(error)


@pytest.mark.parametrize("flags", [("--tlsv1.3",), ("--tlsv1.2", "--tls-max", "1.2"), ("--http1.1",)])
def test_curl(flags: tuple[str, ...], keys: Path) -> None:
    """Fetch a page with curl from the standard library's HTTP server over our context."""
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = b"x" * 100_000
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    context = server(keys)
    context.set_alpn_protocols(["http/1.1"])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        served.socket = context.wrap_socket(served.socket, server_side=True)
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        port = served.server_address[1]
        command = [
            program("curl"),
            "-sS",
            "--noproxy",
            "*",
            "--cacert",
            str(keys / "ca.pem"),
            "--max-time",
            "20",
            *flags,
        ]
        good = subprocess.run(
            [*command, f"https://localhost:{port}/", f"https://localhost:{port}/again"],
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        other = subprocess.run(
            [*command, "--resolve", f"other.example:{port}:127.0.0.1", f"https://other.example:{port}/"],
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        served.shutdown()
        thread.join(TIMEOUT_SECONDS)
    assert good.returncode == 0, good.stderr
    assert good.stdout == b"x" * 200_000
    assert other.returncode == 60, other.stderr
