"""TLS 1.3 goes on with sessions (RFC 8446 §2.2, §4.6.1), and with none that must not be gone on with.

Whatever is wrong with a ticket, there is a full handshake and the caller hears of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import certs
import pytest
from harness import Pair, client_config, credential, expect, on_message, server_config, trust
from hypothesis import given, settings
from hypothesis import strategies as st
from rfc8446.resuming import (
    DAY,
    ONLY12,
    ONLY13,
    Clock,
    client_and_server,
    exchange,
    go_on,
    hellos,
    left_by,
    offers_psk,
    resumed,
    send_handshake,
    sent_types,
    ticketed,
    tickets_of,
)
from sessions import carry
from trust import lists

from fasttls.crypto.signatures import KeySigner
from fasttls.crypto.suites import SUITES
from fasttls.events import KeysUpdated, TicketReceived
from fasttls.handshake.config import Config, Credential, PeerCertificate
from fasttls.native._secret import Secret
from fasttls.sessions.keys import MemoryTicketKeys, TicketKey
from fasttls.sessions.session import Session
from fasttls.trust.policy import CrlCheck, OCSPStapling
from fasttls.trust.verdicts import CertificateRejected
from fasttls.wire.alerts import AccessDenied, CertificateRequired
from fasttls.wire.iana import ExtensionType, HandshakeType, NamedGroup
from fasttls.wire.messages import NewSessionTicket

SHA256, CHACHA, SHA384 = 0x1301, 0x1303, 0x1302
P384_ONLY = {"groups": (NamedGroup.SECP384R1,), "key_shares": (NamedGroup.SECP384R1,)}


def unauthenticated_messages(pair: Pair) -> set[int]:
    """Return those of the messages that a resumption must not have."""
    return {HandshakeType.CERTIFICATE, HandshakeType.CERTIFICATE_VERIFY} & set(sent_types(pair.server, pair))


@pytest.mark.parametrize("tickets", [True, False], ids=["tickets", "ids"])
@pytest.mark.parametrize("suite", SUITES)
def test_every_suite(suite: int, tickets: bool) -> None:
    client, server = client_and_server(**ONLY13, suites=(suite,), tickets=tickets)
    session = left_by(client, server)
    pair = go_on(client, server, session)
    assert resumed(pair)
    assert not unauthenticated_messages(pair)
    ours, theirs = pair.client.negotiated, pair.server.negotiated
    assert ours is not None
    assert theirs is not None
    assert ours.suite == theirs.suite == suite
    assert ours.group == theirs.group is not None
    assert ours.peer_chain == (certs.server_credential().der,)
    assert ours.verified_path
    assert ours.psk_identity is None
    for one, other in ((pair.client, pair.server), (pair.server, pair.client)):
        one.update_keys(request_peer=True)
        assert KeysUpdated(True) in other.receive(one.take_output())
        one.receive(other.take_output())
    exchange(pair)


@pytest.mark.parametrize("group", [NamedGroup.X25519, NamedGroup.SECP521R1, NamedGroup.X25519MLKEM768])
def test_every_resumption_has_a_key_exchange_of_its_own(group: int) -> None:
    """RFC 8446 §2.2: forward secrecy; the exporters of two resumptions with one ticket differ."""
    client, server = client_and_server(**ONLY13, groups=(group,), key_shares=(group,))
    session = left_by(client, server)
    pairs = [go_on(client, server, session) for _ in range(2)]
    assert all(resumed(pair) for pair in pairs)
    assert len({pair.client.export_keying_material(b"x", 16) for pair in pairs}) == 2


def test_a_chain_of_resumptions() -> None:
    """Each leaves a ticket to go on with; the certificate of the first is still told."""
    client, server = client_and_server(**ONLY13)
    session = left_by(client, server)
    for _ in range(4):
        pair = Pair(client, server, session=session)
        (session,) = tickets_of(carry(pair))
        assert resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.peer_chain == (certs.server_credential().der,)


def test_the_key_log_of_a_resumption() -> None:
    """The secrets of both sides are the same, with the labels of any handshake."""
    logs: dict[str, dict[str, bytes]] = {"client": {}, "server": {}}
    client, server = client_and_server(**ONLY13)
    session = left_by(client, server)
    client = replace(client, key_log=lambda *entry: logs["client"].update({entry[0]: bytes(entry[2])}))
    server = replace(server, key_log=lambda *entry: logs["server"].update({entry[0]: bytes(entry[2])}))
    assert resumed(go_on(client, server, session))
    assert logs["client"] == logs["server"]
    assert set(logs["client"]) == {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
        "EXPORTER_SECRET",
    }


@pytest.mark.parametrize("tickets", [True, False], ids=["tickets", "ids"])
def test_a_resumption_after_hello_retry_request(tickets: bool) -> None:
    """RFC 8446 §4.1.2: the binders are computed anew, over both hellos and the HelloRetryRequest."""
    client, server = client_and_server(**ONLY13, tickets=tickets)
    session = left_by(client, server)
    pair = go_on(client, replace(server, **P384_ONLY), session)
    first, second = (hello.extensions[ExtensionType.PRE_SHARED_KEY] for hello in hellos(pair))
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.retried
    assert first.identities[0].identity == second.identities[0].identity
    assert first.binders != second.binders
    assert resumed(pair)


def test_the_age_goes_on_after_hello_retry_request() -> None:
    """RFC 8446 §4.1.2: obfuscated_ticket_age is that of the second hello."""
    clock = Clock()
    client, server = client_and_server(**ONLY13, now=clock)
    session = left_by(client, server)
    pair = Pair(client, replace(server, **P384_ONLY), session=session)
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    clock.now += 3
    pair.run()
    assert resumed(pair)
    first, second = (hello.extensions[ExtensionType.PRE_SHARED_KEY].identities[0] for hello in hellos(pair))
    assert abs((second.obfuscated_ticket_age - first.obfuscated_ticket_age) % 2**32 - 3000) <= 1


class TestSuites:
    """RFC 8446 §4.6.1: any suite with the hash of the session's goes on with it."""

    @pytest.mark.parametrize(("before", "after"), [(SHA256, CHACHA), (CHACHA, SHA256)])
    def test_another_suite_with_the_same_hash(self, before: int, after: int) -> None:
        client, server = client_and_server(**ONLY13)
        session = left_by(client, replace(server, suites=(before,)))
        pair = go_on(client, replace(server, suites=(after,)), session)
        assert resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.suite == after

    def test_the_servers_preference_gives_way_to_the_session(self) -> None:
        client, server = client_and_server(**ONLY13)
        session = left_by(client, replace(server, suites=(SHA256,)))
        pair = go_on(client, replace(server, suites=(SHA384, CHACHA)), session)
        assert resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.suite == CHACHA

    def test_the_server_has_no_suite_with_the_hash_any_more(self) -> None:
        client, server = client_and_server(**ONLY13)
        session = left_by(client, replace(server, suites=(SHA256,)))
        assert not resumed(go_on(client, replace(server, suites=(SHA384,)), session))

    def test_the_client_offers_no_suite_with_the_hash_any_more(self) -> None:
        client, server = client_and_server(**ONLY13)
        session = left_by(client, replace(server, suites=(SHA256,)))
        pair = go_on(replace(client, suites=(SHA384,)), server, session)
        assert not offers_psk(pair)
        assert not resumed(pair)


