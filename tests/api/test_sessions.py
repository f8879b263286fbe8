"""Sessions as programs see them: `SSLSession`, `session=`, `session_reused`, `session_stats()`, the client's cache.

Where `ssl` has the same, both libraries are asked, and must answer alike.
"""

from __future__ import annotations

import asyncio
import copy
import http.client
import os
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import certs
import pytest
from api.peers import (
    SECONDS,
    Context,
    Peer,
    client_context,
    connected,
    each_library,
    each_pair,
    echo,
    server_context,
    serving,
    socket_pair,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import fasttls

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
each_version = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])


def contexts(
    folder: Path,
    client_library: ModuleType = fasttls,
    server_library: ModuleType = fasttls,
    version: ssl.TLSVersion | None = None,
) -> tuple[Any, Any]:
    """Return a client's context and a server's, for one version or both."""
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    if version is not None:
        for context in (client, server):
            context.minimum_version = context.maximum_version = version
    return client, server


@contextmanager
def link(client: Context, server: Context, session: Any = None, host: str = "localhost") -> Iterator[tuple[Any, Any]]:
    """Return two connected sockets, client and server, after a byte from the server: its tickets are in."""
    with socket_pair() as (near, far):
        accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
        more = {} if session is None else {"session": session}
        ours = client.wrap_socket(near, server_hostname=host, **more)
        theirs = accepting.wait()
        with ours, theirs:
            theirs.sendall(b"x")
            assert ours.recv(1) == b"x"
            yield ours, theirs


def first_session(client: Context, server: Context) -> Any:
    """Return the session that a connection leaves."""
    with link(client, server) as (ours, theirs):
        assert not ours.session_reused
        assert not theirs.session_reused
        return ours.session


@contextmanager
def to(context: Context, address: tuple[str, int], host: str = "localhost", **more: Any) -> Iterator[Any]:
    """Connect to a server that echoes, and let one byte go there and back."""
    with (
        socket.create_connection(address, SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host, **more) as wrapped,
    ):
        wrapped.sendall(b"x")
        assert wrapped.recv(1) == b"x"
        yield wrapped


def reused(context: Context, address: tuple[str, int], host: str = "localhost") -> bool:
    """Connect, and return whether a session was gone on with."""
    with to(context, address, host) as wrapped:
        return bool(wrapped.session_reused)


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
        assert hash(one) != hash(other) or one.id == other.id
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
            assert (ours.get_channel_binding("tls-unique") is None) is (version is TLS13)
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
        with socket_pair() as (near, far):
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
        with socket_pair() as (near, far):
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
        with serving(server, echo) as address:
            assert not reused(client, address)
            other = fasttls.create_default_context(cadata=certs.Authority("Other").pem)
            with pytest.raises(fasttls.SSLCertVerificationError):
                reused(other, address)

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
            with socket.create_connection(address, SECONDS) as plain, pytest.raises(ssl.SSLError):
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
        assert sum(results) >= 20
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


class TestServerSettings:
    """Tickets, their number, their lifetime, their keys."""

    @each_library
    def test_num_tickets(self, library: ModuleType, folder: Path) -> None:
        client, server = contexts(folder, library, library)
        assert server.num_tickets == client.num_tickets == 2
        server.num_tickets = 0
        assert server.num_tickets == 0
        with pytest.raises(ValueError, match="num tickets"):
            server.num_tickets = -1
        with pytest.raises(TypeError):
            server.num_tickets = None
        with pytest.raises(TypeError):
            server.num_tickets = "2"
        with pytest.raises(ValueError, match="not a server context"):
            client.num_tickets = 2
        assert server.num_tickets == 0

    @pytest.mark.parametrize("number", [0, 1, 3])
    @each_pair
    def test_as_many_tickets(
        self, client_library: ModuleType, server_library: ModuleType, number: int, folder: Path
    ) -> None:
        client, server = contexts(folder, client_library, server_library, TLS13)
        server.num_tickets = number
        session = first_session(client, server)
        assert session is not None
        assert session.has_ticket is bool(number)
        with link(client, server, session) as (ours, _):
            assert ours.session_reused is bool(number)

    @each_version
    def test_the_lifetime(self, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, version=version)
        assert server.ticket_lifetime == 7200
        server.ticket_lifetime = 300
        session = first_session(client, server)
        assert session.ticket_lifetime_hint == session.timeout == 300
        for wrong in (0, -1, 7 * 86400 + 1):
            with pytest.raises(ValueError, match="seconds"):
                server.ticket_lifetime = wrong
        server.ticket_lifetime = 7 * 86400

    def test_keys_are_an_object_with_two_methods(self, folder: Path) -> None:
        _, server = contexts(folder)
        for wrong in (None, b"key", object()):
            with pytest.raises(TypeError, match="active"):
                server.ticket_keys = wrong
        assert isinstance(server.ticket_keys, fasttls.MemoryTicketKeys)
        assert server.ticket_keys is server.ticket_keys


