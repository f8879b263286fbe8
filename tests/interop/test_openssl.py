"""Against openssl's s_client and s_server."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import time
from dataclasses import replace
from pathlib import Path

import certs
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from interop.ends import TIMEOUT_SECONDS, client, connect, serve, server
from interop.tools import openssl_client, openssl_server, program, running

import fasttls
from fasttls.connection import Connection

pytestmark = pytest.mark.interop

SUITES13 = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
)
GROUPS = {"X25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "X448": "X448"}
CIPHERS = ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-CCM", "AES256-CCM", "AES128-CCM8", "AES256-CCM8")
TLS12 = [
    *(("p256", f"ECDHE-ECDSA-{cipher}") for cipher in (*CIPHERS, "CHACHA20-POLY1305")),
    *(("rsa", f"ECDHE-RSA-{cipher}") for cipher in (*CIPHERS[:2], "CHACHA20-POLY1305")),
    *(("rsa", f"DHE-RSA-{cipher}") for cipher in (*CIPHERS, "CHACHA20-POLY1305")),
    *(("rsa", cipher) for cipher in CIPHERS),
]


def reversed_line(wrapped: fasttls.SSLSocket) -> None:
    """Send a line to `s_server -rev`, and expect it turned around."""
    wrapped.sendall(b"fasttls\n")
    assert wrapped.recv(100) == b"slttsaf\n"


def from_client(keys: Path, context: fasttls.SSLContext, *more: str) -> tuple[bytes, Connection]:
    """Let s_client send a line to our server, and return what it printed and our connection."""
    with serve(context) as serving, openssl_client(keys, serving.port, *more) as tool:
        tool.output.wait_for(b"---\n")
        tool.type(b"hello from openssl\n")
        tool.output.wait_for(b"hello from openssl")
        printed = tool.end()
        outcome = serving.outcome()
        assert outcome.negotiated
        assert outcome.connection is not None
    return printed, outcome.connection


@pytest.mark.parametrize("suite", SUITES13)
def test_every_suite_of_tls13(suite: str, keys: Path) -> None:
    context = server(keys)
    context.set_ciphersuites(suite)
    printed, _ = from_client(keys, context, "-ciphersuites", suite, "-tls1_3")
    assert f"Cipher is {suite}".encode() in printed
    context = client(keys)
    context.set_ciphersuites(suite)
    with openssl_server(keys, "p256", "-rev", "-ciphersuites", suite) as (port, _), connect(context, port) as wrapped:
        reversed_line(wrapped)
        assert wrapped.cipher()[0] == suite


@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize("group", GROUPS)
def test_every_group_of_tls13(group: str, retry: bool, keys: Path) -> None:
    """With retry, the client's share is of a group that the server does not have."""
    other = "X448" if group == "X25519" else "X25519"
    context = server(keys)
    context.set_groups(group)
    theirs = f"{GROUPS[other]}:{GROUPS[group]}" if retry else GROUPS[group]
    _, connection = from_client(keys, context, "-groups", theirs, "-tls1_3")
    assert connection.negotiated is not None
    assert (connection.negotiated.group_name, connection.negotiated.retried) == (group, retry)
    context = client(keys)
    context.set_groups(f"*{other}:{group}" if retry else group)
    more = ("-rev", "-groups", GROUPS[group], "-tls1_3")
    with openssl_server(keys, "p256", *more) as (port, _), connect(context, port) as wrapped:
        reversed_line(wrapped)
        assert (wrapped.group(), wrapped.hello_retried()) == (group, retry)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("kind", certs.KEY_TYPES)