class TestAge:
    """RFC 8446 §4.6.1: tickets are used for their lifetime, and never for more than seven days."""

    @staticmethod
    def start(**more: Any) -> tuple[Clock, Config, Config, Session]:
        clock = Clock()
        client, server = client_and_server(**ONLY13, now=clock, **more)
        return clock, client, server, left_by(client, server)

    @pytest.mark.parametrize(("seconds", "goes_on"), [(7199, True), (7201, False)])
    def test_the_client_offers_it_for_its_lifetime(self, seconds: float, goes_on: bool) -> None:
        clock, client, server, session = self.start()
        clock.now += seconds
        pair = go_on(client, server, session)
        assert offers_psk(pair) == resumed(pair) == goes_on

    @pytest.mark.parametrize(("seconds", "goes_on"), [(7199, True), (7201, False)])
    def test_the_server_takes_it_for_its_lifetime(self, seconds: float, goes_on: bool) -> None:
        """Whatever the client thinks of its age."""
        clock, client, server, session = self.start()
        late = Clock()
        late.now = clock.now + seconds
        pair = go_on(client, replace(server, now=late), session)
        assert offers_psk(pair)
        assert resumed(pair) == goes_on

    @pytest.mark.parametrize(("days", "offered"), [(6.99, True), (7.01, False)])
    def test_a_lifetime_of_more_than_seven_days_is_capped(self, days: float, offered: bool) -> None:
        clock, client, server, _ = self.start()
        session = ticketed(client, server, NewSessionTicket(30 * 86400, 1, b"", b"ticket", {}))
        assert session is not None
        clock.now += days * DAY
        assert offers_psk(go_on(client, server, session)) == offered

    def test_a_lifetime_of_nothing_discards_the_ticket(self) -> None:
        _, client, server, _ = self.start()
        assert ticketed(client, server, NewSessionTicket(0, 1, b"", b"ticket", {})) is None

    def test_a_ticket_from_the_future_is_none(self) -> None:
        clock, client, server, session = self.start()
        clock.now -= 3600
        pair = go_on(client, server, session)
        assert not offers_psk(pair)

    def test_servers_cannot_be_set_to_more_than_seven_days(self) -> None:
        with pytest.raises(ValueError, match="seven days"):
            server_config(ticket_lifetime=604801)

    @pytest.mark.parametrize("lifetime", [1, 300, 604800])
    def test_the_lifetime_is_told(self, lifetime: int) -> None:
        client, server = client_and_server(**ONLY13)
        events = carry(Pair(client, replace(server, ticket_lifetime=lifetime)))
        assert {e.lifetime_seconds for e in events if isinstance(e, TicketReceived)} == {lifetime}


