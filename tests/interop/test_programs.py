"""Against Go's crypto/tls, Node's tls and Java's JSSE, each in both roles."""

from __future__ import annotations

from pathlib import Path

import certs
import pytest
from interop.ends import client, connect, echo, serve, server
from interop.programs_runner import run_client, run_server

import fasttls

pytestmark = pytest.mark.interop

PEERS = ("go", "node", "java")
MEGABYTES = 10 << 20
SUITES13 = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
GROUPS = {
    "go": ("X25519MLKEM768", "X25519", "secp256r1", "secp384r1", "secp521r1"),
    "node": ("X25519", "secp256r1", "secp384r1", "secp521r1", "X448"),
    "java": ("X25519", "secp256r1", "secp384r1", "secp521r1", "X448"),
}
# Java 17 has no Ed448 keys for TLS in this form, and Go no Ed448 at all.
KEYS = {
    "go": ("p256", "p384", "p521", "rsa", "ed25519"),
    "node": ("p256", "p384", "p521", "rsa", "ed25519", "ed448"),
    "java": ("p256", "p384", "p521", "rsa", "ed25519"),
}
VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
every_peer = pytest.mark.parametrize("name", PEERS)


def with_key(keys: Path, kind: str, **more: object) -> dict[str, object]:
    """Return the options of a peer with a certificate."""
    return {"ca": keys / "ca.pem", "chain": keys / f"{kind}-chain.pem", "key": keys / f"{kind}-key.pem", **more}


@VERSIONS
@every_peer
def test_ten_mebibytes_to_our_server(name: str, version: str, keys: Path) -> None:
    with serve(server(keys, version=version)) as serving:
        report = run_client(name, serving.port, ca=keys / "ca.pem", size=MEGABYTES)
        outcome = serving.outcome()
    assert "error" not in report
    assert report["echoed"] == outcome.echoed == MEGABYTES
    assert report["suite"] == outcome.negotiated.suite_name
    assert report["version"].replace(" ", "v") == outcome.negotiated.version_name
    assert "localhost" in report["peer"]


