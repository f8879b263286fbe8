"""Early data and pre-shared keys as programs see them."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from api.peers import (
    SECONDS,
    Peer,
    connected,
    echo,
    server_context,
    serving,
    socket_pair,
)
from api.resuming import TLS12, TLS13, at_once, contexts, each_version, first_session, reused, without_timeouts

import fasttls


@contextmanager
def early_contexts(folder: Path, size: int = 1000) -> Iterator[tuple[Any, Any, Any]]:
    """Return contexts that allow early data, and a session that does."""
    client, server = contexts(folder, version=TLS13)
    client.early_data = True
    server.set_early_data(size, fasttls.MemoryReplayGuard())
    yield client, server, first_session(client, server)


class TestEarlyData:
    """`write_early_data`, `early_data`, `early_data_accepted`, `early_data_reason`."""

    @staticmethod
    @contextmanager
    def sending(client: Any, server: Any, session: Any, data: bytes, **more: Any) -> Iterator[tuple[Any, Any, int]]:
        """Send early data and shake hands."""
        with socket_pair() as (near, far):
            at_once(near, far)
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            given = {} if session is None else {"session": session}
            ours = client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False, **given, **more)
            with ours:
                sent = ours.write_early_data(data)
                ours.do_handshake()
                with accepting.wait() as theirs:
                    yield ours, theirs, sent

    def test_accepted(self, folder: Path) -> None:
        with early_contexts(folder) as (client, server, session):
            with self.sending(client, server, session, b"GET /") as (ours, theirs, sent):
                assert sent == 5
                assert ours.session_reused
                assert ours.early_data_accepted is theirs.early_data_accepted is True
                assert ours.early_data_reason == theirs.early_data_reason == ""
                assert theirs.early_data == b"GET /"
                assert ours.early_data == b""
                ours.sendall(b"more")
                assert theirs.recv(100) == b"more"

    def test_it_is_not_mixed_with_other_data(self, folder: Path) -> None:
        """recv() never returns what anybody may have sent before."""
        with early_contexts(folder) as (client, server, session):
            with self.sending(client, server, session, b"early") as (ours, theirs, _):
                ours.sendall(b"later")
                assert theirs.recv(100) == b"later"
                assert theirs.early_data == b"early"

    def test_without_a_session_none_is_sent(self, folder: Path) -> None:
        with early_contexts(folder) as (client, server, _):
            with self.sending(client, server, None, b"GET /") as (ours, theirs, sent):
                assert sent == 0
                assert ours.early_data_accepted is theirs.early_data_accepted is None
                assert ours.early_data_reason == ""
                assert theirs.early_data == b""

    def test_off_by_default(self, folder: Path) -> None:
        client, server = contexts(folder)
        assert client.early_data is False
        assert server.max_early_data == 0
        with self.sending(client, server, first_session(client, server), b"GET /") as (ours, _, sent):
            assert sent == 0
            assert ours.session_reused

    def test_more_than_is_allowed_is_cut(self, folder: Path) -> None:
        with early_contexts(folder, 10) as (client, server, session):
            with self.sending(client, server, session, b"0123456789abc") as (_, theirs, sent):
                assert sent == 10
                assert theirs.early_data == b"0123456789"

    def test_in_pieces(self, folder: Path) -> None:
        with early_contexts(folder) as (client, server, session), socket_pair() as (near, far):
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            ours = client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False, session=session)
            assert [ours.write_early_data(piece) for piece in (b"a", b"bc", b"")] == [1, 2, 0]
            ours.do_handshake()
            theirs = accepting.wait()
            with ours, theirs:
                assert theirs.early_data == b"abc"
                with pytest.raises(ValueError, match="before the handshake"):
                    ours.write_early_data(b"late")

    def test_refused_and_sent_again(self, folder: Path) -> None:
        with early_contexts(folder) as (client, server, session):
            server.set_early_data(0, None)
            with self.sending(client, server, session, b"GET /") as (ours, theirs, sent):
                assert sent == 5
                assert ours.early_data_accepted is theirs.early_data_accepted is False
                assert ours.early_data_reason
                assert "takes none" in theirs.early_data_reason
                assert theirs.early_data == b""
                ours.sendall(b"GET /")
                assert theirs.recv(100) == b"GET /"

    def test_refused_with_another_group(self, folder: Path) -> None:
        with early_contexts(folder) as (client, server, session):
            server.set_groups("secp521r1")
            client.set_groups("*X25519:secp521r1")
            with self.sending(client, server, session, b"GET /") as (ours, theirs, sent):
                assert sent == 5
                assert ours.hello_retried()
                assert ours.early_data_accepted is False
                assert theirs.early_data == b""
                ours.sendall(b"GET /")
                assert theirs.recv(100) == b"GET /"

    def test_with_a_session_of_the_cache(self, folder: Path) -> None:
        with early_contexts(folder) as (client, server, _):
            got = []

            def handle(sock: Any) -> None:
                got.append(sock.early_data)
                echo(sock)

            with serving(server, handle) as address:
                assert not reused(client, address)
                with to_early(client, address, b"early") as wrapped:
                    assert wrapped.early_data_accepted is True
            assert got == [b"", b"early"]

    def test_the_handshake_goes_on_with_reading_and_writing(self, folder: Path) -> None:
        """What a socket does by itself after early data: read() and write() shake hands."""
        with early_contexts(folder) as (client, server, session), socket_pair() as (near, far):
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            ours = client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False, session=session)
            ours.write_early_data(b"early")
            ours.sendall(b"later")
            theirs = accepting.wait()
            with ours, theirs:
                assert (theirs.early_data, theirs.recv(10)) == (b"early", b"later")

    def test_a_server_needs_a_guard(self, folder: Path) -> None:
        _, server = contexts(folder)
        with pytest.raises(ValueError, match="replay guard"):
            server.set_early_data(1000, None)
        with pytest.raises(ValueError, match="bytes"):
            server.set_early_data(-1, fasttls.MemoryReplayGuard())
        with pytest.raises(ValueError, match="bytes"):
            server.set_early_data(1 << 32, fasttls.MemoryReplayGuard())
        assert server.max_early_data == 0
        with pytest.raises(AttributeError):
            server.max_early_data = 1000
        with pytest.raises(ValueError, match="one or more"):
            fasttls.MemoryReplayGuard(0)

    def test_on_the_servers_side_it_is_a_fault_of_the_callers(self, folder: Path) -> None:
        _, server = contexts(folder)
        with socket_pair() as (near, _):
            theirs = server.wrap_socket(near, server_side=True, do_handshake_on_connect=False)
            with theirs:
                assert theirs.write_early_data(b"x") == 0


@contextmanager
def to_early(context: Any, address: tuple[str, int], data: bytes) -> Iterator[Any]:
    """Connect with early data and let one byte go there and back."""
    with (
        socket.create_connection(address, SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=False) as wrapped,
    ):
        assert wrapped.write_early_data(data) == len(data)
        wrapped.do_handshake()
        wrapped.sendall(b"x")
        assert wrapped.recv(1) == b"x"
        yield wrapped


class _Word(str):
    """A string of a kind of its own."""

    __slots__ = ()


class TestPsk:
    """The callbacks of Python 3.13."""

    @staticmethod
    def contexts(version: ssl.TLSVersion | None = None) -> tuple[Any, Any]:
        """Return contexts that have nothing but a key."""
        client = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = fasttls.CERT_NONE
        server = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
        for context in (client, server):
            if version is not None:
                context.minimum_version = context.maximum_version = version
            if version is TLS12:
                context.set_ciphers("PSK")  # as with `ssl`: its suites are not among the default ones
        return client, server

    @staticmethod
    def both_fail(client: Any, server: Any) -> tuple[BaseException, BaseException | None]:
        """Return what both ends raise."""

        def accept(far: socket.socket) -> None:
            with server.wrap_socket(far, server_side=True, do_handshake_on_connect=False) as theirs:
                theirs.do_handshake()

        with without_timeouts() as (near, far):
            accepting = Peer(lambda: accept(far))
            ours = client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False)
            try:
                with ours:
                    ours.do_handshake()
                    ours.recv(1)
            except Exception as exc:
                return exc, accepting.wait_for_error()
            raise AssertionError("the client is connected")

    @each_version
    def test_a_key_that_both_have(self, version: ssl.TLSVersion) -> None:
        asked: list[Any] = []
        client, server = self.contexts(version)

        def ours(hint: str | None) -> tuple[str | None, bytes]:
            asked.append(hint)
            return "sensor", b"0123456789abcdef"

        def theirs(identity: str | None) -> bytes:
            asked.append(identity)
            return b"0123456789abcdef" if identity == "sensor" else b""

        client.set_psk_client_callback(ours)
        server.set_psk_server_callback(theirs, _Word("the hint"))
        with connected(client, server) as (near, far):
            near.sendall(b"x")
            assert far.recv(1) == b"x"
            assert near.getpeercert(True) is None
            assert near.version() == version.name.replace("_", ".")
            assert not near.session_reused
        assert asked[-1] == "sensor"
        assert ("the hint" in asked) is (version is TLS12)

    @each_version
    def test_a_hash_that_the_suite_needs(self, version: ssl.TLSVersion) -> None:
        """The key goes with SHA-256 in TLS 1.3, whatever suite is preferred."""
        client, server = self.contexts(version)
        client.set_psk_client_callback(lambda hint: ("sensor", b"key"))
        server.set_psk_server_callback(lambda identity: b"key")
        with connected(client, server) as (near, _):
            assert version is TLS12 or near.cipher()[0].endswith("SHA256")

    @each_version
    def test_a_server_that_refuses(self, version: ssl.TLSVersion) -> None:
        client, server = self.contexts(version)
        client.set_psk_client_callback(lambda hint: ("sensor", b"key"))
        server.set_psk_server_callback(lambda identity: b"")
        ours, theirs = self.both_fail(client, server)
        assert isinstance(ours, ssl.SSLError)
        assert isinstance(theirs, ssl.SSLError)

    @each_version
    def test_another_key(self, version: ssl.TLSVersion) -> None:
        client, server = self.contexts(version)
        client.set_psk_client_callback(lambda hint: ("sensor", b"key"))
        server.set_psk_server_callback(lambda identity: b"another key")
        ours, theirs = self.both_fail(client, server)
        assert isinstance(ours, ssl.SSLError)
        assert isinstance(theirs, ssl.SSLError)

    @each_version
    def test_a_client_without_a_key_is_not_connected(self, version: ssl.TLSVersion) -> None:
        """An empty key refuses the connection; it does not fall back to one that nothing protects."""
        client, server = self.contexts(version)
        client.set_psk_client_callback(lambda hint: (None, b""))
        server.set_psk_server_callback(lambda identity: b"key")
        ours, _ = self.both_fail(client, server)
        assert isinstance(ours, ssl.SSLError)

    @each_version
    def test_never_an_unauthenticated_connection(self, version: ssl.TLSVersion, folder: Path) -> None:
        """CERT_NONE and a server that has a certificate, and not the key."""
        client, _ = self.contexts(version)
        server = server_context(fasttls, folder)
        server.minimum_version = server.maximum_version = version
        if version is TLS12:
            client.set_ciphers("DEFAULT:PSK")
        client.set_psk_client_callback(lambda hint: ("sensor", b"key"))
        ours, _ = self.both_fail(client, server)
        assert isinstance(ours, ssl.SSLError)

    @each_version
    def test_a_certificate_serves_where_it_is_verified(self, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, version=version)
        client.set_psk_client_callback(lambda hint: ("sensor", b"key"))
        with connected(client, server) as (near, _):
            assert near.getpeercert()

    @each_version
    @pytest.mark.parametrize("returned", ["key", None, 5, ("a",), ("a", "b"), (5, b"k"), ["a", b"k"], ("a", b"k", 1)])
    def test_a_client_callback_that_returns_something_else(self, returned: Any, version: ssl.TLSVersion) -> None:
        client, server = self.contexts(version)
        client.set_psk_client_callback(lambda hint: returned)
        server.set_psk_server_callback(lambda identity: b"k")
        ours, _ = self.both_fail(client, server)
        assert isinstance(ours, TypeError)

    @each_version
    @pytest.mark.parametrize("returned", ["key", None, 5])
    def test_a_server_callback_that_returns_something_else(self, returned: Any, version: ssl.TLSVersion) -> None:
        client, server = self.contexts(version)
        client.set_psk_client_callback(lambda hint: ("a", b"k"))
        server.set_psk_server_callback(lambda identity: returned)
        ours, theirs = self.both_fail(client, server)
        assert isinstance(ours, ssl.SSLError)
        assert isinstance(theirs, ssl.SSLError | TypeError)

    @each_version
    @pytest.mark.parametrize("side", ["client", "server"])
    def test_an_exception_of_a_callback(
        self, side: str, version: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_: str | None) -> Any:
            raise KeyError("no such key")

        reported: list[Any] = []
        monkeypatch.setattr(sys, "unraisablehook", reported.append)
        client, server = self.contexts(version)
        client.set_psk_client_callback(fails if side == "client" else lambda hint: ("a", b"k"))
        server.set_psk_server_callback(fails if side == "server" else lambda identity: b"k")
        ours, theirs = self.both_fail(client, server)
        assert isinstance(ours, KeyError if side == "client" else OSError)
        # A server that accepts in a loop goes on: the exception is reported, as with sni_callback.
        assert isinstance(theirs, OSError)
        if side == "server":
            assert isinstance(theirs, ssl.SSLError)
            assert theirs.reason == "CALLBACK_FAILED"
            assert isinstance(reported[0].exc_value, KeyError)

    @each_version
    def test_too_long(self, version: ssl.TLSVersion) -> None:
        for found in (("a", bytes(257)), ("a" * 257, b"k")):
            client, server = self.contexts(version)
            client.set_psk_client_callback(lambda hint, found=found: found)
            server.set_psk_server_callback(lambda identity: b"k")
            ours, _ = self.both_fail(client, server)
            assert isinstance(ours, ValueError)
        _, server = self.contexts(version)
        with pytest.raises(ssl.SSLError, match="hint"):
            server.set_psk_server_callback(lambda identity: b"k", "h" * 257)

    def test_an_identity_that_is_no_text(self) -> None:
        """Identities are bytes on the wire; those that are no UTF-8 are unknown here."""
        from fasttls.sessions.psk import ExternalPsk

        _, server = self.contexts()
        called: list[object] = []
        server.set_psk_server_callback(lambda identity: called.append(identity) or b"k")
        find = server._config().find_psk
        assert find(b"\xff\xfe") is None
        assert called == []
        assert isinstance(find("ä".encode()), ExternalPsk)
        assert called == ["ä"]

    def test_callbacks_are_for_their_side(self) -> None:
        client, server = self.contexts()
        with pytest.raises(ssl.SSLError, match="Cannot add PSK server callback to a PROTOCOL_TLS_CLIENT context"):
            client.set_psk_server_callback(lambda identity: b"")
        with pytest.raises(ssl.SSLError, match="Cannot add PSK client callback to a PROTOCOL_TLS_SERVER context"):
            server.set_psk_client_callback(lambda hint: (None, b""))
        for wrong in (1, "callback", object()):
            with pytest.raises(TypeError, match="callable"):
                client.set_psk_client_callback(wrong)
            with pytest.raises(TypeError, match="callable"):
                server.set_psk_server_callback(wrong)

    def test_none_takes_them_away(self, folder: Path) -> None:
        client, server = contexts(folder)
        calls: list[object] = []
        client.set_psk_client_callback(lambda hint: calls.append(hint) or ("a", b"k"))
        client.set_psk_client_callback(None)
        server.set_psk_server_callback(lambda identity: calls.append(identity) or b"k")
        server.set_psk_server_callback(None)
        with connected(client, server):
            pass
        assert calls == []

    @each_version
    def test_an_identity_of_none(self, version: ssl.TLSVersion) -> None:
        client, server = self.contexts(version)
        seen: list[object] = []
        client.set_psk_client_callback(lambda hint: (None, b"key"))
        server.set_psk_server_callback(lambda identity: seen.append(identity) or b"key")
        with connected(client, server):
            pass
        assert set(seen) <= {None, ""}
