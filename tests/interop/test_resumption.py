"""Resumption, early data and pre-shared keys against other implementations, in both roles and both versions."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from interop.ends import TIMEOUT_SECONDS, client, connect, program, serve, server
from interop.libraries import client_context, server_context
from interop.programs_runner import COMPILE_SECONDS, PROGRAMS, arguments
from interop.tools import gnutls_client, gnutls_server, openssl_client, openssl_server

import fasttls

pytestmark = pytest.mark.interop

VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
PEERS = pytest.mark.parametrize("name", ["go", "node", "java"])
KEY = "00112233445566778899aabbccddeeff"


@cache
def command(name: str) -> tuple[str, ...]:
    """Return how a peer that resumes is started. Skips when its language is not installed, and fails in CI."""
    if name == "node":
        return program("node"), str(PROGRAMS / "resume_peer.js")
    built = Path(mkdtemp(prefix="fasttls-resuming-"))
    if name == "java":
        compiling = [program("javac"), "-d", str(built), "resume_peer.java"]
        started = (program("java"), "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", str(built), "ResumePeer")
    else:
        compiling = [program("go"), "build", "-o", str(built / "peer"), "resume_peer.go"]
        started = (str(built / "peer"),)
    done = subprocess.run(compiling, cwd=PROGRAMS, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return started


def run_client(name: str, port: int, keys: Path) -> list[bool]:
    """Let a peer connect three times; return whether it resumed."""
    done = subprocess.run(
        [*command(name), *arguments({"role": "client", "port": port, "ca": keys / "ca.pem", "times": 3})],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr
    return said(json.loads(done.stdout.splitlines()[-1]))


def said(report: dict[str, Any]) -> list[bool]:
    """Return which connections resumed, by what a peer reports."""
    assert "error" not in report, report
    if "made" in report:
        return [False] + [made == report["made"][0] for made in report["made"][1:]]
    found: list[bool] = report["resumed"]
    return found


@contextlib.contextmanager
def run_server(name: str, keys: Path) -> Iterator[tuple[int, list[bool]]]:
    """Run a peer's server for three connections; what it says of them is there when the block is over."""
    options = {"role": "server", "ca": keys / "ca.pem", "chain": keys / "p256-chain.pem", "key": keys / "p256-key.pem"}
    process = subprocess.Popen(
        [*command(name), *arguments({**options, "times": 3})],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(TIMEOUT_SECONDS, process.kill)
    watchdog.start()
    found: list[bool] = []
    assert process.stdout is not None
    try:
        first = process.stdout.readline().split()
        assert first[:1] == ["port"], first
        yield int(first[1]), found
        found += said(json.loads(process.stdout.readline()))
    finally:
        watchdog.cancel()
        process.kill()
        process.wait(TIMEOUT_SECONDS)
        process.stdout.close()


def connections(context: fasttls.SSLContext, port: int, number: int = 3) -> list[bool]:
    """Connect some times, by the cache; return whether a session was gone on with."""
    found = []
    for _ in range(number):
        with connect(context, port) as wrapped:
            wrapped.sendall(b"x\n")
            assert wrapped.recv(1)
            found.append(bool(wrapped.session_reused))
            with contextlib.suppress(OSError):
                wrapped.unwrap()
    return found


def outcomes(serving: Any, number: int = 3) -> list[bool]:
    """Return whether our server went on with sessions."""
    return [serving.outcome(index).negotiated.resumed for index in range(number)]


@VERSIONS
@PEERS
def test_their_client(name: str, version: str, keys: Path) -> None:
    with serve(server(keys, version=version)) as serving:
        theirs = run_client(name, serving.port, keys)
        assert theirs == outcomes(serving) == [False, True, True]


@VERSIONS
@PEERS
def test_their_client_and_our_server_without_tickets(name: str, version: str, keys: Path) -> None:
    """By session id in TLS 1.2; in TLS 1.3 the tickets are names of what the server keeps."""
    context = server(keys, version=version)
    context.options |= fasttls.OP_NO_TICKET
    with serve(context) as serving:
        theirs = run_client(name, serving.port, keys)
        ours = outcomes(serving)
    assert theirs == ours
    # Go's client knows no session ids.
    assert ours == ([False] * 3 if (name, version) == ("go", "1.2") else [False, True, True])


@VERSIONS
@PEERS
def test_their_client_and_a_group_of_ours(name: str, version: str, keys: Path) -> None:
    """With a HelloRetryRequest, in TLS 1.3."""
    context = server(keys, version=version)
    context.set_groups("secp521r1")
    with serve(context) as serving:
        theirs = run_client(name, serving.port, keys)
        assert theirs == outcomes(serving) == [False, True, True]


@VERSIONS
@PEERS
def test_their_server(name: str, version: str, keys: Path) -> None:
    with run_server(name, keys) as (port, theirs):
        ours = connections(client(keys, version), port)
    assert ours == theirs == [False, True, True]


@VERSIONS
def test_their_keys_change(version: str, keys: Path) -> None:
    """A server that was started again knows nothing of the sessions: full handshakes, without an error."""
    context = client(keys, version)
    for _ in range(2):
        with run_server("go", keys) as (port, theirs):
            session = None
            for number in range(3):
                with connect(context, port) as wrapped:
                    wrapped.sendall(b"x")
                    assert wrapped.recv(1) == b"x"
                    session = wrapped.session
                    assert number == 0 or wrapped.session_reused
    assert theirs == [False, True, True]
    with run_server("go", keys) as (port, theirs):
        for _ in range(3):
            with (
                socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain,
                context.wrap_socket(plain, server_hostname="localhost", session=session) as wrapped,
            ):
                wrapped.sendall(b"x")
                assert wrapped.recv(1) == b"x"
                assert not wrapped.session_reused
    assert theirs == [False] * 3


class TestLibraries:
    """Python's others."""

    @pytest.mark.parametrize(("name", "version"), [("ssl", "1.2"), ("ssl", "1.3"), ("utls", "1.2")])
    def test_their_client(self, name: str, version: str, keys: Path) -> None:
        """utls does not go on with sessions of TLS 1.3."""
        context = client_context(name, keys)
        session: Any = None
        with serve(server(keys, version=version)) as serving:
            for _ in range(3):
                more = {} if session is None else {"session": session}
                with (
                    socket.create_connection(("127.0.0.1", serving.port), TIMEOUT_SECONDS) as plain,
                    context.wrap_socket(plain, server_hostname="localhost", **more) as wrapped,
                ):
                    wrapped.sendall(b"x")
                    assert wrapped.recv(1) == b"x"
                    assert bool(wrapped.session_reused) is (session is not None)
                    session = wrapped.session
            assert outcomes(serving) == [False, True, True]

    @VERSIONS
    def test_their_server(self, version: str, keys: Path) -> None:
        context = server_context("ssl", keys)
        theirs: list[bool] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(TIMEOUT_SECONDS)

            def work() -> None:
                for _ in range(3):
                    plain, _ = listener.accept()
                    plain.settimeout(TIMEOUT_SECONDS)
                    with context.wrap_socket(plain, server_side=True) as wrapped:
                        theirs.append(bool(wrapped.session_reused))
                        wrapped.sendall(wrapped.recv(10))
                        with contextlib.suppress(OSError):
                            wrapped.unwrap()

            thread = threading.Thread(target=work)
            thread.start()
            ours = connections(client(keys, version), listener.getsockname()[1])
            thread.join(TIMEOUT_SECONDS)
        assert ours == theirs == [False, True, True]


class TestOpenSSL:
    """s_client and s_server."""

    @VERSIONS
    def test_sess_out_and_sess_in(self, version: str, keys: Path, tmp_path: Path) -> None:
        kept = tmp_path / "session.pem"
        with serve(server(keys, version=version)) as serving:
            for option in (("-sess_out", str(kept)), ("-sess_in", str(kept))):
                with openssl_client(keys, serving.port, *option) as tool:
                    tool.type(b"hello\n")
                    tool.output.wait_for(b"hello")
                    tool.end()
            assert outcomes(serving, 2) == [False, True]
            assert b"Reused, TLSv" + version.encode() in tool.output.all()

    def test_reconnect(self, keys: Path) -> None:
        """Five more connections with the session of the first."""
        with serve(server(keys, version="1.2")) as serving:
            with openssl_client(keys, serving.port, "-reconnect") as tool:
                tool.output.wait_for(b"Reused, TLSv1.2", 5)
                tool.type(b"hello\n")
                tool.output.wait_for(b"hello")
                tool.end()
            assert outcomes(serving, 6) == [False] + [True] * 5

    @VERSIONS
    @pytest.mark.parametrize("more", [(), ("-no_ticket",), ("-num_tickets", "1"), ("-groups", "P-384")])
    def test_their_server(self, version: str, more: tuple[str, ...], keys: Path) -> None:
        with openssl_server(keys, "p256", "-rev", *more) as (port, _):
            assert connections(client(keys, version), port) == [False, True, True]

    def test_early_data_to_their_server(self, keys: Path) -> None:
        context = client(keys, "1.3")
        context.early_data = True
        with openssl_server(keys, "p256", "-early_data", "-tls1_3") as (port, tool):
            with connect(context, port) as wrapped:
                tool.type(b"hello\n")
                assert wrapped.recv(100) == b"hello\n"
                close(wrapped)
            with early(context, port, b"early bird\n") as wrapped:
                assert wrapped.session_reused
                assert wrapped.early_data_accepted is True
                wrapped.sendall(b"later\n")
                tool.output.wait_for(b"later")
        assert b"early bird" in tool.output.all()

    def test_early_data_that_their_server_refuses(self, keys: Path) -> None:
        """It takes it back, since it saw the ticket before."""
        context = client(keys, "1.3")
        context.early_data = True
        with openssl_server(keys, "p256", "-early_data", "-tls1_3") as (port, tool):
            with connect(context, port) as wrapped:
                tool.type(b"hello\n")
                assert wrapped.recv(100) == b"hello\n"
                session = wrapped.session
                close(wrapped)
            for accepted in (True, False):
                with early(context, port, b"early\n", session=session) as wrapped:
                    assert wrapped.early_data_accepted is accepted
                    wrapped.sendall(b"later\n")
                    tool.output.wait_for(b"later", 1 if accepted else 2)
                    close(wrapped)

    @pytest.mark.parametrize("takes", [True, False])
    def test_early_data_of_their_client(self, takes: bool, keys: Path, tmp_path: Path) -> None:
        kept, data = tmp_path / "session.pem", tmp_path / "early"
        data.write_bytes(b"early bird")
        context = server(keys, version="1.3")
        context.set_early_data(1000, fasttls.MemoryReplayGuard())
        taken: list[tuple[bytes, object]] = []

        def look(wrapped: fasttls.SSLSocket) -> None:
            taken.append((wrapped.early_data, wrapped.early_data_accepted))

        with serve(context, look) as serving:
            with openssl_client(keys, serving.port, "-sess_out", str(kept)) as tool:
                tool.type(b"hello\n")
                tool.output.wait_for(b"hello")
                tool.end()
            if not takes:
                context.set_early_data(0, None)
            with openssl_client(keys, serving.port, "-sess_in", str(kept), "-early_data", str(data)) as tool:
                tool.type(b"again\n")
                tool.output.wait_for(b"again")
                tool.end()
            assert outcomes(serving, 2) == [False, True]
        assert taken[1] == ((b"early bird", True) if takes else (b"", False))
        assert (b"Early data was accepted" if takes else b"Early data was rejected") in tool.output.all()

    @VERSIONS
    def test_a_key_in_common_with_their_server(self, version: str, keys: Path) -> None:
        context = with_key(fasttls.PROTOCOL_TLS_CLIENT, version)
        context.set_psk_client_callback(lambda hint: ("sensor", bytes.fromhex(KEY)))
        with openssl_server(
            keys, "p256", "-rev", "-nocert", "-psk", KEY, "-psk_identity", "sensor", *psk_only(version)
        ) as (
            port,
            _,
        ):
            with connect(context, port) as wrapped:
                wrapped.sendall(b"abc\n")
                assert wrapped.recv(100) == b"cba\n"
                assert wrapped.getpeercert(True) is None
                assert wrapped.connection.negotiated.psk_identity == b"sensor"

    @VERSIONS
    def test_a_key_in_common_with_their_client(self, version: str, keys: Path) -> None:
        context = with_key(fasttls.PROTOCOL_TLS_SERVER, version)
        asked: list[str | None] = []

        def find(identity: str | None) -> bytes:
            asked.append(identity)
            return bytes.fromhex(KEY)

        context.set_psk_server_callback(find)
        with serve(context) as serving:
            more = ["-psk", KEY, "-psk_identity", "sensor", *psk_only(version)]
            with openssl_client(keys, serving.port, *more) as tool:
                tool.type(b"hello\n")
                tool.output.wait_for(b"hello")
                tool.end()
            assert serving.outcome().negotiated.psk_identity == b"sensor"
        assert asked == ["sensor"]

    def test_another_key_than_their_server(self, keys: Path) -> None:
        context = with_key(fasttls.PROTOCOL_TLS_CLIENT, "1.3")
        context.set_psk_client_callback(lambda hint: ("sensor", b"another key"))
        with openssl_server(keys, "p256", "-psk", KEY, "-psk_identity", "sensor", "-tls1_3") as (port, _):
            with pytest.raises(fasttls.SSLError), connect(context, port) as wrapped:
                wrapped.recv(1)

    def test_a_key_that_their_server_does_not_know(self, keys: Path) -> None:
        """Its certificate is not what was asked for."""
        context = with_key(fasttls.PROTOCOL_TLS_CLIENT, "1.3")
        context.set_psk_client_callback(lambda hint: ("sensor", bytes.fromhex(KEY)))
        with openssl_server(keys, "p256", "-tls1_3") as (port, _):
            with pytest.raises(fasttls.SSLError, match="PSK_DECLINED"), connect(context, port):
                pass


def close(wrapped: fasttls.SSLSocket) -> None:
    """Close in order: OpenSSL forgets the session of a connection that was not."""
    with contextlib.suppress(OSError):
        wrapped.unwrap()


def psk_only(version: str) -> tuple[str, ...]:
    """Return openssl's options for a version with pre-shared keys."""
    return ("-tls1_3",) if version == "1.3" else ("-tls1_2", "-cipher", "ECDHE-PSK-CHACHA20-POLY1305")


def with_key(protocol: int, version: str) -> fasttls.SSLContext:
    """Return a context that has nothing but pre-shared keys."""
    context = fasttls.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = fasttls.CERT_NONE
    context.minimum_version = context.maximum_version = fasttls.TLSVersion[f"TLSv{version.replace('.', '_')}"]
    if version == "1.2":
        context.set_ciphers("PSK")
    return context


@contextlib.contextmanager
def early(context: fasttls.SSLContext, port: int, data: bytes, **more: Any) -> Iterator[fasttls.SSLSocket]:
    """Connect with early data."""
    with (
        socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=False, **more) as wrapped,
    ):
        assert wrapped.write_early_data(data) == len(data)
        wrapped.do_handshake()
        yield wrapped


class TestGnuTLS:
    """gnutls-cli and gnutls-serv."""

    @VERSIONS
    def test_their_client(self, version: str, keys: Path) -> None:
        with serve(server(keys, version=version)) as serving:
            with gnutls_client(
                keys, serving.port, "--resume", "--waitresumption", "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
            ) as tool:
                tool.output.wait_for(b"This is a resumed session")
                tool.type(b"hello\n")
                tool.output.wait_for(b"hello")
                tool.end()
            assert outcomes(serving, 2) == [False, True]

    @VERSIONS
    @pytest.mark.parametrize("more", [(), ("--noticket",)])
    def test_their_server(self, version: str, more: tuple[str, ...], keys: Path) -> None:
        if version == "1.3" and more:
            return  # nothing to go on with is left
        with gnutls_server(keys, "p256", *more) as (port, _):
            assert connections(client(keys, version), port) == [False, True, True]
