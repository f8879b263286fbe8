"""Sessions as programs see them: `SSLSession`, `session=`, `session_reused`, `session_stats()`, the client's cache.

Where `ssl` has the same, both libraries are asked, and must answer alike.
"""

from __future__ import annotations

import copy
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import certs
import pytest
from api.peers import (
    SECONDS,
    Peer,
    connected,
    each_library,
    each_pair,
    echo,
    serving,
    socket_pair,
)
from api.resuming import TLS12, TLS13, contexts, each_version, first_session, link, reused, to, without_timeouts
from hypothesis import given, settings
from hypothesis import strategies as st

import fasttls


class TestSession:
    """`SSLSession`."""

    @each_version
    @each_library
    def test_attributes(self, library: ModuleType, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, library, library, version)
        session = first_session(client, server)
        assert isinstance(session.id, bytes)
        assert len(session.id) == 32
        assert abs(session.time - time.time()) < 5
        assert isinstance(session.time, int)
        assert isinstance(session.timeout, int)
        assert session.timeout > 0
        assert session.has_ticket is True
        assert session.ticket_lifetime_hint > 0

    @each_version
    @each_library
    def test_without_a_ticket(self, library: ModuleType, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, library, library, version)
        server.options |= ssl.OP_NO_TICKET
        session = first_session(client, server)
        # In TLS 1.3 there is a ticket all the same: the name of a session that the server keeps.
        assert session.has_ticket is (version is TLS13)
        assert (session.ticket_lifetime_hint > 0) is (version is TLS13)
        if library is ssl:
            return  # OpenSSL's server forgets what was not closed in order
        with link(client, server, session) as (ours, theirs):
            assert ours.session_reused
            assert theirs.session_reused

    @each_library
    @pytest.mark.parametrize("name", ["id", "time", "timeout", "ticket_lifetime_hint", "has_ticket"])
    def test_nothing_can_be_changed(self, library: ModuleType, name: str, folder: Path) -> None:
        session = first_session(*contexts(folder, library, library))
        with pytest.raises(AttributeError):
            setattr(session, name, getattr(session, name))
        with pytest.raises(AttributeError):
            delattr(session, name)
        with pytest.raises(AttributeError):
            session.other = 1

    @each_library
    def test_equality(self, library: ModuleType, folder: Path) -> None:
        client, server = contexts(folder, library, library)
        one, other = first_session(client, server), first_session(client, server)
        assert one == one
        assert one != other
        assert one != "a session"
        if library is fasttls:
            assert len({one, other, one}) == 2
        with pytest.raises(TypeError):
            assert one < other  # type: ignore[operator]

    @each_version
    def test_equal_after_a_journey_as_bytes(self, version: ssl.TLSVersion, folder: Path) -> None:
        session = first_session(*contexts(folder, version=version))
        again = fasttls.SSLSession.from_bytes(session.to_bytes())
        assert again == session
        assert hash(again) == hash(session)
        for name in ("id", "time", "timeout", "ticket_lifetime_hint", "has_ticket"):
            assert getattr(again, name) == getattr(session, name)

    @each_library
    @pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_it_is_not_pickled_by_accident(self, library: ModuleType, copied: Callable, folder: Path) -> None:
        session = first_session(*contexts(folder, library, library))
        with pytest.raises(TypeError):
            copied(session)

    def test_nothing_secret_is_shown(self, folder: Path) -> None:
        session = first_session(*contexts(folder))
        secret = bytes(session._session.secret)
        shown = repr(session) + str(session) + repr(session._session)
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown

    @settings(max_examples=150, deadline=None)
    @given(data=st.binary(max_size=200))
    def test_bytes_that_are_no_session(self, data: bytes) -> None:
        with pytest.raises(ValueError, match="session"):
            fasttls.SSLSession.from_bytes(data)

    def test_bytes_that_were_cut(self, folder: Path) -> None:
        data = first_session(*contexts(folder)).to_bytes()
        for size in range(len(data)):
            with pytest.raises(ValueError, match="session"):
                fasttls.SSLSession.from_bytes(data[:size])
        with pytest.raises(ValueError, match="session"):
            fasttls.SSLSession.from_bytes(data + b"\0")

    @each_version
    def test_another_process_goes_on_with_it(self, version: ssl.TLSVersion, folder: Path) -> None:
        program = (
            "import socket, sys, fasttls\n"
            "port, ca, data = int(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.stdin.read())\n"
            "context = fasttls.create_default_context(cafile=ca)\n"
            "with socket.create_connection(('127.0.0.1', port), 20) as plain, context.wrap_socket(\n"
            "    plain, server_hostname='localhost', session=fasttls.SSLSession.from_bytes(data)) as wrapped:\n"
            "    print(wrapped.session_reused)\n"
        )
        client, server = contexts(folder, version=version)
        with serving(server, echo) as address:
            with to(client, address) as wrapped:
                data = wrapped.session.to_bytes()
            done = subprocess.run(
                [sys.executable, "-c", program, str(address[1]), str(folder / "ca.pem")],
                input=data.hex(),
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        assert done.stdout == "True\n", done.stderr


class TestGivenByTheCaller:
    """`session=` and `.session`, on sockets and on objects."""

    @each_version
    @each_pair
    def test_on_a_socket(
        self, client_library: ModuleType, server_library: ModuleType, version: ssl.TLSVersion, folder: Path
    ) -> None:
        client, server = contexts(folder, client_library, server_library, version)
        if server_library is ssl:
            server.set_ciphers("DEFAULT")
        session = first_session(client, server)
        with link(client, server, session) as (ours, theirs):
            assert ours.session_reused is True
            assert theirs.session_reused is True
            if client_library is fasttls:
                assert ours.getpeercert()["subjectAltName"]
            following = ours.session
        with link(client, server, following) as (ours, _):
            assert ours.session_reused

    @each_library
    @each_version
    def test_set_before_the_handshake(self, library: ModuleType, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, library, library, version)
        session = first_session(client, server)
        with socket_pair() as (near, far):
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            with client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False) as ours:
                assert ours.session is None
                assert not ours.session_reused
                ours.session = session
                assert ours.session == session
                ours.do_handshake()
                assert ours.session_reused
                accepting.wait().close()

    @each_library
    @each_version
    def test_on_an_object(self, library: ModuleType, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, library, library, version)
        session: Any = None
        for _ in range(3):
            to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
            ours = client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
            theirs = server.wrap_bio(to_server, to_client, server_side=True)
            for _ in range(4):
                for end in (ours, theirs):
                    with suppress(ssl.SSLWantReadError):
                        end.do_handshake()
            theirs.write(b"x")
            assert ours.read(1) == b"x"
            assert ours.session_reused is theirs.session_reused is (session is not None)
            session = ours.session

    @each_library
    @pytest.mark.parametrize("value", ["a session", b"", 1, object(), None])
    def test_what_is_none(self, library: ModuleType, value: object, folder: Path) -> None:
        client, server = contexts(folder, library, library)
        with connected(client, server) as (ours, _), pytest.raises(TypeError, match="Value is not a SSLSession"):
            ours.session = value  # type: ignore[assignment]

    @each_library
    def test_when_the_handshake_is_over(self, library: ModuleType, folder: Path) -> None:
        client, server = contexts(folder, library, library)
        with link(client, server) as (ours, _), pytest.raises(ValueError, match="Cannot set session after handshake"):
            ours.session = ours.session

    @each_library
    def test_on_the_servers_side(self, library: ModuleType, folder: Path) -> None:
        client, server = contexts(folder, library, library)
        with link(client, server) as (_, theirs):
            assert theirs.session is not None
            with pytest.raises(ValueError, match="server-side"):
                theirs.session = theirs.session

    @each_library
    def test_of_another_context(self, library: ModuleType, folder: Path) -> None:
        client, server = contexts(folder, library, library)
        other, _ = contexts(folder, library, library)
        session = first_session(client, server)
        with socket_pair() as (near, _), pytest.raises(ValueError, match="different SSLContext"):
            other.wrap_socket(near, server_hostname="localhost", session=session)

    @each_library
    @each_version
    def test_for_another_name(self, library: ModuleType, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, library, library, version)
        session = first_session(client, server)
        with link(client, server, session, host="example.com") as (ours, _):
            if library is fasttls:
                assert not ours.session_reused
            assert ours.version()

    @each_version
    @each_pair
    def test_of_a_server_that_does_not_know_it(
        self, client_library: ModuleType, server_library: ModuleType, version: ssl.TLSVersion, folder: Path
    ) -> None:
        client, server = contexts(folder, client_library, server_library, version)
        _, other = contexts(folder, client_library, server_library, version)
        session = first_session(client, server)
        with link(client, other, session) as (ours, theirs):
            assert not ours.session_reused
            assert not theirs.session_reused

    @each_version
    def test_a_resumed_connection_is_whole(self, version: ssl.TLSVersion, folder: Path) -> None:
        """Certificate, verified chain, protocols and exporters are there, though no certificate was sent."""
        client, server = contexts(folder, version=version)
        for context in (client, server):
            context.set_alpn_protocols(["h2"])
        session = first_session(client, server)
        with link(client, server, session) as (ours, theirs):
            assert ours.session_reused
            assert ours.getpeercert(True) == certs.server_credential().der
            assert len(ours.get_verified_chain()) == 2
            assert ours.selected_alpn_protocol() == theirs.selected_alpn_protocol() == "h2"
            assert ours.export_keying_material("x", 16) == theirs.export_keying_material("x", 16)
            assert ours.get_channel_binding("tls-unique") == theirs.get_channel_binding("tls-unique")
            assert ours.get_channel_binding("tls-unique") is not None
            assert ours.server_side is False
            assert theirs.server_hostname in (None, "localhost")

    @each_version
    def test_it_is_verified_again(self, version: ssl.TLSVersion, folder: Path) -> None:
        """Bytes of a session from a process that verified nothing."""
        stranger = certs.Authority("Stranger").issue("localhost")
        client, server = contexts(folder, version=version)
        server.load_cert_chain(*stranger.write(folder, "stranger"))
        lax = fasttls.create_unverified_context()
        lax.minimum_version = lax.maximum_version = version
        data = first_session(lax, server).to_bytes()
        with without_timeouts() as (near, far):
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            with pytest.raises(fasttls.SSLCertVerificationError):
                client.wrap_socket(near, server_hostname="localhost", session=fasttls.SSLSession.from_bytes(data))
            assert accepting.wait_for_error() is not None

    @each_library
    @each_version
    def test_the_servers_tickets_are_not_those_of_the_client(
        self, library: ModuleType, version: ssl.TLSVersion, folder: Path
    ) -> None:
        """A client certificate is known to the server after a resumption."""
        client, server = contexts(folder, library, library, version)
        client.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem")
        server.load_verify_locations(folder / "ca.pem")
        server.verify_mode = ssl.CERT_REQUIRED
        if library is ssl:
            return  # needs a session id context, which `ssl` does not let one set
        session = first_session(client, server)
        with link(client, server, session) as (ours, theirs):
            assert ours.session_reused
            assert theirs.getpeercert(True) == certs.client_credential().der