class TestTickets:
    """RFC 8446 §4.6.1: how many, and what is different about each."""

    @pytest.mark.parametrize("number", [0, 1, 2, 5])
    def test_as_many_as_the_server_was_told_to_give(self, number: int) -> None:
        client, server = client_and_server(**ONLY13)
        server = replace(server, num_tickets=number)
        found = tickets_of(carry(Pair(client, server)))
        assert len(found) == number
        assert len({session.ticket for session in found}) == number
        assert len({bytes(session.secret) for session in found}) == number
        assert len({session.age_add for session in found}) == number
        for session in found:
            pair = Pair(client, server, session=session)
            assert len(tickets_of(carry(pair))) == 1
            assert resumed(pair)

    def test_a_server_that_gives_none_gives_none_after_a_resumption(self) -> None:
        client, server = client_and_server(**ONLY13)
        session = left_by(client, server)
        pair = Pair(client, replace(server, num_tickets=0), session=session)
        assert tickets_of(carry(pair)) == []
        assert resumed(pair)

    def test_a_client_that_does_not_resume_gets_none(self) -> None:
        """RFC 8446 §4.2.9: without psk_key_exchange_modes there is no use for one."""
        _, server = client_and_server(**ONLY13)
        assert not [e for e in carry(Pair(client_config(**ONLY13), server)) if isinstance(e, TicketReceived)]

    def test_a_server_without_keys_and_without_a_store_gives_none(self) -> None:
        client, server = client_and_server(**ONLY13)
        assert tickets_of(carry(Pair(client, replace(server, ticket_keys=None, server_sessions=None)))) == []

    def test_a_ticket_by_id_is_used_once(self) -> None:
        client, server = client_and_server(**ONLY13, tickets=False)
        session = left_by(client, server)
        assert resumed(go_on(client, server, session))
        assert not resumed(go_on(client, server, session))

    def test_the_same_ticket_twice_is_two_sessions(self) -> None:
        client, server = client_and_server(**ONLY13)
        pair = Pair(client, replace(server, num_tickets=0))
        carry(pair)
        ticket = NewSessionTicket(7200, 5, b"\1", b"ticket", {0x7777: b"unknown"})
        send_handshake(pair.server, ticket.encode() * 2)
        found = tickets_of(pair.client.receive(pair.server.take_output()))
        assert [session.ticket for session in found] == [b"ticket"] * 2
        assert bytes(found[0].secret) == bytes(found[1].secret)

    @pytest.mark.parametrize("nonce", [b"", b"\0" * 255])
    @pytest.mark.parametrize("size", [1, 16384, 32768])
    def test_a_ticket_of_any_size_is_offered_and_may_be_unknown(self, nonce: bytes, size: int) -> None:
        client, server = client_and_server(**ONLY13)
        session = ticketed(client, server, NewSessionTicket(7200, 2**32 - 1, nonce, bytes(size), {}))
        pair = go_on(client, server, session)
        assert offers_psk(pair)
        assert not resumed(pair)

    @pytest.mark.parametrize("size", [32769, 65000, 65400, 65535])
    def test_a_ticket_that_a_hello_cannot_hold_is_never_an_error(self, size: int) -> None:
        """A ticket may have 2^16-1 bytes, and so may all extensions together (RFC 8446 §4.6.1, §4.1.2)."""
        client, server = client_and_server(**ONLY13)
        client = replace(client, limits=replace(client.limits, handshake_message=1 << 17))
        pair = Pair(client, replace(server, num_tickets=0))
        carry(pair)
        send_handshake(pair.server, NewSessionTicket(7200, 1, b"", bytes(size), {}).encode())
        (session,) = tickets_of(pair.client.receive(pair.server.take_output())) or [None]
        lenient = replace(server, limits=replace(server.limits, handshake_message=1 << 17))
        assert not resumed(go_on(client, lenient, session))