def test_every_certificate_of_both(kind: str, version: str, keys: Path) -> None:
    """A server's and a client's certificate of one kind, both ways."""
    context = server(keys, kind)
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = fasttls.CERT_REQUIRED
    own = ("-cert", str(keys / f"client-{kind}-chain.pem"), "-key", str(keys / f"client-{kind}-key.pem"))
    printed, connection = from_client(keys, context, *own, version)
    assert b"Verification: OK" in printed
    assert connection.negotiated is not None
    assert connection.negotiated.peer_chain[0] == certs.client_credential(kind).der
    context = client(keys)
    context.load_cert_chain(keys / f"client-{kind}-chain.pem", keys / f"client-{kind}-key.pem")
    more = ("-rev", "-Verify", "1", "-verify_return_error", version)
    with openssl_server(keys, kind, *more) as (port, _), connect(context, port) as wrapped:
        reversed_line(wrapped)
        assert wrapped.getpeercert(True) == certs.server_credential(kind).der


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_required_client_certificate_that_is_missing(version: str, keys: Path) -> None:
    context = server(keys)
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = fasttls.CERT_REQUIRED
    with serve(context) as serving, openssl_client(keys, serving.port, version) as tool:
        printed = tool.output.wait_for(b"alert")
        error = serving.outcome().error
    assert isinstance(error, fasttls.SSLError)
    assert (b"alert number 116" if version == "-tls1_3" else b"alert number 40") in printed
    more = ("-Verify", "1", "-verify_return_error", version)
    with (
        openssl_server(keys, "p256", *more) as (port, _),
        pytest.raises(fasttls.SSLError) as caught,
        connect(client(keys), port) as wrapped,
    ):
        wrapped.recv(1)
    assert caught.value.alert_received in (40, 116)


def test_alpn(keys: Path) -> None:
    context = server(keys)
    context.set_alpn_protocols(["h2", "http/1.1"])
    printed, _ = from_client(keys, context, "-alpn", "http/1.1,h2")
    assert b"ALPN protocol: h2" in printed
    context = client(keys)
    context.set_alpn_protocols(["h3", "http/1.1"])
    more = ("-rev", "-alpn", "h2,http/1.1")
    with openssl_server(keys, "p256", *more) as (port, _), connect(context, port) as wrapped:
        assert wrapped.selected_alpn_protocol() == "http/1.1"
    context.set_alpn_protocols(["h3"])
    with (
        openssl_server(keys, "p256", *more) as (port, _),
        pytest.raises(fasttls.SSLError) as caught,
        connect(context, port),
    ):
        pass
    assert caught.value.alert_received == 120


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_exporters_agree(version: str, keys: Path) -> None:
    more = ("-keymatexport", "EXPORTER-fasttls", "-keymatexportlen", "40", version)
    printed, connection = from_client(keys, server(keys), *more)
    found = re.search(rb"Keying material: ([0-9A-F]+)", printed)
    assert found is not None
    assert connection.export_keying_material(b"EXPORTER-fasttls", 40) == bytes.fromhex(found[1].decode())


def test_key_updates_of_openssl(keys: Path) -> None:
    """K asks for an answer, k does not (RFC 8446 §4.6.3)."""
    with serve(server(keys)) as serving, openssl_client(keys, serving.port, "-tls1_3") as tool:
        tool.output.wait_for(b"---\n")
        for number, key in enumerate((b"k", b"K", b"K")):
            tool.type(key + b"\n")
            tool.output.wait_for(b"KEYUPDATE", number + 1)
            tool.type(b"line %d\n" % number)
            tool.output.wait_for(b"\nline %d" % number)
        tool.end()
        assert serving.outcome().error is None
    with openssl_server(keys, "p256", "-tls1_3") as (port, tool), connect(client(keys), port) as wrapped:
        for key in (b"k", b"K"):
            tool.type(key + b"\n")
            time.sleep(0.3)  # s_server says nothing about it, and reads a command with what is behind it
            tool.type(b"from the server\n")
            assert wrapped.recv(100) == b"from the server\n"
        wrapped.sendall(b"from the client\n")
        tool.output.wait_for(b"from the client")


def test_key_updates_of_ours(keys: Path) -> None:
    with openssl_server(keys, "p256", "-tls1_3", "-rev") as (port, _), connect(client(keys), port) as wrapped:
        for request in (False, True, True):
            wrapped.key_update(request_peer=request)
            reversed_line(wrapped)


def test_renegotiation_is_refused(keys: Path) -> None:
    """RFC 5746, RFC 5246 §7.2.2: R asks for it, in either role; the connection goes on, or openssl gives up."""
    with serve(server(keys)) as serving, openssl_client(keys, serving.port, "-tls1_2", "-legacy_renegotiation") as tool:
        tool.output.wait_for(b"---\n")
        tool.type(b"R\n")
        tool.output.wait_for(b"no renegotiation")
        tool.end()
        # The warning did not end the connection on our side; openssl's client does not go on without.
        error = serving.outcome().error
        assert error is None or getattr(error, "alert_received", None) == 40
    with openssl_server(keys, "p256", "-tls1_2") as (port, tool), connect(client(keys), port) as wrapped:
        tool.type(b"r\n")
        tool.type(b"after the request\n")
        # We go on; whether s_server does depends on when it hears of the refusal.
        with contextlib.suppress(fasttls.SSLError):
            assert wrapped.recv(100) == b"after the request\n"
        assert wrapped.connection.error is None or wrapped.connection.error.alert_received == 40


