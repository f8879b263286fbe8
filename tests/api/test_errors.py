"""Errors: the standard library's classes, attributes and words, whoever is at fault."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from api.peers import Bios, Peer, client_context, each_library, server_context, socket_pair
from certs import DAY, NOW, Authority, test_root

import fasttls


def _shape(error: BaseException) -> tuple[object, ...]:
    """Return what a program can look at in an error."""
    assert isinstance(error, ssl.SSLError)
    return type(error), error.errno, error.library, error.reason


def _failure(call: Callable[[], object]) -> ssl.SSLError:
    with pytest.raises(ssl.SSLError) as failed:
        call()
    return failed.value


def _untrusted(library: ModuleType, folder: Path) -> ssl.SSLError:
    return _failure(Bios(library.create_default_context(), server_context(ssl, folder)).handshake)


def _other_host(library: ModuleType, folder: Path) -> ssl.SSLError:
    return _failure(Bios(client_context(library, folder), server_context(ssl, folder), "other.example").handshake)


def _alert(library: ModuleType, folder: Path) -> ssl.SSLError:
    """A server whose certificate the client refuses."""
    pair = Bios(ssl.create_default_context(), server_context(library, folder))
    _failure(pair.handshake)
    return _failure(lambda: pair.server.do_handshake() or pair.server.read(1))


def _plain_text_server(library: ModuleType, folder: Path) -> ssl.SSLError:
    pair = Bios(client_context(library, folder), server_context(ssl, folder))
    pair.to_client.write(b"HTTP/1.1 400 Bad Request\r\nServer: plain\r\n\r\n")
    return _failure(pair.client.do_handshake)


def _plain_http_client(library: ModuleType, folder: Path) -> ssl.SSLError:
    pair = Bios(client_context(ssl, folder), server_context(library, folder))
    pair.to_server.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return _failure(pair.server.do_handshake)


def _end_in_the_handshake(library: ModuleType, folder: Path) -> ssl.SSLError:
    pair = Bios(client_context(library, folder), server_context(ssl, folder))
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    pair.to_client.write_eof()
    return _failure(pair.client.do_handshake)


def _end_without_close_notify(library: ModuleType, folder: Path) -> ssl.SSLError:
    pair = Bios(client_context(library, folder), server_context(ssl, folder)).handshake()
    pair.to_client.write_eof()
    return _failure(lambda: pair.client.read(1))


def _record_that_was_changed(library: ModuleType, folder: Path) -> ssl.SSLError:
    pair = Bios(client_context(library, folder), server_context(ssl, folder)).handshake()
    pair.server.write(b"data")
    spoilt = bytearray(pair.to_client.read())
    spoilt[-1] ^= 1
    pair.to_client.write(spoilt)
    return _failure(lambda: pair.client.read(1))


def _no_common_version(library: ModuleType, folder: Path) -> ssl.SSLError:
    server = server_context(ssl, folder)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    client = client_context(library, folder)
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    return _failure(Bios(client, server).handshake)


def _would_block(library: ModuleType, folder: Path) -> ssl.SSLError:
    pair = Bios(client_context(library, folder), server_context(ssl, folder)).handshake()
    return _failure(lambda: pair.client.read(1))


def _data_behind_close_notify(library: ModuleType, folder: Path) -> ssl.SSLError:
    pair = Bios(client_context(library, folder), server_context(ssl, folder)).handshake()
    pair.server.write(b"data")
    with pytest.raises(ssl.SSLWantReadError):
        pair.server.unwrap()
    return _failure(pair.client.unwrap)


def _no_certificate(library: ModuleType, folder: Path) -> ssl.SSLError:
    return _failure(Bios(client_context(ssl, folder), library.SSLContext(ssl.PROTOCOL_TLS_SERVER)).handshake)


FAILURES = (
    _untrusted,
    _other_host,
    _alert,
    _plain_text_server,
    _plain_http_client,
    _end_in_the_handshake,
    _end_without_close_notify,
    _record_that_was_changed,
    _no_common_version,
    _would_block,
    _data_behind_close_notify,
)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: one.__name__.strip("_"))
def test_error_looks_like_ssls(folder: Path, failure: Callable[[ModuleType, Path], ssl.SSLError]) -> None:
    ours, theirs = failure(fasttls, folder), failure(ssl, folder)
    assert _shape(ours) == _shape(theirs)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: one.__name__.strip("_"))
def test_message_begins_like_ssls(folder: Path, failure: Callable[[ModuleType, Path], ssl.SSLError]) -> None:
    # Programs search the text for "[SSL: CERTIFICATE_VERIFY_FAILED]" and "certificate has expired".
    ours, theirs = failure(fasttls, folder), failure(ssl, folder)
    words = re.sub(r" \(_ssl\.c:\d+\)$", "", str(theirs))
    words = re.sub(r"[.]$", "", words)
    assert str(ours).lower().startswith(words.lower())


def test_server_without_a_certificate_refuses_the_handshake(folder: Path) -> None:
    assert _no_certificate(fasttls, folder).reason == "NO_CERTIFICATE_SET"


@each_library
def test_verification_error_is_a_value_error_with_the_code(folder: Path, library: ModuleType) -> None:
    # CertificateError is the same class, and a ValueError (PEP 543's time).
    error = _other_host(library, folder)
    assert isinstance(error, ssl.SSLCertVerificationError)
    assert isinstance(error, ssl.CertificateError)
    assert isinstance(error, ValueError)
    assert isinstance(error, OSError)
    assert error.verify_code == 62
    assert error.verify_message == "Hostname mismatch, certificate is not valid for 'other.example'."
    assert str(error).startswith("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch")


def test_error_tells_the_alerts(folder: Path) -> None:
    sent = _other_host(fasttls, folder)
    assert (sent.alert_sent, sent.alert_received) == (42, None)  # type: ignore[attr-defined]
    received = _alert(fasttls, folder)
    assert (received.alert_sent, received.alert_received) == (None, 48)  # type: ignore[attr-defined]


def test_error_tells_the_cause(folder: Path) -> None:
    from fasttls.wire.alerts import TLSError

    assert isinstance(_other_host(fasttls, folder).__cause__, TLSError)


def test_failed_connection_stays_failed(folder: Path) -> None:
    pair = Bios(client_context(fasttls, folder), server_context(ssl, folder), "other.example")
    first = _failure(pair.handshake)
    for call in (pair.client.do_handshake, lambda: pair.client.read(1), lambda: pair.client.write(b"x")):
        again = _failure(call)
        assert _shape(again) == _shape(first)


def test_alert_is_on_the_wire_when_the_error_is_raised(folder: Path) -> None:
    with socket_pair() as (near, far):
        serving = Peer(lambda: server_context(ssl, folder).wrap_socket(far, server_side=True).recv(1))
        with pytest.raises(ssl.SSLCertVerificationError):
            fasttls.create_default_context().wrap_socket(near, server_hostname="localhost")
        error = serving.wait_for_error()
        assert isinstance(error, ssl.SSLError)
        assert error.reason == "TLSV1_ALERT_UNKNOWN_CA"


@each_library
def test_failed_handshake_closes_the_socket(folder: Path, library: ModuleType) -> None:
    with socket_pair() as (near, far):
        serving = Peer(lambda: server_context(ssl, folder).wrap_socket(far, server_side=True).recv(1))
        wrapped = library.create_default_context().wrap_socket(
            near, server_hostname="localhost", do_handshake_on_connect=False
        )
        with wrapped, pytest.raises(ssl.SSLCertVerificationError):
            wrapped.do_handshake()
        assert wrapped.fileno() == -1
        serving.wait_for_error()


def test_reset_of_the_connection_stays_what_it_is(folder: Path) -> None:
    with socket_pair() as (near, far):
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0, 0, 0, 0, 0)))
        far.close()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            client_context(fasttls, folder).wrap_socket(near, server_hostname="localhost")


def test_expired_certificate_says_when(tmp_path: Path, folder: Path) -> None:
    server = fasttls.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old = test_root().issue("localhost", not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    server.load_cert_chain(*old.write(tmp_path))
    error = _failure(Bios(client_context(fasttls, folder), server).handshake)
    assert isinstance(error, ssl.SSLCertVerificationError)
    assert (error.verify_code, error.verify_message) == (10, "certificate has expired")
    assert f"valid until {(NOW - DAY):%Y-%m-%d}" in str(error)


def _both_failures(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[str, str]:
    """Return what the client and the server say of a handshake between them, and of the read behind it."""
    pair = Bios(client, server)
    said = ["", ""]
    for _ in range(6):
        for place, side in enumerate((pair.client, pair.server)):
            try:
                side.do_handshake()
                side.read(1)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                said[place] = said[place] or str(error)
    return said[0], said[1]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_server_is_told_whose_certificate_was_not_accepted(folder: Path, version: str) -> None:
    client, server = fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT), server_context(fasttls, folder)
    client.maximum_version = ssl.TLSVersion[version]
    _, said = _both_failures(client, server)
    assert "TLSV1_ALERT_UNKNOWN_CA" in said
    assert "the client does not accept our certificate, CN=localhost, issued by CN=Test" in said


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("has", [False, True], ids=["without", "with"])
def test_client_is_told_that_its_certificate_is_missing_or_not_accepted(
    folder: Path, tmp_path: Path, version: str, has: bool
) -> None:
    client, server = client_context(fasttls, folder), server_context(ssl, folder)
    client.maximum_version = ssl.TLSVersion[version]
    server.verify_mode = ssl.CERT_REQUIRED
    if has:
        client.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem")
    said, _ = _both_failures(client, server)
    words = "the server does not accept our certificate, CN=" if has else "the server asked for a certificate, and"
    assert words in said


def test_end_in_the_handshake_says_what_was_to_come(folder: Path) -> None:
    pair = Bios(client_context(fasttls, folder), server_context(fasttls, folder))
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    pair.to_client.write(b"\x16\x03")
    pair.to_client.write_eof()
    with pytest.raises(ssl.SSLEOFError) as ended:
        pair.client.do_handshake()
    assert "where ServerHello" in str(ended.value)
    assert "2 bytes of a record" in str(ended.value)


@pytest.mark.parametrize("late", [False, True], ids=["not yet", "no longer"])
def test_dates_are_told_beside_the_clock(tmp_path: Path, folder: Path, late: bool) -> None:
    server = fasttls.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    begins = NOW - 3 * DAY if late else NOW + DAY
    server.load_cert_chain(
        *test_root().issue("localhost", not_before=begins, not_after=begins + 2 * DAY).write(tmp_path)
    )
    assert "the clock here says 2" in str(_failure(Bios(client_context(fasttls, folder), server).handshake))


@pytest.mark.parametrize("namesake", [False, True], ids=["a stranger's", "a namesake's"])
def test_an_authority_of_the_same_name_is_told_from_one_that_is_unknown(
    tmp_path: Path, folder: Path, namesake: bool
) -> None:
    other = Authority("Test Root" if namesake else "Another Root")
    server = fasttls.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*other.issue("localhost").write(tmp_path))
    said = str(_failure(Bios(client_context(fasttls, folder), server).handshake))
    assert ("another authority of that name, not its issuer, is trusted" in said) is namesake
    assert ("was not sent and is not trusted" in said) is not namesake