SPOILT: list[Callable[[bytes], bytes]] = [
    lambda ticket: ticket[:-1],
    lambda ticket: ticket[:16],
    lambda ticket: ticket[:28],
    lambda ticket: ticket[:1],
    lambda ticket: ticket + b"\0",
    lambda ticket: bytes(len(ticket)),
    lambda ticket: ticket[:28] + bytes(len(ticket) - 28),
    lambda ticket: ticket[16:],
]


class TestTicketsThatAreNone:
    """A full handshake, and never an error."""

    CLIENT, SERVER = client_and_server(**ONLY13, suites=(SHA256,))

    @pytest.mark.parametrize("spoil", SPOILT)
    def test_a_spoilt_one(self, spoil: Callable[[bytes], bytes]) -> None:
        session = left_by(self.CLIENT, self.SERVER)
        pair = go_on(self.CLIENT, self.SERVER, session.with_ticket(spoil(session.ticket)))
        assert offers_psk(pair)
        assert not resumed(pair)

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_a_flipped_bit(self, data: st.DataObject) -> None:
        ticket = bytearray(KEPT.ticket)
        bit = data.draw(st.integers(0, len(ticket) * 8 - 1))
        ticket[bit // 8] ^= 1 << bit % 8
        assert not resumed(go_on(self.CLIENT, self.SERVER, KEPT.with_ticket(bytes(ticket))))

    @settings(max_examples=60, deadline=None)
    @given(ticket=st.binary(min_size=1, max_size=600))
    def test_anything(self, ticket: bytes) -> None:
        assert not resumed(go_on(self.CLIENT, self.SERVER, KEPT.with_ticket(ticket)))

    @settings(max_examples=60, deadline=None)
    @given(plain=st.binary(max_size=300))
    def test_anything_that_our_own_key_sealed(self, plain: bytes) -> None:
        """A version before this one may have sealed other things with the key."""
        assert not resumed(go_on(self.CLIENT, self.SERVER, KEPT.with_ticket(sealed(self.SERVER, plain))))

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_a_session_cut_or_altered_that_our_own_key_sealed(self, data: st.DataObject) -> None:
        """What it opens to is a session of another secret at best, and then the binder tells."""
        plain = KEPT.to_bytes()
        cut = plain[: data.draw(st.integers(0, len(plain) - 1))]
        assert not resumed(go_on(self.CLIENT, self.SERVER, KEPT.with_ticket(sealed(self.SERVER, cut))))

    def test_one_of_another_server(self) -> None:
        _, other = client_and_server(**ONLY13)
        session = left_by(self.CLIENT, other)
        assert not resumed(go_on(self.CLIENT, self.SERVER, session))
        assert resumed(go_on(self.CLIENT, other, session))

    def test_one_of_keys_that_were_rotated_out(self) -> None:
        keys = MemoryTicketKeys(kept=2)
        server = replace(self.SERVER, ticket_keys=keys)
        session = left_by(self.CLIENT, server)
        keys.rotate()
        assert resumed(go_on(self.CLIENT, server, session))
        keys.rotate()
        assert not resumed(go_on(self.CLIENT, server, session))

    def test_one_of_tls12(self) -> None:
        """A ticket of TLS 1.2 is no pre-shared key of TLS 1.3, though the same key sealed it."""
        client, server = client_and_server()
        old = left_by(replace(client, maximum_version=0x0303), replace(server, maximum_version=0x0303))
        new = left_by(client, server)
        pair = go_on(client, server, replace(new, ticket=old.ticket))
        assert offers_psk(pair)
        assert not resumed(pair)

    def test_a_server_that_does_not_resume_any_more(self) -> None:
        session = left_by(self.CLIENT, self.SERVER)
        assert not resumed(go_on(self.CLIENT, replace(self.SERVER, resumption=False), session))

    def test_a_store_without_a_key_gives_and_opens_none(self) -> None:
        class Empty:
            def active(self) -> TicketKey | None:
                return None

            def find(self, name: bytes) -> TicketKey | None:
                return None

        server = replace(self.SERVER, ticket_keys=Empty())
        session = left_by(self.CLIENT, self.SERVER)
        pair = Pair(self.CLIENT, server, session=session)
        assert tickets_of(carry(pair)) == []
        assert not resumed(pair)


def sealed(server: Config, plain: bytes) -> bytes:
    """Return anything sealed as a ticket of the server's."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    assert server.ticket_keys is not None
    key = server.ticket_keys.active()
    assert key is not None
    return key.name + bytes(12) + AESGCM(bytes(key.secret)).encrypt(bytes(12), plain, key.name)


KEPT = left_by(TestTicketsThatAreNone.CLIENT, TestTicketsThatAreNone.SERVER)


class TestVersions:
    """A session is for its version."""

    @pytest.mark.parametrize(("one", "other"), [(ONLY12, ONLY13), (ONLY13, ONLY12)], ids=["1.2", "1.3"])
    def test_a_session_of_one_version_and_a_server_of_the_other(self, one: dict, other: dict) -> None:
        client, server = client_and_server()
        session = left_by(client, replace(server, **one))
        assert not resumed(go_on(client, replace(server, **other), session))

    def test_a_client_that_does_not_speak_the_version_any_more(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        pair = go_on(replace(client, **ONLY12), server, session)
        assert not offers_psk(pair)
        old = left_by(replace(client, **ONLY12), server)
        pair = go_on(replace(client, **ONLY13), server, old)
        assert not resumed(pair)
        assert ExtensionType.SESSION_TICKET not in hellos(pair)[0].extensions


class TestNamesAndProtocols:
    """RFC 8446 §4.6.1, RFC 6066 §3, RFC 7301 §3.1."""

    def test_another_name_at_the_client(self) -> None:
        client, server = client_and_server(**ONLY13)
        session = left_by(client, server)
        pair = go_on(client, server, session, name="example.com")
        assert not offers_psk(pair)
        assert not resumed(pair)

    def test_another_name_at_the_server(self) -> None:
        """A client that offers the ticket with another name all the same."""
        client, server = client_and_server(**ONLY13)
        session = replace(left_by(client, server), server_name="example.com")
        pair = go_on(client, server, session, name="example.com")
        assert offers_psk(pair)
        assert not resumed(pair)

    def test_names_are_the_same_in_any_case(self) -> None:
        client, server = client_and_server(**ONLY13)
        session = replace(left_by(client, server), server_name="LOCALHOST")
        assert resumed(go_on(client, server, session, name="LOCALHOST"))

    def test_a_protocol_that_is_not_offered_any_more(self) -> None:
        client, server = client_and_server(**ONLY13, alpn=(b"h2",))
        session = left_by(client, server)
        pair = go_on(replace(client, alpn=()), replace(server, alpn=()), session)
        assert not offers_psk(pair)

    def test_the_protocol_is_chosen_anew(self) -> None:
        """RFC 7301 §3.1: it is not that of the session."""
        client, server = client_and_server(**ONLY13, alpn=(b"h2", b"http/1.1"))
        session = left_by(client, server)
        pair = go_on(client, replace(server, alpn=(b"http/1.1",)), session)
        assert resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.server.negotiated is not None
        assert pair.client.negotiated.alpn == pair.server.negotiated.alpn == b"http/1.1"


class TestClientCertificate:
    """What the server knows of the client is in the ticket, and is judged again."""

    @staticmethod
    def make(
        mode: PeerCertificate = PeerCertificate.REQUIRED, shown: certs.Credential | None = None, **more: Any
    ) -> tuple[Config, Config]:
        client, server = client_and_server(**ONLY13, **more)
        shown = shown or certs.client_credential()
        return replace(client, credentials=(credential(shown),)), replace(server, peer_certificate=mode)

    @pytest.mark.parametrize("mode", [PeerCertificate.REQUIRED, PeerCertificate.OPTIONAL])
    def test_it_is_known_after_a_resumption(self, mode: PeerCertificate) -> None:
        client, server = self.make(mode)
        first = Pair(client, server)
        session = tickets_of(carry(first))[0]
        assert first.server.negotiated is not None
        pair = go_on(client, server, session)
        assert resumed(pair)
        assert HandshakeType.CERTIFICATE not in sent_types(pair.client, pair)
        told = pair.server.negotiated
        assert told is not None
        assert told.peer_chain == (certs.client_credential().der,)
        assert len(told.verified_path) == 2
        assert told.peer_signature_algorithm == first.server.negotiated.peer_signature_algorithm

    def test_it_is_required_since(self) -> None:
        client, server = client_and_server(**ONLY13)
        session = left_by(client, server)
        strict = replace(server, peer_certificate=PeerCertificate.REQUIRED)
        with_one = replace(client, credentials=(credential(certs.client_credential()),))
        pair = go_on(with_one, strict, session)
        assert not resumed(pair)
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.peer_chain
        bare = Pair(client, strict, session=session)
        expect(bare, bare.server, CertificateRequired, bare.run, readable=False)

    def test_it_is_not_asked_for_any_more(self) -> None:
        """Who the client was must not be told where nobody asks."""
        client, server = self.make()
        session = left_by(client, server)
        pair = go_on(client, replace(server, peer_certificate=PeerCertificate.UNCHECKED), session)
        assert not resumed(pair)
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.peer_chain == ()

    def test_it_expired_since(self) -> None:
        """A ticket for a connection whose client certificate has expired is refused, then the certificate is."""
        clock = Clock()
        hour = certs.datetime.timedelta(hours=1)
        brief = certs.test_root().issue("client.example", usages=(certs.CLIENT,), not_after=certs.NOW + hour)
        client, server = self.make(shown=brief, now=clock)
        session = left_by(client, server)
        assert resumed(go_on(client, server, session))
        clock.now += 5400
        fresh = replace(client, credentials=(credential(certs.client_credential()),))
        pair = go_on(fresh, server, session)
        assert offers_psk(pair)
        assert not resumed(pair)
        late = Pair(client, server, session=session)
        failure = expect(late, late.server, CertificateRejected, late.run, readable=False)
        assert failure.alert_sent == 45

    def test_its_authority_is_not_trusted_any_more(self) -> None:
        client, server = self.make()
        session = left_by(client, server)
        changed = replace(server, trust=trust(certs.Authority("Other Root")))
        pair = Pair(client, changed, session=session)
        failure = expect(pair, pair.server, CertificateRejected, pair.run, readable=False)
        assert failure.alert_sent == 48

    def test_the_callback_refuses_it_since(self) -> None:
        def refuse(*_: object) -> None:
            raise AccessDenied("gone")

        client, server = self.make()
        session = left_by(client, server)
        pair = Pair(client, replace(server, verify_callback=refuse), session=session)
        expect(pair, pair.server, AccessDenied, pair.run, readable=False)

    def test_one_that_was_not_verified_then_is_verified_now(self) -> None:
        """PeerCertificate.ANY leaves a session without a verified chain; REQUIRED takes none of those on trust."""
        stranger = certs.Authority("Stranger").issue("client.example", usages=(certs.CLIENT,))
        client, server = self.make(shown=stranger)
        lenient = replace(server, peer_certificate=PeerCertificate.ANY, verify_callback=lambda *_: None)
        session = left_by(client, lenient)
        assert resumed(go_on(client, lenient, session))
        pair = Pair(client, server, session=session)
        failure = expect(pair, pair.server, CertificateRejected, pair.run, readable=False)
        assert failure.alert_sent == 48


class TestTheServerIsVerifiedAgain:
    """What was verified then is verified by the rules of now; what fails is shown by a full handshake."""

    @staticmethod
    def fails(client: Config, server: Config, session: Session, alert: int, **more: Any) -> None:
        pair = Pair(client, server, session=session, **more)
        failure = expect(pair, pair.client, CertificateRejected, pair.run)
        assert failure.alert_sent == alert
        assert not offers_psk(pair)

    def test_the_root_is_removed(self) -> None:
        client, server = client_and_server(**ONLY13)
        session = left_by(client, server)
        self.fails(replace(client, trust=trust(certs.Authority("Other"))), server, session, 48)

    def test_it_expired(self) -> None:
        clock = Clock()
        hour = certs.datetime.timedelta(hours=1)
        brief = certs.test_root().issue("localhost", not_after=certs.NOW + hour)
        client, server = client_and_server(**ONLY13, now=clock)
        server = replace(server, credentials=(credential(brief),))
        session = left_by(client, server)
        assert resumed(go_on(client, server, session))
        clock.now += 5400
        self.fails(client, server, session, 45)

    def test_the_name_is_checked_since(self) -> None:
        """A session that was made without a check of the name."""
        other = certs.test_root().issue("other.example")
        client, server = client_and_server(**ONLY13)
        server = replace(server, credentials=(credential(other),))
        lax = replace(client, check_host=False)
        session = left_by(lax, server)
        assert resumed(go_on(lax, server, session))
        self.fails(client, server, session, 42)

    def test_it_was_not_verified_then(self) -> None:
        """CERT_NONE leaves a session that CERT_REQUIRED does not go on with unless it verifies."""
        stranger = certs.Authority("Stranger").issue("localhost")
        client, server = client_and_server(**ONLY13)
        server = replace(server, credentials=(credential(stranger),))
        lax = replace(client, peer_certificate=PeerCertificate.UNCHECKED, check_host=False)
        session = left_by(lax, server)
        assert resumed(go_on(lax, server, session))
        self.fails(client, server, session, 48)

    def test_it_is_revoked(self) -> None:
        leaf, middle = lists.server(), lists.middle()
        good, bad = trust(), trust()
        for store, revoked in ((good, ()), (bad, (leaf,))):
            store.add(lists.top().der)
            store.add_crl(lists.crl(middle, *revoked))
        client, server = client_and_server(**ONLY13)
        client = replace(client, trust=good, check_host=False, crl_check=CrlCheck.LEAF)
        server = replace(server, credentials=(Credential((leaf.der, middle.der), KeySigner(leaf.key)),))
        session = left_by(client, server)
        assert resumed(go_on(client, server, session))
        self.fails(replace(client, trust=bad), server, session, 44)

    def test_the_callback_refuses_it(self) -> None:
        def refuse(*_: object) -> None:
            raise AccessDenied("gone")

        client, server = client_and_server(**ONLY13)
        session = left_by(client, server)
        pair = Pair(replace(client, verify_callback=refuse), server, session=session)
        expect(pair, pair.client, AccessDenied, pair.run)
        assert not offers_psk(pair)

    def test_stapling_is_asked_for_since(self) -> None:
        """A resumption brings no response: there is none."""
        client, server = client_and_server(**ONLY13)
        session = left_by(client, server)
        pair = go_on(replace(client, ocsp_stapling=OCSPStapling.IF_STAPLED), server, session)
        assert not offers_psk(pair)


def test_a_tampered_ticket_of_the_wire_leaves_a_session_that_is_declined() -> None:
    """An honest client stores whatever the server sent; a wrong one costs a full handshake and no more."""
    client, server = client_and_server(**ONLY13)

    def change(ticket: NewSessionTicket) -> None:
        ticket.ticket = ticket.ticket[:-1] + bytes([ticket.ticket[-1] ^ 1])

    pair = Pair(client, server, server_alters=on_message(NewSessionTicket, change))
    session = tickets_of(carry(pair))[0]
    assert not resumed(go_on(client, server, session))


def test_the_secrets_of_sessions_are_their_own() -> None:
    """A session that is used and wiped elsewhere is still whole."""
    client, server = client_and_server(**ONLY13)
    session = left_by(client, server)
    before = bytes(session.secret)
    for _ in range(3):
        assert resumed(go_on(client, server, session))
    assert bytes(session.secret) == before
    assert isinstance(session.secret, Secret)
    assert not session.secret.wiped