KINDS = ["memory", "file", "file80", "epoch"]


def make_keys(kind: str, folder: Path) -> Callable[[], Any]:
    """Return what makes a store of a kind; those of two processes have the same keys, but for memory."""
    if kind == "memory":
        kept = fasttls.MemoryTicketKeys()
        return lambda: kept
    if kind == "epoch":
        seed = os.urandom(32)
        return lambda: fasttls.EpochTicketKeys(seed)
    path = folder / f"{kind}-ticket.key"
    path.write_bytes(os.urandom(80 if kind == "file80" else 48))
    return lambda: fasttls.FileTicketKeys(path)


class TestTicketKeys:
    """Servers that share keys go on with each other's sessions."""

    @each_version
    @pytest.mark.parametrize("kind", KINDS)
    def test_two_contexts(self, kind: str, version: ssl.TLSVersion, folder: Path, tmp_path: Path) -> None:
        client, one = contexts(folder, version=version)
        _, other = contexts(folder, version=version)
        make = make_keys(kind, tmp_path)
        one.ticket_keys, other.ticket_keys = make(), make()
        session = first_session(client, one)
        with link(client, other, session) as (ours, _):
            assert ours.session_reused

    @pytest.mark.parametrize("kind", KINDS)
    def test_processes_after_a_fork(self, kind: str, folder: Path, tmp_path: Path) -> None:
        client, server = contexts(folder)
        server.ticket_keys = make_keys(kind, tmp_path)()
        self.check_forked(client, server)

    def test_processes_after_a_fork_without_any_configuration(self, folder: Path) -> None:
        """gunicorn --preload: the context was made before the workers were."""
        self.check_forked(*contexts(folder))

    @staticmethod
    def check_forked(client: Any, server: Any) -> None:
        client.resumption = False
        client.resumption = True
        with socket.create_server(("127.0.0.1", 0)) as listener:
            children = []
            for _ in range(2):
                # Each takes one connection.
                child = os.fork()
                if not child:
                    status = 1
                    with suppress(BaseException):
                        plain, _ = listener.accept()
                        plain.settimeout(SECONDS)
                        with server.wrap_socket(plain, server_side=True) as wrapped:
                            wrapped.sendall(wrapped.recv(1))
                            wrapped.recv(1)
                        status = 0
                    os._exit(status)
                children.append(child)
            found = [reused(client, listener.getsockname()) for _ in range(2)]
            assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
        assert found == [False, True]

    @pytest.mark.parametrize("kind", ["file", "epoch"])
    def test_two_programs(self, kind: str, folder: Path, tmp_path: Path) -> None:
        """Two processes that have nothing in common but the key."""
        path = tmp_path / "ticket.key"
        path.write_bytes(os.urandom(48))
        made = "FileTicketKeys(path)" if kind == "file" else "EpochTicketKeys(open(path, 'rb').read())"
        program = (
            "import socket, sys, fasttls\n"
            "folder, path = sys.argv[1:]\n"
            "context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)\n"
            "context.load_cert_chain(folder + '/server-chain.pem', folder + '/server-key.pem')\n"
            f"context.ticket_keys = fasttls.{made}\n"
            "with socket.create_server(('127.0.0.1', 0)) as listener:\n"
            "    print(listener.getsockname()[1], flush=True)\n"
            "    plain, _ = listener.accept()\n"
            "    with context.wrap_socket(plain, server_side=True) as wrapped:\n"
            "        wrapped.sendall(wrapped.recv(1))\n"
            "        wrapped.recv(1)\n"
        )
        client, _ = contexts(folder)
        processes = [
            subprocess.Popen([sys.executable, "-c", program, str(folder), str(path)], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        try:
            session: Any = None
            for process in processes:
                assert process.stdout is not None
                address = ("127.0.0.1", int(process.stdout.readline()))
                with to(client, address, **({} if session is None else {"session": session})) as wrapped:
                    assert wrapped.session_reused is (session is not None)
                    session = wrapped.session
        finally:
            for process in processes:
                process.kill()
                process.wait(SECONDS)
                assert process.stdout is not None
                process.stdout.close()

    def test_a_file_that_changes(self, folder: Path, tmp_path: Path) -> None:
        """The key that was retired this moment still opens."""
        now = [0.0]
        path = tmp_path / "ticket.key"
        path.write_bytes(os.urandom(48))
        client, server = contexts(folder)
        server.ticket_keys = fasttls.FileTicketKeys(path, clock=lambda: now[0])
        session = first_session(client, server)
        path.write_bytes(os.urandom(80))
        now[0] += 2
        with link(client, server, session) as (ours, _):
            assert ours.session_reused
            following = ours.session
        path.write_bytes(b"half written")
        now[0] += 2
        with link(client, server, following) as (ours, _):
            assert ours.session_reused
        path.unlink()
        now[0] += 2
        with link(client, server, following) as (ours, _):
            assert ours.session_reused

    @pytest.mark.parametrize("size", [0, 47, 49, 79, 81, 1000])
    def test_a_file_that_is_no_key(self, size: int, tmp_path: Path) -> None:
        path = tmp_path / "ticket.key"
        path.write_bytes(bytes(size))
        with pytest.raises(ValueError, match="48 or 80"):
            fasttls.FileTicketKeys(path)
        with pytest.raises(FileNotFoundError):
            fasttls.FileTicketKeys(tmp_path / "nowhere")
        with pytest.raises(ValueError, match="no file"):
            fasttls.FileTicketKeys()

    def test_several_files(self, folder: Path, tmp_path: Path) -> None:
        """nginx: the first seals, all open."""
        paths = [tmp_path / name for name in ("new", "old")]
        for path in paths:
            path.write_bytes(os.urandom(48))
        client, server = contexts(folder)
        _, before = contexts(folder)
        before.ticket_keys = fasttls.FileTicketKeys(paths[1])
        server.ticket_keys = fasttls.FileTicketKeys(*paths)
        session = first_session(client, before)
        with link(client, server, session) as (ours, _):
            assert ours.session_reused
            following = ours.session
        with link(client, before, following) as (ours, _):
            assert not ours.session_reused

    def test_epochs(self, folder: Path) -> None:
        """A key opens in its epoch, in those after it that are kept, and a little before it."""
        seed, now = os.urandom(32), [1_000_000.0]
        client, server = contexts(folder)
        server.ticket_keys = fasttls.EpochTicketKeys(seed, epoch_seconds=1000, kept=1, now=lambda: now[0])
        session = first_session(client, server)
        for later, goes_on in ((-1000, True), (0, True), (1000, True), (2000, False)):
            now[0] = 1_000_000.0 + later
            with link(client, server, session) as (ours, _):
                assert ours.session_reused is goes_on, later
        with pytest.raises(ValueError, match="32 bytes"):
            fasttls.EpochTicketKeys(bytes(31))

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_secret_is_shown(self, kind: str, tmp_path: Path) -> None:
        keys = make_keys(kind, tmp_path)()
        active = keys.active()
        assert bytes(active.secret).hex() not in repr(keys) + repr(active)

    def test_rotation_by_hand(self, folder: Path) -> None:
        keys = fasttls.MemoryTicketKeys(kept=2)
        client, server = contexts(folder)
        server.ticket_keys = keys
        session = first_session(client, server)
        keys.rotate()
        with link(client, server, session) as (ours, _):
            assert ours.session_reused
        keys.rotate()
        with link(client, server, session) as (ours, _):
            assert not ours.session_reused


class TestFrameworks:
    """Programs of the standard library go on with sessions, without a line of theirs."""

    def test_http_client(self, folder: Path) -> None:
        client, server = contexts(folder)

        def handle(sock: Any) -> None:
            sock.recv(4096)
            body = b"again" if sock.session_reused else b"first"
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n" + body)

        found = []
        with serving(server, handle) as address:
            for _ in range(3):
                connection = http.client.HTTPSConnection("localhost", address[1], timeout=SECONDS, context=client)
                connection.request("GET", "/")
                found.append(connection.getresponse().read())
                connection.close()
        assert found == [b"first", b"again", b"again"]

    def test_urllib(self, folder: Path) -> None:
        import urllib.request

        client, server = contexts(folder)

        def handle(sock: Any) -> None:
            sock.recv(4096)
            body = b"again" if sock.session_reused else b"first"
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n" + body)

        with serving(server, handle) as address:
            found = []
            for _ in range(2):
                with urllib.request.urlopen(
                    f"https://localhost:{address[1]}/", context=client, timeout=SECONDS
                ) as answer:
                    found.append(answer.read())
        assert found == [b"first", b"again"]

    @each_version
    def test_asyncio(self, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, version=version)
        client.resumption = True

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(100))
            await writer.drain()
            writer.close()

        async def one(port: int) -> bool:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
            writer.write(b"hello")
            assert await reader.read(100) == b"hello"
            found = writer.get_extra_info("ssl_object").session_reused
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            return bool(found)

        async def run() -> list[bool]:
            listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=server)
            async with listening:
                port = listening.sockets[0].getsockname()[1]
                return [await one(port) for _ in range(3)]

        assert asyncio.run(run()) == [False, True, True]


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
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            given = {} if session is None else {"session": session}
            ours = client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False, **given, **more)
            sent = ours.write_early_data(data)
            ours.do_handshake()
            theirs = accepting.wait()
            with ours, theirs:
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
        return client, server

    @staticmethod
    def both_fail(client: Any, server: Any) -> tuple[BaseException, BaseException | None]:
        """Return what both ends raise."""
        with socket_pair() as (near, far):
            accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
            with pytest.raises(Exception) as caught:  # noqa: PT011 - the caller looks at it
                with client.wrap_socket(near, server_hostname="localhost") as wrapped:
                    wrapped.recv(1)
                    pytest.fail("the client is connected")
            near.close()
            return caught.value, accepting.wait_for_error()

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
        server.set_psk_server_callback(theirs, "the hint")
        with connected(client, server) as (near, far):
            near.sendall(b"x")
            assert far.recv(1) == b"x"
            assert near.getpeercert(True) is None
            assert near.version() == version.name.replace("_", ".").replace("TLSv1", "TLSv1")
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
    def test_an_exception_is_the_callers(self, side: str, version: ssl.TLSVersion) -> None:
        def fails(_: str | None) -> Any:
            raise KeyError("no such key")

        client, server = self.contexts(version)
        client.set_psk_client_callback(fails if side == "client" else lambda hint: ("a", b"k"))
        server.set_psk_server_callback(fails if side == "server" else lambda identity: b"k")
        ours, theirs = self.both_fail(client, server)
        mine, other = (ours, theirs) if side == "client" else (theirs, ours)
        assert isinstance(mine, KeyError)
        assert isinstance(other, OSError)

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
        from fasttls.native._secret import Secret
        from fasttls.sessions.psk import ExternalPsk

        _, server = self.contexts()
        called: list[object] = []
        server.set_psk_server_callback(lambda identity: called.append(identity) or b"k")
        find = server._config().find_psk
        assert find(b"\xff\xfe") is None
        assert called == []
        assert isinstance(find("ä".encode()), ExternalPsk)
        assert called == ["ä"]
        assert Secret

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