@VERSIONS
@every_peer
def test_ten_mebibytes_from_our_client(name: str, version: str, keys: Path) -> None:
    with run_server(name, **with_key(keys, "p256")) as peer, connect(client(keys, version), peer.port) as wrapped:
        data = bytes(range(256)) * (MEGABYTES // 256)
        assert echo(wrapped, data) == data
        negotiated = wrapped.connection.negotiated
    assert negotiated is not None
    assert "error" not in peer.report
    assert peer.report["echoed"] == MEGABYTES
    assert peer.report["suite"] == negotiated.suite_name


@pytest.mark.parametrize("suite", SUITES13)
@every_peer
def test_every_suite_of_tls13(name: str, suite: str, keys: Path) -> None:
    ours = server(keys)
    ours.set_ciphersuites(suite)
    with serve(ours) as serving:
        assert run_client(name, serving.port, ca=keys / "ca.pem")["suite"] == suite
    context = client(keys)
    context.set_ciphersuites(suite)
    with run_server(name, **with_key(keys, "p256")) as peer, connect(context, peer.port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.cipher()[0] == suite
    assert peer.report["suite"] == suite


@VERSIONS
@pytest.mark.parametrize(("name", "group"), [(name, group) for name in PEERS for group in GROUPS[name]])
def test_every_group(name: str, group: str, version: str, keys: Path) -> None:
    """Our server has the group alone, and asks for it again where the peer sent a share of another."""
    if version == "1.2" and group == "X25519MLKEM768":
        return
    ours = server(keys, "rsa", version)
    ours.set_groups(group)
    # Java turns what it has not named off; the others have every group on.
    named = group.lower() if name == "java" else None
    offered = {"groups": f"secp256r1,{named}" if named != "secp256r1" else named} if named else {}
    with serve(ours) as serving:
        report = run_client(name, serving.port, ca=keys / "ca.pem", **node_groups(name, group), **offered)
        negotiated = serving.outcome().negotiated
    assert "error" not in report
    assert negotiated.group_name == group
    context = client(keys, version)
    context.set_groups(group)
    more = {**node_groups(name, group), **({"groups": named} if named else {})}
    with run_server(name, **with_key(keys, "rsa", **more)) as peer, connect(context, peer.port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.group() == group


def node_groups(name: str, group: str) -> dict[str, str]:
    """Return the option that lets Node speak a group; it has few by itself."""
    openssl = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
    named = openssl.get(group, group)
    return {"groups": named if named == "X25519" else f"X25519,{named}"} if name == "node" else {}


@pytest.mark.parametrize("name", ["go", "node"])
def test_a_retried_hello_from_our_client(name: str, keys: Path) -> None:
    context = client(keys)
    context.set_groups("*X448:secp384r1")
    more = {"groups": "secp384r1" if name == "go" else "P-384"}
    with run_server(name, **with_key(keys, "p256", **more)) as peer, connect(context, peer.port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert (wrapped.group(), wrapped.hello_retried()) == ("secp384r1", True)


@VERSIONS
@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in PEERS for kind in KEYS[name]])
def test_every_certificate(name: str, kind: str, version: str, keys: Path) -> None:
    with serve(server(keys, kind, version)) as serving:
        report = run_client(name, serving.port, ca=keys / "ca.pem")
        assert serving.outcome().error is None
    assert "error" not in report
    with run_server(name, **with_key(keys, kind)) as peer, connect(client(keys, version), peer.port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.getpeercert(True) == certs.server_credential(kind).der


@VERSIONS
@every_peer
def test_their_client_certificate(name: str, version: str, keys: Path) -> None:
    context = server(keys, version=version)
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = fasttls.CERT_REQUIRED
    with serve(context) as serving:
        report = run_client(name, serving.port, **with_key(keys, "client"))
        negotiated = serving.outcome().negotiated
    assert "error" not in report
    assert negotiated.peer_chain[0] == certs.client_credential().der


@VERSIONS
@every_peer
def test_a_client_certificate_that_they_do_not_have(name: str, version: str, keys: Path) -> None:
    context = server(keys, version=version)
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = fasttls.CERT_REQUIRED
    with serve(context) as serving:
        assert "error" in run_client(name, serving.port, ca=keys / "ca.pem")
        error = serving.outcome().error
    assert isinstance(error, fasttls.SSLError)
    assert error.alert_sent == (116 if version == "1.3" else 40)


@VERSIONS
@every_peer
def test_our_client_certificate(name: str, version: str, keys: Path) -> None:
    context = client(keys, version)
    context.load_cert_chain(keys / "client-chain.pem", keys / "client-key.pem")
    with (
        run_server(name, **with_key(keys, "p256", auth="require")) as peer,
        connect(context, peer.port) as wrapped,
    ):
        assert echo(wrapped, b"hello") == b"hello"
    assert "client" in peer.report["peer"]


@VERSIONS
@every_peer
def test_a_client_certificate_that_we_do_not_have(name: str, version: str, keys: Path) -> None:
    with (
        run_server(name, **with_key(keys, "p256", auth="require")) as peer,
        pytest.raises(OSError),
        connect(client(keys, version), peer.port) as wrapped,
    ):
        echo(wrapped, b"hello")
    assert "error" in peer.report


@VERSIONS
@every_peer
def test_alpn(name: str, version: str, keys: Path) -> None:
    ours = server(keys, version=version)
    ours.set_alpn_protocols(["h2", "http/1.1"])
    with serve(ours) as serving:
        assert run_client(name, serving.port, ca=keys / "ca.pem", alpn="http/1.1,h2")["alpn"] == "h2"
    context = client(keys, version)
    context.set_alpn_protocols(["http/1.1", "h2"])
    with (
        run_server(name, **with_key(keys, "p256", alpn="h2,http/1.1")) as peer,
        connect(context, peer.port) as wrapped,
    ):
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.selected_alpn_protocol() == peer.report.get("alpn", "h2")
    assert peer.report["alpn"] == "h2"


@VERSIONS
@pytest.mark.parametrize("name", ["go", "node"])
def test_exporters_agree(name: str, version: str, keys: Path) -> None:
    """RFC 8446 §7.5, RFC 5705; JSSE of Java 17 has none."""
    exported: list[str] = []

    def export(wrapped: fasttls.SSLSocket) -> None:
        exported.append(wrapped.export_keying_material("EXPORTER-test", 32, b"context").hex())

    with serve(server(keys, version=version), export) as serving:
        report = run_client(name, serving.port, ca=keys / "ca.pem")
    assert report["exported"] == exported[0]
    with run_server(name, **with_key(keys, "p256")) as peer, connect(client(keys, version), peer.port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        export(wrapped)
    assert peer.report["exported"] == exported[1]


@every_peer
def test_key_updates(name: str, keys: Path) -> None:
    """RFC 8446 §4.6.3: sent by us, and answered by the peer."""

    def update(wrapped: fasttls.SSLSocket) -> None:
        wrapped.key_update(request_peer=True)

    with serve(server(keys, version="1.3"), update) as serving:
        assert "error" not in run_client(name, serving.port, ca=keys / "ca.pem", size=100_000)
        assert serving.outcome().error is None
    with run_server(name, **with_key(keys, "p256")) as peer, connect(client(keys, "1.3"), peer.port) as wrapped:
        for request in (False, True, True):
            wrapped.key_update(request_peer=request)
            assert echo(wrapped, b"x" * 40_000) == b"x" * 40_000
    assert "error" not in peer.report


@VERSIONS
@every_peer
def test_neither_trusts_a_stranger(name: str, version: str, keys: Path, tmp_path: Path) -> None:
    certs.Authority("Stranger").issue("localhost").write(tmp_path, "p256")
    with serve(server(tmp_path, version=version)) as serving:
        assert "error" in run_client(name, serving.port, ca=keys / "ca.pem")
        error = serving.outcome().error
    if name != "node":  # Node judges the certificate when the handshake is over
        assert isinstance(error, OSError)
    stranger = {"chain": tmp_path / "p256-chain.pem", "key": tmp_path / "p256-key.pem", "ca": keys / "ca.pem"}
    with (
        run_server(name, **stranger) as peer,
        pytest.raises(fasttls.SSLCertVerificationError) as caught,
        connect(client(keys, version), peer.port),
    ):
        pass
    assert caught.value.alert_sent == 48
    assert "error" in peer.report


GCM = ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384")
CHACHA = "CHACHA20_POLY1305_SHA256"
TLS12 = {
    "go": [
        *(("p256", f"TLS_ECDHE_ECDSA_WITH_{cipher}") for cipher in (*GCM, CHACHA)),
        *(("rsa", f"TLS_ECDHE_RSA_WITH_{cipher}") for cipher in (*GCM, CHACHA)),
        *(("rsa", f"TLS_RSA_WITH_{cipher}") for cipher in GCM),
    ],
    "node": [
        *(("p256", f"TLS_ECDHE_ECDSA_WITH_{cipher}") for cipher in (*GCM, CHACHA, "AES_128_CCM", "AES_256_CCM_8")),
        *(("rsa", f"TLS_ECDHE_RSA_WITH_{cipher}") for cipher in (*GCM, CHACHA)),
        *(("rsa", f"TLS_DHE_RSA_WITH_{cipher}") for cipher in (*GCM, CHACHA, "AES_128_CCM", "AES_256_CCM_8")),
        *(("rsa", f"TLS_RSA_WITH_{cipher}") for cipher in (*GCM, "AES_128_CCM", "AES_256_CCM_8")),
    ],
    "java": [
        *(("p256", f"TLS_ECDHE_ECDSA_WITH_{cipher}") for cipher in (*GCM, CHACHA)),
        *(("rsa", f"TLS_ECDHE_RSA_WITH_{cipher}") for cipher in (*GCM, CHACHA)),
        *(("rsa", f"TLS_DHE_RSA_WITH_{cipher}") for cipher in (*GCM, CHACHA)),
        *(("rsa", f"TLS_RSA_WITH_{cipher}") for cipher in GCM),
    ],
}


def openssl_name(suite: str) -> str:
    """Return OpenSSL's name of a suite."""
    from fasttls.crypto.suites12 import SUITES12

    return next(found.openssl_name for found in SUITES12.values() if found.name == suite)


@pytest.mark.parametrize(("name", "kind", "suite"), [(name, *case) for name in PEERS for case in TLS12[name]])
def test_every_suite_of_tls12(name: str, kind: str, suite: str, keys: Path) -> None:
    ours = server(keys, kind, "1.2")
    ours.set_ciphers(openssl_name(suite))
    theirs = {"suites": openssl_name(suite) if name == "node" else suite}
    with serve(ours) as serving:
        report = run_client(name, serving.port, ca=keys / "ca.pem", **theirs)
    assert report.get("suite") == suite, report
    context = client(keys, "1.2")
    context.set_ciphers(openssl_name(suite))
    more = {**theirs, **({"dhparam": 1} if name == "node" else {})}
    with run_server(name, **with_key(keys, kind, **more)) as peer, connect(context, peer.port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.cipher()[0] == openssl_name(suite)
    assert peer.report["suite"] == suite


@pytest.mark.parametrize("name", ["go", "java"])
def test_a_peer_of_tls11_is_named(name: str, keys: Path) -> None:
    old = {"min": "1.1", "max": "1.1"} if name == "go" else {"protocols": "TLSv1.1"}
    with serve(server(keys)) as serving:
        assert "error" in run_client(name, serving.port, ca=keys / "ca.pem", **old)
        error = serving.outcome().error
    assert isinstance(error, fasttls.SSLError)
    assert error.alert_sent == 70
    assert "the client speaks TLSv1.1, we speak TLSv1.2 to TLSv1.3" in str(error)
    with (
        run_server(name, **with_key(keys, "rsa", **old)) as peer,
        pytest.raises(fasttls.SSLError) as caught,
        connect(client(keys), peer.port),
    ):
        pass
    assert caught.value.alert_received == 70 or "the server speaks TLSv1.1" in str(caught.value)
    assert "error" in peer.report
