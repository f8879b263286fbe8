"""Against Python's other TLS libraries, in both roles where they have both."""

from __future__ import annotations

import random
from pathlib import Path

import certs
import pytest
from interop.ends import client, connect, echo, serve, server
from interop.libraries import CLIENTS, EPHEMERAL, GROUPS, KEYS, SERVERS, SUITES13, library, talk
from interop.libraries import client_context as peer_client
from interop.libraries import serve as peer_serve
from interop.libraries import server_context as peer_server

import fasttls

pytestmark = pytest.mark.interop

MEGABYTES = random.Random(1).randbytes(10 << 20)
VERSIONS = pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
each_server = pytest.mark.parametrize("name", SERVERS)
each_client = pytest.mark.parametrize("name", CLIENTS)


def ours(folder: Path, *, as_server: bool = False, credential: str = "server", version: str | None = None):
    """Return a context of fasttls."""
    number = None if version is None else version.removeprefix("TLSv").replace("_", ".")
    return server(folder, credential, number) if as_server else client(folder, number)


@VERSIONS
@each_server
def test_our_client_echoes_ten_mebibytes(name: str, version: str, keys: Path) -> None:
    context = ours(keys, version=version)
    with peer_serve(peer_server(name, keys)) as (port, seen), connect(context, port) as wrapped:
        assert echo(wrapped, MEGABYTES) == MEGABYTES
        mine = wrapped.cipher(), wrapped.version()
    assert seen.error is None
    assert (seen.cipher, seen.version) == mine


@VERSIONS
@each_client
def test_our_server_echoes_ten_mebibytes(name: str, version: str, keys: Path) -> None:
    with serve(ours(keys, as_server=True, version=version)) as serving:
        seen = talk(peer_client(name, keys), serving.port, MEGABYTES)
        negotiated = serving.outcome().negotiated
    assert seen.version == negotiated.version_name
    assert seen.cipher is not None
    assert serving.outcome().echoed == len(MEGABYTES)


@pytest.mark.parametrize("suite", SUITES13)
@each_client
def test_every_suite_of_tls13_as_server(name: str, suite: str, keys: Path) -> None:
    context = ours(keys, as_server=True)
    context.set_ciphersuites(suite)
    with serve(context) as serving:
        seen = talk(peer_client(name, keys, version="TLSv1_3"), serving.port)
    assert seen.cipher is not None
    assert suite.replace("_WITH", "") in (seen.cipher[0], seen.cipher[0].replace("TLS13_", "TLS_"))
    assert serving.outcome().negotiated.suite_name == suite


