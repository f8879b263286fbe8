"""Limits hold however a peer cuts its messages into records (RFC 8446 §5.1, §6; each bound is in config.Limits)."""

from __future__ import annotations

import pytest
from harness import ALERT, HANDSHAKE, Pair, client_config, expect, on_message, record, server_config

from fasttls.connection import Connection
from fasttls.handshake import connected12, connected13, machine
from fasttls.handshake.config import Limits
from fasttls.handshake.state import State
from fasttls.wire.alerts import UnexpectedMessage
from fasttls.wire.extensions import OfferedPsks, PskIdentity
from fasttls.wire.iana import ContentType, ExtensionType
from fasttls.wire.messages import ClientHello, KeyUpdate, NewSessionTicket

TICKET = NewSessionTicket(7200, 5, b"\0", b"ticket", {}).encode()
SIDES = pytest.mark.parametrize("side", ["client", "server"])
ONLY13 = {"minimum_version": 0x0304}


def connected(limits: Limits | None = None, **settings: int) -> Pair:
    """Return a pair that is connected, in TLS 1.3 unless told otherwise."""
    settings = settings or ONLY13
    limits = limits or Limits()
    return Pair(client_config(limits=limits, **settings), server_config(limits=limits, **settings)).connect()


def sealed(sender: Connection, content_type: int, *contents: bytes) -> bytes:
    """Return one protected record for each content."""
    for content in contents:
        sender._seal(ContentType(content_type), content)
    return sender.take_output()


class TestTickets:
    """So many in a row, and no more."""

    def test_in_one_record(self) -> None:
        pair = connected(Limits(tickets=3))
        data = sealed(pair.server, HANDSHAKE, TICKET * 4)
        expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(data), "TOO_MANY_TICKETS")

    def test_each_begun_in_the_record_that_ends_the_one_before(self) -> None:
        pair = connected(Limits(tickets=3))
        data = sealed(pair.server, HANDSHAKE, TICKET[:1], *[TICKET[1:] + TICKET[:1]] * 4)
        expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(data), "TOO_MANY_TICKETS")

    def test_as_many_as_are_allowed_in_one_record(self) -> None:
        pair = connected(Limits(tickets=3))
        assert len(pair.client.receive(sealed(pair.server, HANDSHAKE, TICKET * 3))) == 3

    def test_key_updates_behind_tickets(self) -> None:
        """A KeyUpdate is counted though the record that begins it begins with a ticket."""
        pair = connected(Limits(key_updates=3))
        update = KeyUpdate(False).encode()
        for _ in range(3):
            pair.server.update_keys()
        pair.client.receive(pair.server.take_output())
        data = sealed(pair.server, HANDSHAKE, TICKET + update)
        expect(
            pair,
            pair.client,
            UnexpectedMessage,
            lambda: pair.client.receive(data),
            "TOO_MANY_KEY_UPDATES",
            readable=False,
        )


def test_requests_to_renegotiate_in_one_record() -> None:
    """RFC 5746 §4.5: refused with a warning, which makes four bytes into thirty; the bound is on both."""
    pair = connected(Limits(renegotiations=8), maximum_version=0x0303)
    data = sealed(pair.server, HANDSHAKE, bytes(4) * 4096)
    expect(
        pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(data), "TOO_MANY_RENEGOTIATIONS",
        readable=False,
    )  # fmt: skip


def test_what_is_answered_to_a_record_is_bounded() -> None:
    pair = connected(maximum_version=0x0303)
    data = sealed(pair.server, HANDSHAKE, bytes(4) * 4096)
    with pytest.raises(UnexpectedMessage):
        pair.client.receive(data)
    assert len(pair.client.take_output()) < 1000


@SIDES
def test_warnings_are_counted_in_a_row(side: str) -> None:
    """Limits.warning_alerts is for alerts in a row: data between them begins anew, as for KeyUpdate."""
    pair = connected(Limits(warning_alerts=3))
    victim = getattr(pair, side)
    attacker = pair.peer_of(victim)
    for _ in range(10):
        victim.receive(sealed(attacker, ALERT, b"\1\x5a") + sealed(attacker, ContentType.APPLICATION_DATA, b"x"))
    assert victim.error is None


def offering_early_data(limit: int) -> Pair:
    """Return a pair whose server has refused early data and may skip so many bytes."""

    def change(hello: ClientHello) -> None:
        hello.extensions[ExtensionType.EARLY_DATA] = None
        hello.extensions[ExtensionType.PSK_KEY_EXCHANGE_MODES] = (1,)
        hello.extensions[ExtensionType.PRE_SHARED_KEY] = OfferedPsks((PskIdentity(b"u", 0),), (bytes(32),))

    server = server_config(**ONLY13, limits=Limits(early_data=limit))
    pair = Pair(client_config(**ONLY13), server, client_alters=on_message(ClientHello, change))
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    pair.server.take_output()
    return pair


@pytest.mark.parametrize("size", [0, 1, 16])
def test_early_data_that_is_skipped_is_bounded_in_records_too(size: int) -> None:
    """RFC 8446 §4.2.10: a record without a byte in it must not be skipped for ever."""
    pair = offering_early_data(320)
    data = record(ContentType.APPLICATION_DATA, bytes(size)) * 1000
    with pytest.raises(UnexpectedMessage):
        pair.server.receive(data)
    assert pair.server.take_output()


@SIDES
def test_fragments_of_a_protected_message_are_counted(side: str) -> None:
    pair = connected(Limits(message_fragments=6))
    victim = getattr(pair, side)
    attacker = pair.peer_of(victim)
    update = KeyUpdate(False).encode()
    pieces = [update[i : i + 1] for i in range(len(update))]
    victim.receive(sealed(attacker, HANDSHAKE, *pieces))
    assert victim.error is None

    pair = connected(Limits(message_fragments=4))
    victim = getattr(pair, side)
    data = sealed(pair.peer_of(victim), HANDSHAKE, *pieces)
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(data), "TOO_MANY_FRAGMENTS")


@SIDES
def test_the_limits_are_those_that_the_issue_names(side: str) -> None:
    limits = getattr(connected(), side).config.limits
    assert (limits.certificate_message, limits.handshake_message) == (256 * 1024, 64 * 1024)
    assert (limits.empty_records, limits.warning_alerts, limits.key_updates) == (32, 32, 32)


def test_every_message_after_the_handshake_has_a_limit() -> None:
    """A message that may come at any time, without a bound on how often, is how a peer keeps this side busy."""
    connected_states = [
        state
        for module in (connected12, connected13)
        for state in vars(module).values()
        if isinstance(state, type) and issubclass(state, State) and state.readers
    ]
    assert len(connected_states) == 4
    for state in connected_states:
        assert set(state.readers) <= set(machine._BETWEEN_DATA), state
