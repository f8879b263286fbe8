"""TLS 1.2 goes on with sessions, by ticket and by id (RFC 5246 §7.3 figure 2, RFC 5077, RFC 7627 §5.3).

What is wrong with a session makes a full handshake; what is wrong with the abbreviated handshake is a fatal alert.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import certs
import pytest
import sessions
from harness import (
    CCS,
    DATA,
    HANDSHAKE,
    Pair,
    client_config,
    credential,
    expect,
    framed,
    on_message,
    on_type,
    record,
    trust,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from rfc8446.resuming import Clock, exchange, go_on, hellos, left_by, resumed, sent_types, tickets_of
from sessions import carry

from fasttls.connection import Connection
from fasttls.crypto.suites12 import SUITES12
from fasttls.events import TicketReceived
from fasttls.handshake import client12, client12_resumed, server12_resumed
from fasttls.handshake.config import Config, PeerCertificate
from fasttls.handshake.flight import SendChangeCipherSpec
from fasttls.handshake.state import State
from fasttls.sessions.cache import ServerSessions
from fasttls.sessions.keys import MemoryTicketKeys
from fasttls.sessions.session import Session
from fasttls.trust.verdicts import CertificateRejected
from fasttls.wire.alerts import (
    AlertReceived,
    DecodeError,
    DecryptError,
    HandshakeFailure,
    IllegalParameter,
    TLSError,
    UnexpectedMessage,
    UnsupportedExtension,
)
from fasttls.wire.iana import ContentType, ExtensionType, HandshakeType
from fasttls.wire.messages import ClientHello, ServerHello
from fasttls.wire.messages12 import ChangeCipherSpec, NewSessionTicket

ONLY12 = {"minimum_version": 0x0303, "maximum_version": 0x0303}
X = ExtensionType
BY = pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "id"])


def client_and_server(**both: Any) -> tuple[Config, Config]:
    return sessions.client_and_server(**{**ONLY12, **both})


def no_certificate(pair: Pair) -> bool:
    """Whether the handshake was abbreviated on the wire."""
    return HandshakeType.CERTIFICATE not in sent_types(pair.server, pair)


CERTIFIED = [code for code, suite in SUITES12.items() if not suite.key_exchange.uses_psk]


@BY
@pytest.mark.parametrize("suite", CERTIFIED)
def test_every_suite(suite: int, tickets: bool) -> None:
    client, server = client_and_server(suites=(suite,), tickets=tickets)
    if "ECDSA" not in SUITES12[suite].name:
        server = replace(server, credentials=(credential(certs.server_credential("rsa")),))
    session = left_by(client, server)
    assert bool(session.ticket) is tickets
    pair = go_on(client, server, session)
    assert resumed(pair)
    assert no_certificate(pair)
    for end in (pair.client, pair.server):
        assert end.negotiated is not None
        assert end.negotiated.suite == suite
        assert end.negotiated.group is None
        assert end.negotiated.extended_master_secret
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.peer_chain == session.peer_chain
    assert pair.client.negotiated.verified_path


@BY
def test_a_session_may_be_gone_on_with_more_than_once(tickets: bool) -> None:
    client, server = client_and_server(tickets=tickets)
    session = left_by(client, server)
    pairs = [go_on(client, server, session) for _ in range(3)]
    assert all(resumed(pair) for pair in pairs)
    assert len({pair.client.export_keying_material(b"EXPORTER-x", 16) for pair in pairs}) == 3


@BY
def test_what_both_sides_agree_on(tickets: bool) -> None:
    """tls-unique is the first Finished, which is the server's here (RFC 5929 §3.1)."""
    client, server = client_and_server(tickets=tickets, alpn=(b"h2",))
    finished: list[bytes] = []

    def keep(body: bytes) -> bytes:
        finished.append(body)
        return body

    session = left_by(client, server)
    pair = go_on(client, server, session, server_alters=on_type(20, keep))
    ours, theirs = pair.client.negotiated, pair.server.negotiated
    assert ours is not None
    assert theirs is not None
    for name in ("version", "suite", "alpn", "client_random", "server_random", "tls_unique", "legacy_session_id"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.tls_unique == finished[0]
    assert ours.alpn == b"h2"


def test_the_key_log_has_the_master_secret_under_the_new_random() -> None:
    logs: list[tuple[str, bytes, bytes]] = []
    client, server = client_and_server()
    log = {"key_log": lambda *entry: logs.append((entry[0], entry[1], bytes(entry[2])))}
    session = left_by(replace(client, **log), server)
    pair = go_on(replace(client, **log), replace(server, **log), session)
    assert resumed(pair)
    first, ours, theirs = logs
    assert ours == theirs
    assert first[0] == ours[0] == "CLIENT_RANDOM"
    assert first[1] != ours[1]
    assert first[2] == ours[2]


def test_an_id_is_echoed() -> None:
    """RFC 5246 §7.4.1.3; and with a ticket the client makes one up, which the server echoes (RFC 5077 §3.4)."""
    for tickets in (True, False):
        client, server = client_and_server(tickets=tickets)
        session = left_by(client, server)
        pair = go_on(client, server, session)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.legacy_session_id
        assert tickets or pair.client.negotiated.legacy_session_id == session.session_id


class TestTicketsAndIds:
    """RFC 5077 §3.2 to §3.4."""

    def test_a_ticket_is_asked_for_and_promised(self) -> None:
        client, server = client_and_server()
        seen: list[ServerHello] = []
        pair = Pair(client, server, server_alters=on_message(ServerHello, seen.append)).connect()
        assert hellos(pair)[0].extensions[X.SESSION_TICKET] == b""
        assert X.SESSION_TICKET in seen[0].extensions
        assert seen[0].legacy_session_id_echo == b""

    def test_a_client_that_takes_no_tickets_gets_an_id(self) -> None:
        client, server = client_and_server()

        def without(hello: ClientHello) -> None:
            hello.extensions.pop(X.SESSION_TICKET, None)

        alters = on_message(ClientHello, without)
        pair = Pair(client, server, client_alters=alters)
        (session,) = tickets_of(carry(pair))
        assert not session.ticket
        assert len(session.session_id) == 32
        assert resumed(go_on(client, server, session, client_alters=alters))

    def test_a_client_that_does_not_resume_gets_neither(self) -> None:
        _, server = client_and_server()
        pair = Pair(client_config(**ONLY12), server)
        assert [event for event in carry(pair) if isinstance(event, TicketReceived)] == []

    def test_a_server_that_does_not_resume_gives_neither(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, replace(server, resumption=False))
        assert tickets_of(carry(pair)) == []
        assert pair.client.connected

    def test_a_server_without_store_and_keys(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, replace(server, ticket_keys=None, server_sessions=None))
        assert tickets_of(carry(pair)) == []
        assert pair.client.connected

    def test_a_ticket_is_not_renewed_without_a_reason(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, server, session=left_by(client, server))
        assert tickets_of(carry(pair)) == []
        assert HandshakeType.NEW_SESSION_TICKET not in sent_types(pair.server, pair)

    def test_a_ticket_is_renewed_when_the_key_was_rotated(self) -> None:
        clock = Clock()
        client, server = client_and_server()
        server = replace(server, ticket_keys=MemoryTicketKeys(3600, now=clock))
        session = left_by(client, server)
        clock.now += 4000
        pair = Pair(client, server, session=session)
        (fresh,) = tickets_of(carry(pair))
        assert resumed(pair)
        exchange(pair)
        assert fresh.ticket != session.ticket
        assert bytes(fresh.secret) == bytes(session.secret)
        assert fresh.peer_chain == session.peer_chain
        again = go_on(client, server, fresh)
        assert resumed(again)
        assert HandshakeType.NEW_SESSION_TICKET not in sent_types(again.server, again)

    def test_a_ticket_of_keys_that_are_gone(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        pair = Pair(client, replace(server, ticket_keys=MemoryTicketKeys()), session=session)
        (fresh,) = tickets_of(carry(pair))
        assert not resumed(pair)
        assert fresh.ticket != session.ticket

    @pytest.mark.parametrize("hint", [0, 1, 300, 0xFFFFFFFF])
    def test_the_lifetime_is_a_hint(self, hint: int) -> None:
        """RFC 5077 §3.3: 0 says nothing; and it is never more than seven days."""
        clock = Clock()
        client, server = client_and_server(now=clock)

        def change(message: NewSessionTicket) -> None:
            message.ticket_lifetime_hint = hint

        pair = Pair(client, server, server_alters=on_message(NewSessionTicket, change))
        (session,) = tickets_of(carry(pair))
        assert session.expired(clock.now + min(hint or 7200, 604800) + 1)
        assert not session.expired(clock.now + min(hint or 7200, 604800) - 1)

    @BY
    def test_expiry_on_either_side(self, tickets: bool) -> None:
        clock, late = Clock(), Clock()
        client, server = client_and_server(tickets=tickets, now=clock)
        session = left_by(client, server)
        late.now = clock.now + 7201
        assert not resumed(go_on(client, replace(server, now=late), session))
        pair = go_on(replace(client, now=late), server, session)
        assert not resumed(pair)
        assert hellos(pair)[0].extensions[X.SESSION_TICKET] == b""

    def test_an_empty_ticket_is_no_session(self) -> None:
        """RFC 5077 §3.3: what was promised cannot be given after all; the connection is as good as any."""
        client, server = client_and_server()

        def change(message: NewSessionTicket) -> None:
            message.ticket = b""

        pair = Pair(client, server, server_alters=on_message(NewSessionTicket, change))
        assert tickets_of(carry(pair)) == []
        exchange(pair)

    def test_a_server_whose_key_is_gone_in_the_middle_gives_an_empty_one(self) -> None:
        class Fading:
            keys = MemoryTicketKeys()
            asked = 0

            def active(self) -> Any:
                self.asked += 1
                return self.keys.active() if self.asked == 1 else None

            def find(self, name: bytes) -> Any:
                return None

        client, server = client_and_server()
        pair = Pair(client, replace(server, ticket_keys=Fading()))
        assert tickets_of(carry(pair)) == []
        assert HandshakeType.NEW_SESSION_TICKET in sent_types(pair.server, pair)
        exchange(pair)

    @pytest.mark.parametrize("body", [b"", bytes(4), bytes(5), bytes(4) + b"\0\2a", bytes(4) + b"\0\1ab"])
    def test_a_malformed_one(self, body: bytes) -> None:
        client, server = client_and_server()
        pair = Pair(client, server, server_alters=on_type(HandshakeType.NEW_SESSION_TICKET, lambda _: body))
        expect(pair, pair.client, DecodeError, pair.run, readable=False)

    def test_the_store_is_bounded(self) -> None:
        client, server = client_and_server(tickets=False)
        server = replace(server, server_sessions=ServerSessions(2))
        first, second, third = (left_by(client, server) for _ in range(3))
        assert not resumed(go_on(client, server, first))
        assert resumed(go_on(client, server, third))
        assert second.session_id != third.session_id

    @pytest.mark.parametrize("size", [60000, 65535])
    def test_a_ticket_that_a_hello_cannot_hold_is_never_an_error(self, size: int) -> None:
        client, server = client_and_server()
        client = replace(client, limits=replace(client.limits, handshake_message=1 << 17))

        def change(message: NewSessionTicket) -> None:
            message.ticket = bytes(size)

        pair = Pair(client, server, server_alters=on_message(NewSessionTicket, change))
        (session,) = tickets_of(carry(pair)) or (None,)
        lenient = replace(server, limits=replace(server.limits, handshake_message=1 << 17))
        assert not resumed(go_on(client, lenient, session))


class TestThePromise:
    """RFC 5077 §3.3: whoever promises a ticket sends one, there and then."""

    @staticmethod
    def full(**more: Any) -> Pair:
        client, server = client_and_server()
        return Pair(client, server, **more)

    @staticmethod
    def renewing(**more: Any) -> Pair:
        clock = Clock()
        client, server = client_and_server()
        server = replace(server, ticket_keys=MemoryTicketKeys(3600, now=clock))
        session = left_by(client, server)
        clock.now += 4000
        return Pair(client, server, session=session, **more)

    MAKERS = pytest.mark.parametrize("make", [full, renewing], ids=["full", "abbreviated"])

    @MAKERS
    def test_none_is_sent(self, make: Callable[..., Pair]) -> None:
        pair = make(server_alters=on_type(HandshakeType.NEW_SESSION_TICKET, lambda _: None))
        expect(pair, pair.client, UnexpectedMessage, pair.run, readable=False)

    @MAKERS
    def test_two_are_sent(self, make: Callable[..., Pair]) -> None:
        pair = make(server_alters=lambda m: (m, m) if m[0] == HandshakeType.NEW_SESSION_TICKET else (m,))
        expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE", readable=False)

    @MAKERS
    def test_one_behind_the_change_of_keys(self, make: Callable[..., Pair]) -> None:
        pair = make()
        pair.inject("server", HANDSHAKE, NewSessionTicket(1, b"x").encode(), {HandshakeType.FINISHED})
        expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE", readable=False)

    def test_one_that_was_not_promised(self) -> None:
        _, server = client_and_server()
        pair = Pair(client_config(**ONLY12), server)
        before_change_cipher_spec(pair, "server", HANDSHAKE, NewSessionTicket(1, b"x").encode())
        expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE", readable=False)

    def test_one_that_was_not_promised_in_an_abbreviated_handshake(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, server, session=left_by(client, server))
        before_change_cipher_spec(pair, "server", HANDSHAKE, NewSessionTicket(1, b"x").encode())
        expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE", readable=False)

    def test_one_when_the_connection_is_made(self) -> None:
        pair = self.full().connect()
        pair.server._seal(HANDSHAKE, NewSessionTicket(1, b"x").encode())
        data = pair.server.take_output()
        expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(data))

    def test_a_promise_to_a_client_that_did_not_ask(self) -> None:
        """RFC 5246 §7.4.1.4: unsupported_extension."""
        _, server = client_and_server()

        def promise(hello: ServerHello) -> None:
            hello.extensions[X.SESSION_TICKET] = None

        pair = Pair(client_config(**ONLY12), server, server_alters=on_message(ServerHello, promise))
        expect(pair, pair.client, UnsupportedExtension, pair.run)

    def test_a_ticket_counts_only_with_the_servers_finished(self) -> None:
        pair = self.full(server_alters=on_type(20, lambda body: bytes(12)))
        told: list[Any] = []
        with pytest.raises(DecryptError):
            told += carry(pair)
        assert tickets_of(told) == []


class TestServersThatPretend:
    """What a client refuses in a ServerHello (RFC 5246 §7.4.1.3)."""

    @BY
    def test_another_suite(self, tickets: bool) -> None:
        client, server = client_and_server(tickets=tickets)
        session = left_by(client, server)

        def change(hello: ServerHello) -> None:
            hello.cipher_suite = next(code for code in (0xC02B, 0xC02C) if code != session.suite)

        pair = Pair(client, server, session=session, server_alters=on_message(ServerHello, change))
        expect(pair, pair.client, IllegalParameter, pair.run, "OLD_SESSION_CIPHER_NOT_RETURNED")

    @pytest.mark.parametrize("both", [{}, ONLY12])
    def test_the_id_of_no_session(self, both: dict[str, Any]) -> None:
        """A client that resumes, and has nothing to go on with."""
        client, server = sessions.client_and_server()
        pair = Pair(client, replace(server, **ONLY12))
        pair.client.start()
        echoed = pair.client._machine.state.hello.legacy_session_id  # type: ignore[attr-defined]

        def echo(hello: ServerHello) -> None:
            hello.legacy_session_id_echo = echoed

        pair.server._machine.alter = on_message(ServerHello, echo)  # type: ignore[attr-defined]
        expect(pair, pair.client, IllegalParameter, pair.run, "INVALID_SESSION_ID")

    @BY
    def test_another_id_is_a_full_handshake(self, tickets: bool) -> None:
        client, server = client_and_server(tickets=tickets)
        session = left_by(client, server)
        other = replace(server, server_sessions=ServerSessions(), ticket_keys=MemoryTicketKeys() if tickets else None)
        pair = go_on(client, other, session)
        assert not resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.legacy_session_id != session.session_id or tickets

    @BY
    def test_a_server_that_does_not_have_the_secret(self, tickets: bool) -> None:
        """It echoes the id and goes on with keys of its own: its Finished does not decrypt."""
        from fasttls.native._secret import Secret

        client, server = client_and_server(tickets=tickets)
        session = left_by(client, server)
        pair = Pair(client, server, session=replace(session, secret=Secret(bytes(48))))
        expect(pair, pair.client, TLSError, pair.run, readable=False)
        assert not pair.client.connected

    @BY
    def test_a_certificate_in_an_abbreviated_handshake(self, tickets: bool) -> None:
        client, server = client_and_server(tickets=tickets)
        pair = Pair(client, server, session=left_by(client, server))
        before_change_cipher_spec(pair, "server", HANDSHAKE, framed(11, b"\0\0\0"))
        expect(pair, pair.client, UnexpectedMessage, pair.run, readable=False)

    @pytest.mark.parametrize("alpn", [b"http/1.1"])
    def test_a_protocol_that_was_not_offered(self, alpn: bytes) -> None:
        client, server = client_and_server(alpn=(b"h2",))

        def change(hello: ServerHello) -> None:
            hello.extensions[X.ALPN] = alpn

        pair = Pair(client, server, session=left_by(client, server), server_alters=on_message(ServerHello, change))
        expect(pair, pair.client, IllegalParameter, pair.run)


LEGACY = {"require_extended_master_secret": False}


def without_ems(hello: ClientHello) -> None:
    hello.extensions.pop(X.EXTENDED_MASTER_SECRET, None)


class TestExtendedMasterSecret:
    """RFC 7627 §5.3: both handshakes have it, or neither."""

    @staticmethod
    def session(client: Config, server: Config, *, extended: bool) -> Session:
        more = {} if extended else {"client_alters": on_message(ClientHello, without_ems)}
        pair = Pair(client, server, **more)
        (session,) = tickets_of(carry(pair))
        assert session.extended_master_secret is extended
        return session

    @BY
    def test_both_have_it(self, tickets: bool) -> None:
        client, server = client_and_server(**LEGACY, tickets=tickets)
        pair = go_on(client, server, self.session(client, server, extended=True))
        assert resumed(pair)
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.extended_master_secret

    @BY
    def test_the_session_alone_has_it(self, tickets: bool) -> None:
        """The server MUST abort the abbreviated handshake."""
        client, server = client_and_server(**LEGACY, tickets=tickets)
        session = self.session(client, server, extended=True)
        pair = Pair(client, server, session=session, client_alters=on_message(ClientHello, without_ems))
        expect(pair, pair.server, HandshakeFailure, pair.run)

    @BY
    def test_the_new_hello_alone_has_it(self, tickets: bool) -> None:
        """The server MUST make a full handshake."""
        client, server = client_and_server(**LEGACY, tickets=tickets)
        pair = go_on(client, server, self.session(client, server, extended=False))
        assert not resumed(pair)
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.extended_master_secret

    @BY
    def test_neither_has_it(self, tickets: bool) -> None:
        """It is allowed where the old way is, and refused where it is not."""
        client, server = client_and_server(**LEGACY, tickets=tickets)
        session = self.session(client, server, extended=False)
        alters = {"client_alters": on_message(ClientHello, without_ems)}
        pair = Pair(client, server, session=session, **alters)
        carry(pair)
        assert resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.tls_unique is None
        strict = replace(server, require_extended_master_secret=True)
        pair = Pair(client, strict, session=session, **alters)
        expect(pair, pair.server, HandshakeFailure, pair.run, "EXTENDED_MASTER_SECRET_MISSING")

    @BY
    @pytest.mark.parametrize("extended", [True, False])
    def test_a_server_that_changes_it(self, tickets: bool, extended: bool) -> None:
        """The client MUST abort, whichever way it changes."""
        client, server = client_and_server(**LEGACY, tickets=tickets)
        session = self.session(client, server, extended=extended)

        def change(hello: ServerHello) -> None:
            if extended:
                del hello.extensions[X.EXTENDED_MASTER_SECRET]

        def say(hello: ServerHello) -> None:
            hello.extensions[X.EXTENDED_MASTER_SECRET] = None

        # A client that offers it; the server is made to believe that it does not, where the session has none.
        alters: dict[str, Any] = {"server_alters": on_message(ServerHello, change)}
        if not extended:
            alters = {
                "server_alters": on_message(ServerHello, say),
                "client_alters": on_message(ClientHello, without_ems),
            }
        pair = Pair(client, server, session=session, **alters)
        expect(pair, pair.client, HandshakeFailure, pair.run, "INCONSISTENT_EXTMS")

    def test_the_client_requires_it(self) -> None:
        """A session from before it was required is not gone on with."""
        client, server = client_and_server(**LEGACY)
        session = self.session(client, server, extended=False)
        strict = replace(client, require_extended_master_secret=True)
        pair = go_on(strict, server, session)
        assert not resumed(pair)


class TestConsistency:
    """Name, protocol, suite, version and client certificate (RFC 5246 §7.4.1.2, RFC 6066 §3, RFC 7301 §3.1)."""

    @BY
    def test_another_name(self, tickets: bool) -> None:
        client, server = client_and_server(tickets=tickets)
        session = left_by(client, server)
        pair = go_on(client, server, session, name="example.com")
        assert not resumed(pair)
        assert hellos(pair)[0].extensions[X.SESSION_TICKET] == b""
        # A client that offers it all the same.
        assert not resumed(go_on(client, server, replace(session, server_name="example.com"), name="example.com"))

    @BY
    def test_the_name_is_not_confirmed_in_an_abbreviated_handshake(self, tickets: bool) -> None:
        """RFC 6066 §3: the server MUST NOT include server_name when it resumes."""
        client, server = client_and_server(tickets=tickets)
        server = replace(server, select_config=lambda info: None)
        seen: list[ServerHello] = []
        alters = on_message(ServerHello, seen.append)
        (session,) = tickets_of(carry(Pair(client, server, server_alters=alters)))
        assert resumed(go_on(client, server, session, server_alters=alters))
        assert [X.SERVER_NAME in hello.extensions for hello in seen] == [True, False]

    @BY
    def test_the_protocol_is_chosen_anew(self, tickets: bool) -> None:
        client, server = client_and_server(tickets=tickets, alpn=(b"h2", b"http/1.1"))
        session = left_by(client, server)
        pair = go_on(client, replace(server, alpn=(b"http/1.1",)), session)
        assert resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.alpn == b"http/1.1"

    @BY
    def test_a_suite_that_is_not_there_any_more(self, tickets: bool) -> None:
        client, server = client_and_server(tickets=tickets)
        session = left_by(client, server)
        others = tuple(code for code in (0xC02B, 0xC02C, 0xCCA9) if code != session.suite)
        assert not resumed(go_on(client, replace(server, suites=others), session))
        pair = go_on(replace(client, suites=others), server, session)
        assert not resumed(pair)
        assert hellos(pair)[0].extensions[X.SESSION_TICKET] == b""

    @BY
    def test_a_suite_that_the_hello_does_not_list(self, tickets: bool) -> None:
        """A client that offers a session and leaves out its suite: RFC 5246 §7.4.1.2 says that it MUST list it."""
        client, server = client_and_server(tickets=tickets)
        session = left_by(client, server)

        def without(hello: ClientHello) -> None:
            hello.cipher_suites = tuple(code for code in hello.cipher_suites if code != session.suite)

        pair = go_on(client, server, session, client_alters=on_message(ClientHello, without))
        assert not resumed(pair)

    @BY
    def test_a_server_that_speaks_tls13_by_now(self, tickets: bool) -> None:
        client, server = sessions.client_and_server(tickets=tickets)
        old = left_by(replace(client, **ONLY12), server)
        pair = go_on(client, server, old)
        assert not resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.version == 0x0304

    @BY
    def test_a_client_of_both_versions_goes_on_in_tls12(self, tickets: bool) -> None:
        client, server = sessions.client_and_server(tickets=tickets)
        server = replace(server, **ONLY12)
        assert resumed(go_on(client, server, left_by(client, server)))

    @BY
    @pytest.mark.parametrize("mode", [PeerCertificate.REQUIRED, PeerCertificate.OPTIONAL])
    def test_a_client_certificate_is_known(self, tickets: bool, mode: PeerCertificate) -> None:
        client, server = client_and_server(tickets=tickets)
        client = replace(client, credentials=(credential(certs.client_credential()),))
        server = replace(server, peer_certificate=mode)
        pair = go_on(client, server, left_by(client, server))
        assert resumed(pair)
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.peer_chain == (certs.client_credential().der,)
        assert pair.server.negotiated.verified_path

    @BY
    def test_a_client_certificate_is_required_since(self, tickets: bool) -> None:
        client, server = client_and_server(tickets=tickets)
        session = left_by(client, server)
        pair = Pair(client, replace(server, peer_certificate=PeerCertificate.REQUIRED), session=session)
        expect(pair, pair.server, HandshakeFailure, pair.run, "PEER_DID_NOT_RETURN_A_CERTIFICATE")

    @BY
    def test_a_client_certificate_is_not_asked_for_any_more(self, tickets: bool) -> None:
        client, server = client_and_server(tickets=tickets)
        client = replace(client, credentials=(credential(certs.client_credential()),))
        session = left_by(client, replace(server, peer_certificate=PeerCertificate.REQUIRED))
        pair = go_on(client, server, session)
        assert not resumed(pair)

    @BY
    def test_a_client_certificate_expired_or_is_not_trusted_any_more(self, tickets: bool) -> None:
        clock = Clock()
        hour = certs.datetime.timedelta(hours=1)
        brief = certs.test_root().issue("client.example", usages=(certs.CLIENT,), not_after=certs.NOW + hour)
        client, server = client_and_server(tickets=tickets, now=clock)
        client = replace(client, credentials=(credential(brief),))
        server = replace(server, peer_certificate=PeerCertificate.REQUIRED)
        session = left_by(client, server)
        pair = Pair(client, replace(server, trust=trust(certs.Authority("Other"))), session=session)
        assert expect(pair, pair.server, CertificateRejected, pair.run, readable=False).alert_sent == 48
        clock.now += 5400
        pair = Pair(client, server, session=session)
        assert expect(pair, pair.server, CertificateRejected, pair.run, readable=False).alert_sent == 45

    @BY
    def test_the_server_is_verified_again(self, tickets: bool) -> None:
        clock = Clock()
        hour = certs.datetime.timedelta(hours=1)
        brief = certs.test_root().issue("localhost", not_after=certs.NOW + hour)
        client, server = client_and_server(tickets=tickets, now=clock)
        server = replace(server, credentials=(credential(brief),))
        session = left_by(client, server)
        assert resumed(go_on(client, server, session))
        pair = Pair(replace(client, trust=trust(certs.Authority("Other"))), server, session=session)
        assert expect(pair, pair.client, CertificateRejected, pair.run).alert_sent == 48
        clock.now += 5400
        pair = Pair(client, server, session=session)
        assert expect(pair, pair.client, CertificateRejected, pair.run).alert_sent == 45


CLIENT, SERVER = client_and_server(suites=(0xC02B,))
KEPT = left_by(CLIENT, SERVER)
BY_ID = replace(SERVER, ticket_keys=None)
KEPT_BY_ID = left_by(CLIENT, BY_ID)


class TestTicketsThatAreNone:
    """A full handshake, and never an error."""

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_a_flipped_bit(self, data: st.DataObject) -> None:
        ticket = bytearray(KEPT.ticket)
        bit = data.draw(st.integers(0, len(ticket) * 8 - 1))
        ticket[bit // 8] ^= 1 << bit % 8
        assert not resumed(go_on(CLIENT, SERVER, KEPT.with_ticket(bytes(ticket))))

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_a_cut(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, len(KEPT.ticket) - 1))
        assert not resumed(go_on(CLIENT, SERVER, KEPT.with_ticket(KEPT.ticket[:size])))

    @settings(max_examples=60, deadline=None)
    @given(ticket=st.binary(min_size=1, max_size=600))
    def test_anything(self, ticket: bytes) -> None:
        assert not resumed(go_on(CLIENT, SERVER, KEPT.with_ticket(ticket)))

    @settings(max_examples=60, deadline=None)
    @given(session_id=st.binary(min_size=1, max_size=32))
    def test_any_id(self, session_id: bytes) -> None:
        assert not resumed(go_on(CLIENT, BY_ID, replace(KEPT_BY_ID, session_id=session_id)))

    def test_one_of_tls13(self) -> None:
        client, server = sessions.client_and_server()
        new = left_by(client, server)
        old = left_by(replace(client, **ONLY12), server)
        assert not resumed(go_on(client, replace(server, **ONLY12), replace(old, ticket=new.ticket)))

    def test_an_id_of_a_ticket_of_tls13(self) -> None:
        client, server = sessions.client_and_server(tickets=False)
        new = left_by(client, server)
        old = left_by(replace(client, **ONLY12), server)
        assert not resumed(go_on(client, replace(server, **ONLY12), replace(old, session_id=new.ticket)))

    def test_the_id_of_a_session_of_tls12_as_a_key_of_tls13_does_not_spend_it(self) -> None:
        client, server = sessions.client_and_server(tickets=False)
        old = left_by(replace(client, **ONLY12), server)
        new = left_by(client, server)
        assert not resumed(go_on(client, server, replace(new, ticket=old.session_id)))
        assert resumed(go_on(replace(client, **ONLY12), server, old))


class TestFailures:
    """RFC 5246 §7.2.2: a connection that ended with a fatal alert must not be gone on with."""

    def test_the_server_forgets_an_id_when_the_client_fails(self) -> None:
        client, server = client_and_server(tickets=False)
        pair = Pair(client, server)
        (session,) = tickets_of(carry(pair))
        pair.client.abort(80)
        with pytest.raises(AlertReceived):
            pair.server.receive(pair.client.take_output())
        assert not resumed(go_on(client, server, session))

    def test_the_server_forgets_an_id_that_a_configuration_it_chose_keeps(self) -> None:
        client, chosen = client_and_server(tickets=False)
        _, first = client_and_server(tickets=False)
        server = replace(first, select_config=lambda _: chosen)
        pair = Pair(client, server)
        (session,) = tickets_of(carry(pair))
        assert resumed(go_on(client, server, session))
        pair.client.abort(80)
        with pytest.raises(AlertReceived):
            pair.server.receive(pair.client.take_output())
        assert not resumed(go_on(client, server, session))

    def test_the_server_forgets_an_id_when_it_fails_itself(self) -> None:
        client, server = client_and_server(tickets=False)
        session = left_by(client, server)
        pair = Pair(client, server, session=session, client_alters=on_type(20, lambda _: bytes(12)))
        expect(pair, pair.server, DecryptError, pair.run)
        assert not resumed(go_on(client, server, session))


def before_change_cipher_spec(pair: Pair, side: str, content_type: int, content: bytes) -> None:
    """Let a side send a record right before its ChangeCipherSpec."""
    sender = getattr(pair, side)
    apply = sender._apply

    def watching(effects: list[Any], events: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, SendChangeCipherSpec):
                sender._flush_handshake()
                sender._seal(ContentType(content_type), content)
            apply([effect], events)

    sender._apply = watching


def full() -> Pair:
    """A full handshake with a ticket at its end."""
    return Pair(*client_and_server())


def abbreviated() -> Pair:
    """A resumption without a new ticket."""
    client, server = client_and_server()
    return Pair(client, server, session=left_by(client, server))


def by_id() -> Pair:
    """A resumption by id."""
    client, server = client_and_server(tickets=False)
    return Pair(client, server, session=left_by(client, server))


def renewing() -> Pair:
    """A resumption with a new ticket."""
    return TestThePromise.renewing()


Case = tuple[type[State], Callable[[], Pair], str]

STATES: list[Case] = [
    (client12.WaitNewSessionTicket, full, "client"),
    (client12_resumed.WaitTicketOrChange, abbreviated, "client"),
    (client12_resumed.WaitTicketOrChange, by_id, "client"),
    (client12_resumed.WaitTicketOrChange, renewing, "client"),
    (client12_resumed.WaitResumedChange, renewing, "client"),
    (client12_resumed.WaitResumedFinished, abbreviated, "client"),
    (client12_resumed.WaitResumedFinished, by_id, "client"),
    (client12_resumed.WaitResumedFinished, renewing, "client"),
    (server12_resumed.WaitChangeCipherSpec, abbreviated, "server"),
    (server12_resumed.WaitChangeCipherSpec, by_id, "server"),
    (server12_resumed.WaitChangeCipherSpec, renewing, "server"),
    (server12_resumed.WaitFinished, abbreviated, "server"),
    (server12_resumed.WaitFinished, by_id, "server"),
    (server12_resumed.WaitFinished, renewing, "server"),
]


def ids(value: object) -> str:
    if isinstance(value, HandshakeType):
        return value.name
    return getattr(value, "__name__", str(value))


def attack(case: Case, content_type: int, content: bytes) -> tuple[Pair, Connection]:
    """Return a pair whose victim gets a record in the state, and the victim."""
    state, make, side = case
    pair = make()
    other = "server" if side == "client" else "client"
    waits_for_change = ChangeCipherSpec in state.handlers
    if waits_for_change and not (state is client12_resumed.WaitTicketOrChange and make is renewing):
        before_change_cipher_spec(pair, other, content_type, content)
    else:
        pair.inject(other, content_type, content, state.readers)
    return pair, getattr(pair, side)


CROSSED = [(case, message) for case in STATES for message in HandshakeType if int(message) not in case[0].readers]


@pytest.mark.parametrize(("case", "message"), CROSSED, ids=[f"{ids(c[0])}-{ids(c[1])}-{ids(m)}" for c, m in CROSSED])
def test_a_message_that_the_state_does_not_wait_for(case: Case, message: HandshakeType) -> None:
    """An early Finished among them, and one that comes before the keys change."""
    pair, victim = attack(case, HANDSHAKE, framed(message, bytes(12) if message is HandshakeType.FINISHED else b""))
    expect(pair, victim, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE", readable=False)
    assert type(victim._machine.state) is case[0]


each_state = pytest.mark.parametrize("case", STATES, ids=[f"{ids(c[0])}-{ids(c[1])}" for c in STATES])


@each_state
def test_application_data_before_finished(case: Case) -> None:
    pair, victim = attack(case, DATA, b"early")
    expect(pair, victim, UnexpectedMessage, pair.run, "APP_DATA_IN_HANDSHAKE", readable=False)
    assert type(victim._machine.state) is case[0]


@each_state
def test_an_early_or_repeated_change_cipher_spec(case: Case) -> None:
    """CVE-2014-0224."""
    state, make, side = case
    promised = state is client12_resumed.WaitTicketOrChange and make is renewing
    if ChangeCipherSpec in state.handlers and not promised:
        return
    pair = make()
    victim = pair.run_to(side, state.__name__)
    victim.take_output()
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(record(CCS, b"\x01")), readable=False)


@each_state
def test_a_change_cipher_spec_of_another_body(case: Case) -> None:
    state, make, side = case
    pair = make()
    victim = pair.run_to(side, state.__name__)
    victim.take_output()
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(record(CCS, b"\x02")), readable=False)


