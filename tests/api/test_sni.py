"""The server's choice by the client's server name (RFC 6066 §3), as ssl.SSLContext.sni_callback makes it."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from api.peers import Bios, client_context, each_library, server_context
from certs import server_credential, test_root

import fasttls

OTHER = "other.example"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a certificate for the other host."""
    path = tmp_path_factory.mktemp("other")
    test_root().issue(OTHER).write(path)
    return path


@each_library
def test_callback_is_told_the_name(folder: Path, library: ModuleType) -> None:
    server = server_context(library, folder)
    seen: list[Any] = []
    server.sni_callback = lambda sock, name, context: seen.append((sock, name, context))
    pair = Bios(client_context(fasttls, folder), server).handshake()
    assert seen == [(pair.server, "localhost", server)]
    Bios(client_context(fasttls, folder), server, "127.0.0.1").handshake()
    assert seen[1][1] is None  # RFC 6066 §3: an address is no host name


@each_library
def test_callback_chooses_a_context(folder: Path, other: Path, library: ModuleType) -> None:
    first, second = server_context(library, folder), server_context(library, other)

    def choose(sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        if name == OTHER:
            sock.context = second

    first.sni_callback = choose
    client = client_context(fasttls, folder)
    chosen = Bios(client, first, OTHER).handshake()
    assert chosen.client.getpeercert(True) != server_credential().der
    assert chosen.server.context is second
    assert Bios(client, first).handshake().client.getpeercert(True) == server_credential().der


@each_library
@pytest.mark.parametrize("later", [False, True], ids=["", "post_handshake_auth"])
def test_chosen_context_does_not_take_back_that_clients_are_verified(
    folder: Path, other: Path, library: ModuleType, later: bool
) -> None:
    # In `ssl` the verify mode stays that of the first context: contexts of one host hold its certificate.
    first, second = server_context(library, folder), server_context(library, other)
    first.verify_mode = ssl.CERT_REQUIRED
    for context in (first, second):
        context.load_verify_locations(folder / "ca.pem")
    assert second.verify_mode == ssl.CERT_NONE
    second.post_handshake_auth = later  # nor when they are: the first context asks in the handshake

    def choose(sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        sock.context = second

    first.sni_callback = choose
    pair = Bios(client_context(fasttls, folder), first, OTHER)
    with pytest.raises(ssl.SSLError) as refused:
        pair.handshake()
    assert refused.value.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"


def chosen_by_name(folder: Path, other: Path, library: ModuleType) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context, and the one that its callback goes on with."""
    first, second = server_context(library, folder), server_context(library, other)

    def choose(sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        sock.context = second

    first.sni_callback = choose
    return first, second


@each_library
@pytest.mark.filterwarnings("ignore:ssl.OP_NO:DeprecationWarning")
def test_chosen_context_does_not_take_back_the_versions(folder: Path, other: Path, library: ModuleType) -> None:
    first, second = chosen_by_name(folder, other, library)
    client = client_context(ssl, folder)
    first.options |= ssl.OP_NO_TLSv1_3
    assert Bios(client, first, OTHER).handshake().server.version() == "TLSv1.2"
    first.options &= ~ssl.OP_NO_TLSv1_3
    second.options |= ssl.OP_NO_TLSv1_3
    assert Bios(client, first, OTHER).handshake().server.version() == "TLSv1.3"
    first.minimum_version = ssl.TLSVersion.TLSv1_3
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        Bios(client, first, OTHER).handshake()


@each_library
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_chosen_context_does_not_take_back_how_clients_are_verified(
    folder: Path, other: Path, library: ModuleType, version: str
) -> None:
    first, second = chosen_by_name(folder, other, library)
    client = client_context(ssl, folder)
    client.maximum_version = ssl.TLSVersion[version]
    client.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem")
    for context in (first, second):
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    Bios(client, first, OTHER).handshake()
    first.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF  # and there is no list in either
    pair = Bios(client, first, OTHER)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        pair.handshake()
    assert refused.value.verify_code == 3  # X509_V_ERR_UNABLE_TO_GET_CRL


@each_library
def test_chosen_context_brings_its_protocols_and_suites(folder: Path, other: Path, library: ModuleType) -> None:
    first, second = chosen_by_name(folder, other, library)
    first.set_alpn_protocols(["first"])
    second.set_alpn_protocols(["second"])
    first.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    second.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    client = client_context(ssl, folder)
    client.set_alpn_protocols(["first", "second"])
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    pair = Bios(client, first, OTHER).handshake()
    assert pair.server.selected_alpn_protocol() == "second"
    assert pair.server.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"  # type: ignore[index]


@each_library
@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (ssl.AlertDescription.ALERT_DESCRIPTION_ACCESS_DENIED, "TLSV1_ALERT_ACCESS_DENIED"),
        (ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME, "TLSV1_UNRECOGNIZED_NAME"),
        (int(ssl.AlertDescription.ALERT_DESCRIPTION_HANDSHAKE_FAILURE), "SSLV3_ALERT_HANDSHAKE_FAILURE"),
    ],
)
def test_callback_refuses_with_an_alert(folder: Path, library: ModuleType, returned: int, reason: str) -> None:
    server = server_context(library, folder)
    server.sni_callback = lambda sock, name, context: returned
    pair = Bios(client_context(ssl, folder), server)
    with pytest.raises(ssl.SSLError):
        pair.handshake()
    with pytest.raises(ssl.SSLError) as refused:
        pair.client.do_handshake()
    assert refused.value.reason == reason


@each_library
def test_callback_that_refuses_is_the_reason_on_the_server(folder: Path, library: ModuleType) -> None:
    server = server_context(library, folder)
    for returned in (ssl.AlertDescription.ALERT_DESCRIPTION_ACCESS_DENIED, 12345):
        server.sni_callback = lambda sock, name, context, returned=returned: returned  # type: ignore[misc]
        with pytest.raises(ssl.SSLError) as refused:
            Bios(client_context(ssl, folder), server).handshake()
        assert refused.value.reason == "CALLBACK_FAILED"


@each_library
@pytest.mark.parametrize("returned", ["text", 1.5, 12345, -1])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_callback_that_returns_nonsense_ends_the_handshake(folder: Path, library: ModuleType, returned: object) -> None:
    server = server_context(library, folder)
    server.sni_callback = lambda sock, name, context: returned  # type: ignore[assignment]
    with pytest.raises(ssl.SSLError):
        Bios(client_context(ssl, folder), server).handshake()


@each_library
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_callback_that_raises_is_an_ssl_error_to_the_server(folder: Path, library: ModuleType) -> None:
    # Servers catch OSError when they accept: a name that the callback does not know must not stop them.
    server = server_context(library, folder)
    hosts: dict[str | None, int] = {}
    server.sni_callback = lambda sock, name, context: hosts[name]
    pair = Bios(client_context(ssl, folder), server)
    with pytest.raises(ssl.SSLError):
        pair.handshake()
    with pytest.raises(ssl.SSLError, match="ALERT"):
        pair.client.do_handshake()


def _told(unraisable: Any) -> None:
    sys.__unraisablehook__(unraisable)


@each_library
@pytest.mark.parametrize("hook", [sys.__unraisablehook__, _told], ids=["python's", "one that hands it on"])
def test_callback_that_raises_is_told_on_standard_error(
    folder: Path, library: ModuleType, hook: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", hook)  # pytest has one of its own
    server = server_context(library, folder)

    def fail(sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        raise RuntimeError("the table of hosts is gone")

    server.sni_callback = fail
    with pytest.raises(ssl.SSLError):
        Bios(client_context(fasttls, folder), server).handshake()
    told = capsys.readouterr().err
    assert "Exception ignored in: " in told
    assert "RuntimeError: the table of hosts is gone" in told


@each_library
def test_callback_is_set_and_taken_back(folder: Path, library: ModuleType) -> None:
    server = server_context(library, folder)

    def refuse(sock: object, name: str | None, context: object) -> int:
        return int(ssl.AlertDescription.ALERT_DESCRIPTION_ACCESS_DENIED)

    server.set_servername_callback(refuse)
    assert callable(server.sni_callback)
    with pytest.raises(ssl.SSLError):
        Bios(client_context(ssl, folder), server).handshake()
    server.sni_callback = None
    assert server.sni_callback is None
    Bios(client_context(ssl, folder), server).handshake()
    for wrong in (4, "", object()):
        with pytest.raises(TypeError):
            server.sni_callback = wrong  # type: ignore[assignment]


@each_library
def test_context_of_a_client_may_be_set_and_brings_its_certificates(folder: Path, library: ModuleType) -> None:
    wanting = server_context(ssl, folder)
    wanting.verify_mode = ssl.CERT_REQUIRED
    wanting.load_verify_locations(folder / "ca.pem")
    with_certificate = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with_certificate.load_verify_locations(folder / "ca.pem")
    with_certificate.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem")
    trusts_nobody = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pair = Bios(trusts_nobody, wanting)
    pair.client.context = with_certificate
    pair.handshake()
    assert pair.client.context is with_certificate
    assert pair.server.getpeercert()
    pair.client.context = other = client_context(library, folder)
    assert pair.client.context is other


@each_library
def test_context_that_is_no_context_is_refused(folder: Path, library: ModuleType) -> None:
    server = server_context(library, folder)
    errors: list[type] = []

    def choose(sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        try:
            sock.context = object()  # type: ignore[assignment]
        except Exception as exc:
            errors.append(type(exc))

    server.sni_callback = choose
    Bios(client_context(fasttls, folder), server).handshake()
    assert errors == [TypeError]