class TestStats:
    """`session_stats()`."""

    @each_library
    def test_at_first(self, library: ModuleType, folder: Path) -> None:
        client, _ = contexts(folder, library, library)
        assert client.session_stats() == dict.fromkeys(ssl.create_default_context().session_stats(), 0)

    @each_version
    @each_library
    def test_what_was_counted(self, library: ModuleType, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, library, library, version)
        session = first_session(client, server)
        for _ in range(2):
            with link(client, server, session) as (ours, _):
                session = ours.session
        ours, theirs = client.session_stats(), server.session_stats()
        wanted = {"connect": 3, "connect_good": 3, "accept": 0, "accept_good": 0, "connect_renegotiate": 0, "hits": 2}
        assert {name: ours[name] for name in wanted} == wanted
        wanted = {"connect": 0, "connect_good": 0, "accept": 3, "accept_good": 3, "accept_renegotiate": 0, "hits": 2}
        assert {name: theirs[name] for name in wanted} == wanted

    @each_library
    def test_a_handshake_that_fails_is_no_good_one(self, library: ModuleType, folder: Path) -> None:
        client, server = contexts(folder, library, library)
        with without_timeouts() as (near, far):
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            with pytest.raises(ssl.SSLCertVerificationError):
                client.wrap_socket(near, server_hostname="other.example")
            accepting.wait_for_error()
        assert (client.session_stats()["connect"], client.session_stats()["connect_good"]) == (1, 0)
        assert server.session_stats()["accept"] == 1
        if library is fasttls:  # with TLS 1.3, OpenSSL's server may be done before the alert comes
            assert server.session_stats()["accept_good"] == 0