@pytest.mark.parametrize("make", [abbreviated, by_id, renewing])
@pytest.mark.parametrize("side", ["client", "server"])
def test_a_peer_that_skips_change_cipher_spec(make: Callable[[], Pair], side: str) -> None:
    pair = make()
    attacker = pair.server if side == "client" else pair.client
    apply = attacker._apply

    def without(effects: list[Any], events: list[Any]) -> None:
        apply([effect for effect in effects if not isinstance(effect, SendChangeCipherSpec)], events)

    attacker._apply = without  # type: ignore[method-assign]
    victim = getattr(pair, side)
    expect(pair, victim, TLSError, pair.run, readable=False)
    assert not victim.connected


@pytest.mark.parametrize("make", [abbreviated, by_id, renewing])
@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (lambda b: b[:-1], DecodeError, "BAD_DIGEST_LENGTH"),
        (lambda b: b + b"\0", DecodeError, "BAD_DIGEST_LENGTH"),
        (lambda b: bytes(12), DecryptError, "DIGEST_CHECK_FAILED"),
        (lambda b: b[:-1] + bytes([b[-1] ^ 1]), DecryptError, "DIGEST_CHECK_FAILED"),
    ],
)
def test_finished(
    make: Callable[[], Pair], side: str, change: Callable[[bytes], bytes], error: type[TLSError], reason: str
) -> None:
    pair = make()
    attacker = pair.server if side == "client" else pair.client
    attacker._machine.alter = on_type(20, change)  # type: ignore[attr-defined]
    expect(pair, getattr(pair, side), error, pair.run, reason, readable=side == "server")


def test_the_servers_finished_sent_back_to_it_is_not_the_clients() -> None:
    """A reflection: the labels differ."""
    kept: list[bytes] = []

    def keep(body: bytes) -> bytes:
        kept.append(body)
        return body

    pair = abbreviated()
    pair.server._machine.alter = on_type(20, keep)  # type: ignore[attr-defined]
    pair.client._machine.alter = on_type(20, lambda body: kept[0])  # type: ignore[attr-defined]
    expect(pair, pair.server, DecryptError, pair.run, "DIGEST_CHECK_FAILED")