@pytest.mark.parametrize(("kind", "cipher"), TLS12)
def test_every_suite_of_tls12(kind: str, cipher: str, keys: Path) -> None:
    context = server(keys, kind)
    context.set_ciphers(cipher)
    printed, _ = from_client(keys, context, "-cipher", f"{cipher}:@SECLEVEL=0", "-tls1_2")
    assert f"Cipher is {cipher}".encode() in printed
    context = client(keys)
    context.set_ciphers(cipher)
    more = ("-rev", "-cipher", f"{cipher}:@SECLEVEL=0", "-tls1_2")
    with openssl_server(keys, kind, *more) as (port, _), connect(context, port) as wrapped:
        reversed_line(wrapped)
        assert wrapped.cipher()[0] == cipher


@pytest.mark.parametrize("group", GROUPS)
def test_every_curve_of_tls12(group: str, keys: Path) -> None:
    context = server(keys, "rsa")
    context.set_groups(group)
    _, connection = from_client(keys, context, "-tls1_2", "-groups", GROUPS[group])
    assert connection.negotiated is not None
    assert connection.negotiated.group_name == group
    context = client(keys)
    context.set_groups(group)
    with openssl_server(keys, "rsa", "-rev", "-tls1_2") as (port, _), connect(context, port) as wrapped:
        reversed_line(wrapped)
        assert wrapped.group() == group


@pytest.mark.parametrize("size", [1024, 2048])
def test_a_diffie_hellman_group_that_is_too_small_or_unknown(size: int, keys: Path, tmp_path: Path) -> None:
    """RFC 7919 §5.2: below 2048 bits it is refused, and so is a prime that nobody has vouched for."""
    with running([program("openssl"), "prime", "-generate", "-bits", str(size)]) as tool:
        prime = int(tool.end())
    path = tmp_path / "dh.pem"
    # PKCS #3 by hand: SEQUENCE { INTEGER prime, INTEGER 2 }; who makes up a group need not make a good one.
    digits = prime.to_bytes(size // 8 + 1, "big")
    body = b"\x02\x82" + len(digits).to_bytes(2, "big") + digits + b"\x02\x01\x02"
    der = base64.encodebytes(b"\x30\x82" + len(body).to_bytes(2, "big") + body).decode()
    path.write_text(f"-----BEGIN DH PARAMETERS-----\n{der}-----END DH PARAMETERS-----\n")
    context = client(keys)
    context.set_ciphers("DHE-RSA-AES128-GCM-SHA256")
    more = ("-dhparam", str(path), "-cipher", "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", "-tls1_2")
    with (
        openssl_server(keys, "rsa", *more) as (port, _),
        pytest.raises(fasttls.SSLError) as caught,
        connect(context, port),
    ):
        pass
    assert caught.value.reason == ("DH_KEY_TOO_SMALL" if size < 2048 else "BAD_DH_VALUE")
    assert caught.value.alert_sent == (40 if size < 2048 else 47)


def test_a_stapled_response_that_was_asked_for(keys: Path, tmp_path: Path) -> None:
    """RFC 6066 §8: CertificateStatus in TLS 1.2; it is handed on."""
    root, leaf = certs.test_root(), certs.server_credential()
    response = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            leaf.certificate,
            root.certificate,
            hashes.SHA1(),
            ocsp.OCSPCertStatus.GOOD,
            certs.NOW,
            certs.NOW + certs.DAY,
            None,
            None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, root.certificate)
        .sign(root.key, hashes.SHA256())  # type: ignore[arg-type]
        .public_bytes(serialization.Encoding.DER)
    )
    (tmp_path / "response.der").write_bytes(response)
    for version in ("-tls1_2", "-tls1_3"):
        more = ("-rev", "-status_file", str(tmp_path / "response.der"), version)
        with openssl_server(keys, "p256", *more) as (port, _):
            config = replace(client(keys)._config(), request_ocsp=True)
            connection = Connection(config, server_side=False, server_name="localhost")
            with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain:
                connection.start()
                while not connection.connected:
                    plain.sendall(connection.take_output())
                    connection.receive(plain.recv(65536))
        assert connection.negotiated is not None
        assert connection.negotiated.ocsp_response == response, version