class TestTheClientsCache:
    """On by default, by host, port, protocols and verification settings."""

    @each_version
    def test_the_second_connection_goes_on(self, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, version=version)
        with serving(server, echo) as address:
            assert [reused(client, address) for _ in range(4)] == [False, True, True, True]
        assert client.session_stats()["hits"] == 3

    def test_other_ports_and_names_have_their_own(self, folder: Path) -> None:
        client, server = contexts(folder)
        with serving(server, echo) as address, serving(server, echo) as other:
            assert not reused(client, address)
            assert not reused(client, other)
            assert not reused(client, address, "example.com")
            assert reused(client, address)
            assert reused(client, other)
            assert reused(client, address, "example.com")

    def test_other_protocols_have_their_own(self, folder: Path) -> None:
        client, server = contexts(folder)
        with serving(server, echo) as address:
            client.set_alpn_protocols(["h2"])
            assert not reused(client, address)
            client.set_alpn_protocols(["http/1.1"])
            assert not reused(client, address)
            client.set_alpn_protocols(["h2"])
            assert reused(client, address)

    CHANGES: list[Callable[[Any, Path], None]] = [
        lambda context, folder: setattr(context, "check_hostname", False),
        lambda context, folder: setattr(context, "verify_flags", context.verify_flags ^ ssl.VERIFY_X509_STRICT),
        lambda context, folder: setattr(context, "minimum_version", TLS13),
        lambda context, folder: context.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem"),
    ]

    @pytest.mark.parametrize("change", CHANGES)
    def test_other_settings_have_their_own(self, change: Callable, folder: Path) -> None:
        client, server = contexts(folder)
        with serving(server, echo) as address:
            assert not reused(client, address)
            change(client, folder)
            assert not reused(client, address)

    def test_a_root_that_is_gone_is_gone(self, folder: Path) -> None:
        """Other contexts have caches of their own."""
        client, server = contexts(folder)
        first_session(client, server)
        other = fasttls.create_default_context(cadata=certs.Authority("Other").pem)
        with without_timeouts() as (near, far):
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            with pytest.raises(fasttls.SSLCertVerificationError):
                other.wrap_socket(near, server_hostname="localhost")
            assert accepting.wait_for_error() is not None

    def test_a_ticket_of_tls13_is_used_once(self, folder: Path) -> None:
        """RFC 8446 Appendix C.4: whoever watches does not see that it is the same client."""
        client, server = contexts(folder, version=TLS13)
        offered = []

        def observe(sent: bool, kind: int, data: bytes) -> None:
            if sent and kind == 22 and data[0] == 1:
                offered.append(data)

        with serving(server, echo) as address:
            assert not reused(client, address)
            client.observer = observe
            socks = []
            for _ in range(3):
                plain = socket.create_connection(address, SECONDS)
                socks.append(client.wrap_socket(plain, server_hostname="localhost"))
            # Two tickets came with the first connection; there is none for the third.
            assert [sock.session_reused for sock in socks] == [True, True, False]
            for sock in socks:
                sock.close()
        from fasttls.native._wire import Reader
        from fasttls.wire.messages import ClientHello

        tickets = [ClientHello.read(Reader(data, 4)).extensions.get(41) for data in offered]
        identities = [offer.identities[0].identity for offer in tickets if offer is not None]
        assert len(identities) == len(set(identities)) == 2

    def test_a_session_of_tls12_is_used_again(self, folder: Path) -> None:
        client, server = contexts(folder, version=TLS12)
        with serving(server, echo) as address:
            assert not reused(client, address)
            socks = []
            for _ in range(3):
                plain = socket.create_connection(address, SECONDS)
                socks.append(client.wrap_socket(plain, server_hostname="localhost"))
            assert [sock.session_reused for sock in socks] == [True, True, True]
            for sock in socks:
                sock.close()

    def test_it_can_be_turned_off(self, folder: Path) -> None:
        client, server = contexts(folder)
        assert client.resumption is True
        client.resumption = False
        with serving(server, echo) as address:
            assert [reused(client, address) for _ in range(2)] == [False, False]
            assert client.session_stats()["number"] == 0
            client.resumption = True
            assert [reused(client, address) for _ in range(2)] == [False, True]
            client.resumption = False
            assert client.session_stats()["number"] == 0
            assert not reused(client, address)

    def test_a_server_can_turn_it_off(self, folder: Path) -> None:
        client, server = contexts(folder)
        server.resumption = False
        with serving(server, echo) as address:
            assert [reused(client, address) for _ in range(2)] == [False, False]

    @each_version
    def test_the_callers_session_goes_before(self, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, version=version)
        _, other = contexts(folder, version=version)
        stale = first_session(client, other)
        with serving(server, echo) as address:
            assert not reused(client, address)
            with to(client, address, session=stale) as wrapped:
                assert not wrapped.session_reused
            assert reused(client, address)

    @each_version
    def test_a_connection_that_fails_forgets(self, version: ssl.TLSVersion, folder: Path) -> None:
        """RFC 5246 §7.2.2: whatever spoils a resumption spoils no second connection."""
        client, server = contexts(folder, version=version)
        broken = threading.Event()

        def handle(sock: Any) -> None:
            echo(sock)

        with serving(server, handle) as address:
            assert not reused(client, address)
            assert client.session_stats()["number"] > 0
            broken.set()
        port = address[1]
        with socket.create_server(("127.0.0.1", port)) as listener:
            listener.settimeout(SECONDS)

            def refuse() -> None:
                plain, _ = listener.accept()
                with plain:
                    plain.recv(4096)
                    plain.sendall(b"\x15\x03\x03\0\2\2\x28")

            refusing = Peer(refuse)
            with socket.create_connection(address) as plain, pytest.raises(ssl.SSLError):
                client.wrap_socket(plain, server_hostname="localhost")
            refusing.wait()
        assert client.session_stats()["number"] == 0

    def test_it_is_bounded(self, folder: Path) -> None:
        client, server = contexts(folder)
        session = first_session(client, server)._session
        cache = client._client_sessions
        for number in range(1000):
            for _ in range(10):
                cache.keep(("localhost", number), session)
        assert client.session_stats()["number"] <= 256 * 4
        assert cache.take(("localhost", 0), time.time()) is None
        assert cache.take(("localhost", 999), time.time()) is not None

    @each_version
    def test_threads(self, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, version=version)
        with serving(server, echo) as address:
            assert not reused(client, address)
            workers = [Peer(lambda: [reused(client, address) for _ in range(5)]) for _ in range(6)]
            results = [one for worker in workers for one in worker.wait()]
        assert sum(results) >= 6
        stats = client.session_stats()
        assert stats["connect_good"] == 31
        assert stats["hits"] == sum(results)

    def test_without_a_port_by_name_when_asked(self, folder: Path) -> None:
        """Over memory BIOs nobody knows the port."""
        for wanted in (False, True):
            client, server = contexts(folder)
            if wanted:
                client.resumption = True
            found = []
            for _ in range(2):
                to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
                ours = client.wrap_bio(to_client, to_server, server_hostname="localhost")
                theirs = server.wrap_bio(to_server, to_client, server_side=True)
                for _ in range(4):
                    for end in (ours, theirs):
                        with suppress(ssl.SSLWantReadError):
                            end.do_handshake()
                theirs.write(b"x")
                assert ours.read(1) == b"x"
                found.append(ours.session_reused)
            assert found == [False, wanted]
