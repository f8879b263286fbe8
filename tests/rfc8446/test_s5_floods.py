"""Ways round the limits: what counts in a row also counts inside one record, in pieces, and while skipping (§5)."""

from __future__ import annotations

import pytest
from harness import ALERT, DATA, HANDSHAKE, Pair, client_config, expect, framed, on_message, record, server_config

from fasttls.connection import Connection
from fasttls.events import TicketReceived
from fasttls.handshake.config import Limits
from fasttls.wire.alerts import AlertReceived, UnexpectedMessage
from fasttls.wire.extensions import OfferedPsks, PskIdentity
from fasttls.wire.iana import ContentType, ExtensionType, HandshakeType
from fasttls.wire.messages import ClientHello, NewSessionTicket

SIDES = pytest.mark.parametrize("side", ["client", "server"])
TICKET = NewSessionTicket(7200, 5, b"\0", b"ticket", {}).encode()


def connected(**limits: int) -> Pair:
    """Return a TLS 1.3 pair with these limits on both sides."""
    kept = {"minimum_version": 0x0304, "limits": Limits(**limits)}
    return Pair(client_config(**kept), server_config(**kept)).connect()


def sealed(attacker: Connection, content_type: int, content: bytes) -> bytes:
    """Return a record under the attacker's present keys."""
    attacker._seal(ContentType(content_type), content)
    return attacker.take_output()


class TestTickets:
    """RFC 8446 §4.6.1 gives no bound; Limits.tickets does, however the messages are cut into records."""

    def test_as_many_as_the_limit_in_one_record(self) -> None:
        pair = connected(tickets=3)
        assert pair.client.receive(sealed(pair.server, HANDSHAKE, TICKET * 3)) == [TicketReceived(7200)] * 3

    def test_one_more_than_the_limit_in_one_record(self) -> None:
        pair = connected(tickets=3)
        data = sealed(pair.server, HANDSHAKE, TICKET * 4)
        expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(data), "TOO_MANY_TICKETS")

    def test_one_more_than_the_limit_with_every_record_ending_inside_a_message(self) -> None:
        pair = connected(tickets=3)
        stream = TICKET * 20

        def flood() -> None:
            for start in range(0, len(stream), len(TICKET)):
                # The first record has one byte more, so that each later one begins and ends inside a ticket.
                begin, end = (start + 1 if start else 0), start + len(TICKET) + 1
                pair.client.receive(sealed(pair.server, HANDSHAKE, stream[begin:end]))

        expect(pair, pair.client, UnexpectedMessage, flood, "TOO_MANY_TICKETS")

    def test_data_begins_the_count_anew(self) -> None:
        pair = connected(tickets=3)
        for _ in range(3):
            pair.client.receive(sealed(pair.server, HANDSHAKE, TICKET * 3))
            pair.server.send(b"x")
            pair.client.receive(pair.server.take_output())

    def test_key_updates_behind_tickets_are_counted(self) -> None:
        pair = connected(tickets=64, key_updates=3)

        def flood() -> None:
            for _ in range(20):
                pair.server._handshake_out += TICKET
                pair.server.update_keys()
                pair.client.receive(pair.server.take_output())

        expect(pair, pair.client, UnexpectedMessage, flood, "TOO_MANY_KEY_UPDATES", readable=False)

    @SIDES
    def test_key_updates_in_pieces_are_counted(self, side: str) -> None:
        pair = connected(key_updates=3)
        victim = getattr(pair, side)
        attacker = pair.peer_of(victim)
        attacker._max_fragment = 1

        def flood() -> None:
            for _ in range(10):
                attacker.update_keys()
                victim.receive(attacker.take_output())

        expect(pair, victim, UnexpectedMessage, flood, "TOO_MANY_KEY_UPDATES", readable=False)


class TestAnswers:
    """RFC 8446 §4.6.3: who is asked for several KeyUpdates while it is silent may answer with one."""

    @SIDES
    def test_answers_that_nobody_fetches_do_not_pile_up(self, side: str) -> None:
        """A peer that asks and does not read must not make this side remember more and more."""
        pair = connected()
        victim = getattr(pair, side)
        attacker = pair.peer_of(victim)
        for _ in range(2000):
            attacker.update_keys(request_peer=True)
            attacker.send(b"x")
            victim.receive(attacker.take_output())
        assert len(victim.take_output()) < 4096


class TestSkippedEarlyData:
    """RFC 8446 §4.2.10: what is skipped is bounded in bytes; a record of none must not go round that."""

    @staticmethod
    def offering(retry: bool) -> Pair:
        """Return a pair whose server has refused early data and skips it."""
        hellos: list[ClientHello] = []

        def change(hello: ClientHello) -> None:
            if not hellos:
                hello.extensions[ExtensionType.EARLY_DATA] = None
            hello.extensions[ExtensionType.PSK_KEY_EXCHANGE_MODES] = (1,)
            psk = OfferedPsks((PskIdentity(b"unknown", 0),), (bytes(32),))
            hello.extensions[ExtensionType.PRE_SHARED_KEY] = psk
            hellos.append(hello)

        groups = {"groups": (23,), "key_shares": (23,)} if retry else {}
        server = server_config(limits=Limits(early_data=300), **groups)
        pair = Pair(server_config_=server, client_alters=on_message(ClientHello, change))
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        return pair

    @pytest.mark.parametrize("retry", [False, True], ids=["by trial", "by type"])
    @pytest.mark.parametrize("size", [0, 1])
    def test_tiny_records_come_to_an_end(self, retry: bool, size: int) -> None:
        pair = self.offering(retry)
        tiny = record(DATA, bytes(size))

        def flood() -> None:
            for _ in range(1000):
                pair.server.receive(tiny)

        pair.client.receive(pair.server.take_output())
        expect(pair, pair.server, UnexpectedMessage, flood, readable=False)


class TestBetweenFragments:
    """RFC 8446 §5.1: no record of another type between the pieces of a handshake message."""

    @SIDES
    def test_a_warning_between_the_pieces_of_a_key_update(self, side: str) -> None:
        pair = connected()
        victim = getattr(pair, side)
        attacker = pair.peer_of(victim)
        victim.receive(sealed(attacker, HANDSHAKE, framed(HandshakeType.KEY_UPDATE, b"\0")[:3]))
        data = sealed(attacker, ALERT, b"\1\x5a")
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(data))

    def test_a_warning_between_the_pieces_of_a_client_hello(self) -> None:
        pair = Pair()
        pair.client.start()
        pair.client.take_output()
        raw = pair.observed["client"][0][2]
        pair.server.receive(record(HANDSHAKE, raw[:50]))
        expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(record(ALERT, b"\1\x5a")))

    @SIDES
    def test_empty_data_between_the_pieces_of_a_key_update(self, side: str) -> None:
        pair = connected()
        victim = getattr(pair, side)
        attacker = pair.peer_of(victim)
        victim.receive(sealed(attacker, HANDSHAKE, framed(HandshakeType.KEY_UPDATE, b"\0")[:3]))
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(sealed(attacker, DATA, b"")))

    @SIDES
    def test_a_fatal_alert_between_the_pieces_is_heard(self, side: str) -> None:
        pair = connected()
        victim = getattr(pair, side)
        attacker = pair.peer_of(victim)
        victim.receive(sealed(attacker, HANDSHAKE, framed(HandshakeType.KEY_UPDATE, b"\0")[:3]))
        data = sealed(attacker, ALERT, b"\2\x50")
        assert expect(pair, victim, AlertReceived, lambda: victim.receive(data)).alert_received == 80