@pytest.mark.parametrize("suite", SUITES13)
@each_server
def test_every_suite_of_tls13_as_client(name: str, suite: str, keys: Path) -> None:
    context = ours(keys)
    context.set_ciphersuites(suite)
    with peer_serve(peer_server(name, keys)) as (port, _), connect(context, port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.cipher()[0] == suite


@pytest.mark.parametrize(("name", "group"), [(n, g) for n in CLIENTS for g in GROUPS[n]])
def test_every_group_as_server(name: str, group: str, keys: Path) -> None:
    """Most need a HelloRetryRequest: the peer sends a share of its first choice."""
    context = ours(keys, as_server=True)
    context.set_groups(group)
    with serve(context) as serving:
        talk(peer_client(name, keys), serving.port)
    assert serving.outcome().negotiated.group_name == group


@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize(("name", "group"), [(n, g) for n in SERVERS for g in GROUPS[n]])
def test_every_group_as_client(name: str, group: str, retry: bool, keys: Path) -> None:
    """With retry, the share that is sent is of a group that the server does not have, and it asks for another."""
    context = ours(keys)
    unknown = "X448" if name == "rtls" else "X25519MLKEM768"
    if retry and group == unknown:
        return
    context.set_groups(f"*{unknown}:{group}" if retry else group)
    with peer_serve(peer_server(name, keys)) as (port, seen), connect(context, port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert (wrapped.group(), wrapped.hello_retried()) == (group, retry)
    assert seen.error is None


@VERSIONS
@pytest.mark.parametrize(("name", "key"), [(n, k) for n in CLIENTS for k in KEYS[n]])
def test_every_certificate_as_server(name: str, key: str, version: str, keys: Path) -> None:
    with serve(ours(keys, as_server=True, credential=key, version=version)) as serving:
        seen = talk(peer_client(name, keys), serving.port)
    assert seen.certificate == certs.server_credential(key).der
    assert serving.outcome().error is None


@VERSIONS
@pytest.mark.parametrize(("name", "key"), [(n, k) for n in SERVERS for k in KEYS[n]])
def test_every_certificate_as_client(name: str, key: str, version: str, keys: Path) -> None:
    context = ours(keys, version=version)
    with peer_serve(peer_server(name, keys, credential=key)) as (port, _), connect(context, port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.getpeercert(True) == certs.server_credential(key).der


# The server of rtls takes verify_mode and asks for no certificate.
ASKING = pytest.mark.parametrize("name", ["ssl"])


@VERSIONS
@ASKING
def test_our_client_certificate(name: str, version: str, keys: Path) -> None:
    theirs = peer_server(name, keys)
    theirs.load_verify_locations(str(keys / "ca.pem"))
    theirs.verify_mode = library(name).CERT_REQUIRED
    context = ours(keys, version=version)
    context.load_cert_chain(keys / "client-chain.pem", keys / "client-key.pem")
    with peer_serve(theirs) as (port, seen), connect(context, port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
    assert seen.certificate == certs.client_credential().der


@VERSIONS
@ASKING
def test_a_client_certificate_that_we_do_not_have(name: str, version: str, keys: Path) -> None:
    theirs = peer_server(name, keys)
    theirs.load_verify_locations(str(keys / "ca.pem"))
    theirs.verify_mode = library(name).CERT_REQUIRED
    with (
        peer_serve(theirs) as (port, seen),
        pytest.raises(fasttls.SSLError) as caught,
        connect(ours(keys, version=version), port) as wrapped,
    ):
        echo(wrapped, b"hello")
    assert caught.value.alert_received in (40, 116)  # handshake_failure or certificate_required
    assert seen.error is not None


@VERSIONS
@pytest.mark.parametrize("mode", [fasttls.CERT_OPTIONAL, fasttls.CERT_REQUIRED])
@each_client
def test_their_client_certificate(name: str, mode: int, version: str, keys: Path) -> None:
    context = ours(keys, as_server=True, version=version)
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = mode
    with serve(context) as serving:
        talk(peer_client(name, keys, certificate=True), serving.port)
    assert serving.outcome().negotiated.peer_chain[0] == certs.client_credential().der


@VERSIONS
@each_client
def test_a_client_certificate_that_they_do_not_have(name: str, version: str, keys: Path) -> None:
    context = ours(keys, as_server=True, version=version)
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = fasttls.CERT_REQUIRED
    with serve(context) as serving:
        with pytest.raises((OSError, AssertionError)):
            talk(peer_client(name, keys), serving.port)
        error = serving.outcome().error
    assert isinstance(error, fasttls.SSLError)
    assert error.alert_sent == (116 if version == "TLSv1_3" else 40)
    context.verify_mode = fasttls.CERT_OPTIONAL
    with serve(context) as serving:
        talk(peer_client(name, keys), serving.port)
    assert serving.outcome().negotiated.peer_chain == ()


@VERSIONS
@each_client
def test_alpn_as_server(name: str, version: str, keys: Path) -> None:
    context, theirs = ours(keys, as_server=True, version=version), peer_client(name, keys)
    context.set_alpn_protocols(["h2", "http/1.1"])
    theirs.set_alpn_protocols(["http/1.1", "h2"])
    with serve(context) as serving:
        assert talk(theirs, serving.port).alpn == "h2"


@VERSIONS
@each_server
def test_alpn_as_client(name: str, version: str, keys: Path) -> None:
    context, theirs = ours(keys, version=version), peer_server(name, keys)
    context.set_alpn_protocols(["http/1.1", "h2"])
    theirs.set_alpn_protocols(["h2", "http/1.1"])
    with peer_serve(theirs) as (port, seen), connect(context, port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.selected_alpn_protocol() == "h2"
    assert seen.alpn == "h2"


@each_server
def test_key_updates_as_client(name: str, keys: Path) -> None:
    with peer_serve(peer_server(name, keys)) as (port, seen), connect(ours(keys), port) as wrapped:
        for request in (False, True, True, False):
            wrapped.key_update(request_peer=request)
            assert echo(wrapped, b"x" * 5000) == b"x" * 5000
    assert seen.error is None


@each_client
def test_key_updates_as_server(name: str, keys: Path) -> None:
    def update(wrapped: fasttls.SSLSocket) -> None:
        if wrapped.version() == "TLSv1.3":
            wrapped.key_update(request_peer=True)

    with serve(ours(keys, as_server=True), update) as serving:
        talk(peer_client(name, keys), serving.port, b"x" * 100_000)
    assert serving.outcome().error is None


@VERSIONS
@each_client
def test_their_client_does_not_trust_us(name: str, version: str, keys: Path, tmp_path: Path) -> None:
    theirs = peer_client(name, keys)
    certs.Authority("Stranger").issue("localhost").write(tmp_path, "server")
    with serve(ours(tmp_path, as_server=True, version=version)) as serving:
        with pytest.raises(OSError):
            talk(theirs, serving.port)
        error = serving.outcome().error
    assert isinstance(error, fasttls.SSLError)
    assert error.alert_received in (42, 46, 48)  # bad_certificate, certificate_unknown, unknown_ca


@VERSIONS
@each_server
def test_our_client_does_not_trust_them(name: str, version: str, keys: Path, tmp_path: Path) -> None:
    certs.Authority("Stranger").issue("localhost").write(tmp_path, "server")
    context = ours(keys, version=version)
    with (
        peer_serve(peer_server(name, tmp_path)) as (port, seen),
        pytest.raises(fasttls.SSLCertVerificationError) as caught,
        connect(context, port),
    ):
        pass
    assert caught.value.alert_sent == 48
    assert seen.error is not None


TLS12 = [
    (n, k, f"ECDHE-{'RSA' if k == 'rsa' else 'ECDSA'}-{c}") for n in CLIENTS for k in ("p256", "rsa") for c in EPHEMERAL
]
TLS12 += [
    ("ssl", key, f"{kx}{cipher}")
    for key, kx in (("p256", "ECDHE-ECDSA-"), ("rsa", "DHE-RSA-"), ("rsa", ""))
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-CCM", "AES256-CCM", "AES128-CCM8", "AES256-CCM8")
] + [("ssl", "rsa", "DHE-RSA-CHACHA20-POLY1305")]


@pytest.mark.parametrize(("name", "key", "cipher"), TLS12)
def test_every_suite_of_tls12_as_server(name: str, key: str, cipher: str, keys: Path) -> None:
    context, theirs = ours(keys, as_server=True, credential=key, version="TLSv1_2"), peer_client(name, keys)
    context.set_ciphers(cipher)
    if name == "ssl":
        theirs.maximum_version = theirs.minimum_version
        theirs.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with serve(context) as serving:
        seen = talk(theirs, serving.port)
    assert seen.version == "TLSv1.2"
    assert seen.cipher is not None
    assert seen.cipher[0] == cipher
    if name == "ssl":
        assert seen.unique == serving.outcome().negotiated.tls_unique


@pytest.mark.parametrize(
    ("name", "key", "cipher"), [case for case in TLS12 if case[0] in SERVERS and not case[2].startswith("DHE")]
)
def test_every_suite_of_tls12_as_client(name: str, key: str, cipher: str, keys: Path) -> None:
    context, theirs = ours(keys, version="TLSv1_2"), peer_server(name, keys, credential=key)
    context.set_ciphers(cipher)
    if name == "ssl":
        theirs.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with peer_serve(theirs) as (port, seen), connect(context, port) as wrapped:
        assert echo(wrapped, b"hello") == b"hello"
        assert wrapped.cipher()[0] == cipher
        unique = wrapped.get_channel_binding("tls-unique")
    if name == "ssl":
        assert seen.unique == unique


@pytest.mark.parametrize("group", ["X25519", "secp256r1", "X448", "secp384r1", "secp521r1"])
@pytest.mark.parametrize("role", ["client", "server"])
def test_every_curve_of_tls12_with_ssl(role: str, group: str, keys: Path) -> None:
    context = ours(keys, as_server=role == "server", credential="rsa", version="TLSv1_2")
    context.set_groups(group)
    if role == "server":
        with serve(context) as serving:
            talk(peer_client("ssl", keys), serving.port)
        assert serving.outcome().negotiated.group_name == group
    else:
        with peer_serve(peer_server("ssl", keys, credential="rsa")) as (port, _), connect(context, port) as wrapped:
            assert echo(wrapped, b"hello") == b"hello"
            assert wrapped.group() == group


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_an_old_version_is_named(version: str, keys: Path) -> None:
    """A peer that only speaks TLS 1.0 or 1.1 is recognised, in both roles."""
    import ssl

    named = version.replace("_", ".")
    theirs = peer_client("ssl", keys)
    theirs.minimum_version = theirs.maximum_version = ssl.TLSVersion[version]
    theirs.set_ciphers("ALL:@SECLEVEL=0")
    with serve(ours(keys, as_server=True)) as serving:
        with pytest.raises(OSError):
            talk(theirs, serving.port)
        error = serving.outcome().error
    assert isinstance(error, fasttls.SSLError)
    assert error.alert_sent == 70
    assert f"the client speaks {named}, we speak TLSv1.2 to TLSv1.3" in str(error)

    old = peer_server("ssl", keys)
    old.minimum_version = old.maximum_version = ssl.TLSVersion[version]
    old.set_ciphers("ALL:@SECLEVEL=0")
    with peer_serve(old) as (port, _), pytest.raises(fasttls.SSLError) as caught, connect(ours(keys), port):
        pass
    assert caught.value.alert_received == 70 or "TLSv1" in str(caught.value)


def test_a_cbc_client_is_named(keys: Path) -> None:
    theirs = peer_client("ssl", keys, version="TLSv1_2")
    theirs.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0")
    with serve(ours(keys, as_server=True)) as serving:
        with pytest.raises(OSError):
            talk(theirs, serving.port)
        error = serving.outcome().error
    assert isinstance(error, fasttls.SSLError)
    assert error.reason == "NO_SHARED_CIPHER"
    assert "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" in str(error)
    assert "CBC and RC4 suites are not spoken here" in str(error)
