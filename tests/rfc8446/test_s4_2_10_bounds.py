"""How much early data there may be is what the ticket said, whatever is taken now (RFC 8446 §4.2.10, §4.6.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from harness import CCS, DATA, HANDSHAKE, Pair, expect, record, split
from rfc8446.resuming import left_by, resumed, share_records, tickets_of
from rfc8446.test_s4_2_10_early_data import P384_ONLY, Run, client_and_server, refused_with, seen_before
from sessions import EARLY_DATA

from fasttls.handshake.config import Config
from fasttls.sessions.session import Session
from fasttls.wire.alerts import RecordOverflow, UnexpectedMessage

MORE, LESS = 100 * EARLY_DATA, EARLY_DATA // 100
LOWERED = "the ticket allows more than this server takes now"
RECORD = 16384  # bytes, the most that one has


def takes(server: Config, size: int) -> Config:
    """Return the configuration of a server whose limit was changed since."""
    return replace(server, max_early_data=size)


def believing(session: Session, size: int) -> Session:
    """Return a session of a client that thinks that it may send so much: the ticket says what it said."""
    return replace(session, max_early_data=size)


class TestRaisedSince:
    """The old tickets allow no more than before."""

    @pytest.mark.parametrize("size", [0, 1, EARLY_DATA])
    def test_as_much_as_the_ticket_allows(self, size: int) -> None:
        client, server = client_and_server()
        run = Run(client, takes(server, MORE), left_by(client, server), bytes(size)).finish()
        assert run.early == bytes(size)
        assert run.answers == (True, True, "")
        assert resumed(run.pair)

    @pytest.mark.parametrize("size", [EARLY_DATA + 1, 2 * EARLY_DATA, RECORD, MORE])
    def test_more_is_unexpected(self, size: int) -> None:
        """RFC 8446 §4.6.1: a server that receives more than max_early_data_size should say unexpected_message."""
        client, server = client_and_server()
        run = Run(client, takes(server, MORE), believing(left_by(client, server), MORE), bytes(size))
        sent = run.pair.client.take_output()
        expect(run.pair, run.pair.server, UnexpectedMessage, lambda: run.pair.server.receive(sent), readable=False)

    def test_more_in_small_records_is_unexpected_at_the_first_byte_past_it(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, takes(server, MORE), session=believing(left_by(client, server), MORE))
        pair.client.start()
        for _ in range(10):
            pair.client.send_early(bytes(EARLY_DATA // 10))
            pair.server.receive(pair.client.take_output())
        pair.client.send_early(b"x")
        past = pair.client.take_output()
        expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(past), readable=False)

    def test_new_tickets_allow_what_the_server_takes_now(self) -> None:
        client, server = client_and_server()
        raised = takes(server, MORE)
        run = Run(client, raised, left_by(client, server)).finish()
        (session,) = tickets_of(run.client)
        assert session.max_early_data == MORE
        assert Run(client, raised, session, bytes(MORE)).finish().early == bytes(MORE)


class TestLoweredSince:
    """What a ticket promised and the server does not take any more is refused as a whole."""

    @pytest.mark.parametrize("lowered", [1, LESS, EARLY_DATA - 1])
    @pytest.mark.parametrize("size", [1, LESS, EARLY_DATA])
    def test_it_is_refused_and_the_handshake_completes(self, size: int, lowered: int) -> None:
        """Also where less comes than would still be taken: how much will come is not known when it is answered."""
        client, server = client_and_server()
        run = Run(client, takes(server, lowered), left_by(client, server), bytes(size))
        assert run.offered == EARLY_DATA
        refused_with(run, LOWERED)
        assert resumed(run.pair)

    def test_new_tickets_allow_what_the_server_takes_now(self) -> None:
        client, server = client_and_server()
        lowered = takes(server, LESS)
        run = Run(client, lowered, left_by(client, server))
        refused_with(run, LOWERED)
        (session,) = tickets_of(run.client)
        assert session.max_early_data == LESS
        assert Run(client, lowered, session, bytes(LESS)).finish().early == bytes(LESS)

    def test_as_low_as_the_ticket_is_not_lower(self) -> None:
        client, server = client_and_server()
        session = left_by(client, takes(server, LESS))
        assert Run(client, takes(server, LESS), session, bytes(LESS)).finish().answers == (True, True, "")

    def test_the_guard_is_not_asked_about_what_is_refused(self) -> None:
        """What is refused anyway takes no room in it."""
        asked = []

        class Guard:
            def first_use(self, token: bytes, seconds: float) -> bool:
                asked.append(token)
                return True

        client, server = client_and_server()
        server = replace(server, replay_guard=Guard())
        refused_with(Run(client, takes(server, LESS), left_by(client, server)), LOWERED)
        assert asked == []


class SecondHello:
    """A client whose early data is passed over by its type, as far as its second ClientHello (RFC 8446 §4.2.10)."""

    def __init__(self, early: bytes = b"early") -> None:
        client, server = client_and_server()
        self.pair = Pair(client, replace(server, **P384_ONLY), session=left_by(client, server))
        share_records(self.pair)
        self.pair.client.start()
        (self.first,) = (one[5:] for one in split(self.pair.client.take_output()) if one[0] == HANDSHAKE)
        self.pair.client.send_early(early)
        self.early = b"".join(one for one in split(self.pair.client.take_output()) if one[0] == DATA)
        assert self.early

    def receive(self, *records: bytes) -> None:
        self.pair.server.receive(b"".join(records))

    def second(self) -> bytes:
        """Let the client answer HelloRetryRequest, and return its second ClientHello without a record."""
        self.pair.client.receive(self.pair.server.take_output())
        return next(one[5:] for one in split(self.pair.client.take_output()) if one[0] == HANDSHAKE)

    def completes(self) -> None:
        self.pair.connect()


class TestInsideTheSecondHello:
    """RFC 8446 §5.1: no record of another type stands between the pieces of a message."""

    def test_before_it_is_passed_over(self) -> None:
        case = SecondHello()
        case.receive(record(HANDSHAKE, case.first), case.early)
        case.receive(record(HANDSHAKE, case.second()))
        case.completes()

    def test_pieces_with_nothing_between_are_one_message(self) -> None:
        case = SecondHello()
        case.receive(record(HANDSHAKE, case.first), case.early)
        whole = case.second()
        for at in range(0, len(whole), 50):
            case.receive(record(HANDSHAKE, whole[at : at + 50]))
        case.completes()

    @pytest.mark.parametrize("size", [1, 3, 4, 5, 100, -1])
    def test_between_its_pieces_is_unexpected(self, size: int) -> None:
        case = SecondHello()
        case.receive(record(HANDSHAKE, case.first))
        case.receive(record(HANDSHAKE, case.second()[:size]))
        pair = case.pair
        expect(pair, pair.server, UnexpectedMessage, lambda: case.receive(case.early), readable=False)

    def test_behind_a_piece_in_the_first_hellos_record_is_unexpected(self) -> None:
        """The piece comes before the server has answered."""
        case = SecondHello()
        case.receive(record(HANDSHAKE, case.first + b"\1"))
        pair = case.pair
        expect(pair, pair.server, UnexpectedMessage, lambda: case.receive(case.early), readable=False)

    def test_an_empty_record_between_its_pieces_is_unexpected(self) -> None:
        case = SecondHello()
        case.receive(record(HANDSHAKE, case.first), case.early)
        case.receive(record(HANDSHAKE, case.second()[:10]))
        pair = case.pair
        expect(pair, pair.server, UnexpectedMessage, lambda: case.receive(record(DATA, b"")), readable=False)

    def test_change_cipher_spec_between_its_pieces_is_unexpected(self) -> None:
        """The same rule for the record that is passed over at any other time (RFC 8446 §5, Appendix D.4)."""
        case = SecondHello()
        case.receive(record(HANDSHAKE, case.first), record(CCS, b"\1"), case.early)
        case.receive(record(HANDSHAKE, case.second()[:10]))
        pair = case.pair
        expect(pair, pair.server, UnexpectedMessage, lambda: case.receive(record(CCS, b"\1")), readable=False)


def test_what_was_refused_for_another_reason_is_still_passed_over() -> None:
    """All that the ticket allowed is passed over, more than this server takes or skips, in whichever way it refuses."""
    client, server = client_and_server()
    session = left_by(client, takes(server, MORE))
    for changed in (takes(server, LESS), seen_before(takes(server, MORE)), replace(takes(server, LESS), **P384_ONLY)):
        run = Run(client, changed, session, bytes(MORE)).finish()
        assert run.early == b""
        assert run.answers[0] is False
        assert resumed(run.pair)


def test_a_record_in_the_clear_has_no_room_for_protection() -> None:
    """RFC 8446 §5.1: while refused early data is passed over, a record of another type has 2^14 bytes at the most."""
    client, server = client_and_server(minimum_version=0x0304, groups=(29, 23), key_shares=(29,))
    session = left_by(client, server)
    pair = Pair(client, replace(server, groups=(23,), key_shares=(23,)), session=session)
    pair.client.start()
    pair.server.receive(pair.client.take_output())  # which asks for another ClientHello, and takes no early data
    pair.client.receive(pair.server.take_output())
    hello = next(one for one in split(pair.client.take_output()) if one[0] == HANDSHAKE)[5:]
    large = hello + b"\x0e\x00\x40\x80" + bytes(RECORD + 100 - len(hello) - 4)
    header = b"\x16\x03\x03" + len(large).to_bytes(2, "big")
    expect(pair, pair.server, RecordOverflow, lambda: pair.server.receive(header + large))
