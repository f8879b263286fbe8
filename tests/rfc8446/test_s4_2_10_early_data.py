"""Early data: taken, refused with a reason, passed over, bounded, and never taken twice (RFC 8446 §2.3, §4.2.10, §8).

The end replays RFC 8448 §4, a resumption with early data, through the client's states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sessions
from harness import DATA, HANDSHAKE, Pair, client_config, expect, framed, on_message, server_config, split
from rfc8446.resuming import (
    ONLY12,
    ONLY13,
    Clock,
    Key,
    exchange,
    hellos,
    left_by,
    offering,
    resumed,
    sent_types,
    share_records,
    tickets_of,
)
from rfc8448.replaying import Log, Queue, config, first, read
from rfc8448.trace import RESUMED, SIMPLE, find, messages, private_key, records, secret
from sessions import EARLY_DATA, carry

from fasttls.connection import Connection
from fasttls.crypto.groups import offers
from fasttls.crypto.suites import SUITES
from fasttls.events import (
    ApplicationData,
    EarlyData,
    EarlyDataAnswered,
    Event,
    HandshakeCompleted,
    PeerClosed,
)
from fasttls.handshake.client import Offered, WaitServerHello
from fasttls.handshake.config import Config, Limits, PeerCertificate
from fasttls.handshake.flight import Epoch, OfferEarlyData, WriteWith
from fasttls.handshake.psk13 import _binder, client_offers
from fasttls.native._secret import Secret
from fasttls.sessions.keys import MemoryTicketKeys
from fasttls.sessions.psk import ExternalPsk
from fasttls.sessions.replay import WINDOW_SECONDS, MemoryReplayGuard
from fasttls.sessions.session import Session
from fasttls.wire.alerts import (
    BadRecordMac,
    HandshakeFailure,
    IllegalParameter,
    MissingExtension,
    ProtocolVersionAlert,
    TLSError,
    UnexpectedMessage,
)
from fasttls.wire.iana import CipherSuite, ExtensionType, HandshakeType, NamedGroup
from fasttls.wire.messages import ClientHello, EncryptedExtensions, NewSessionTicket

X = ExtensionType
SHA256, CHACHA, SHA384 = 0x1301, 0x1303, 0x1302
P384_ONLY = {"groups": (NamedGroup.SECP384R1,), "key_shares": (NamedGroup.SECP384R1,)}
EARLY = b"GET / HTTP/1.1\r\n\r\n"


def client_and_server(**both: Any) -> tuple[Config, Config]:
    return sessions.client_and_server(**{**ONLY13, "early_data": True, **both})


class Run:
    """One connection with early data, and what both sides were told."""

    def __init__(
        self, client: Config, server: Config, session: Session | None, data: bytes = EARLY, **more: Any
    ) -> None:
        self.pair = Pair(client, server, session=session, **more)
        if not more:
            share_records(self.pair)
        self.client: list[Event] = []
        self.server: list[Event] = []
        self.pair.client.start()
        self.offered = self.pair.client.early_data_left
        if self.offered:
            self.pair.client.send_early(data)

    def finish(self) -> Run:
        """Carry on until both sides are connected, and see that data flows."""
        pair = self.pair
        while True:
            to_server = pair.client.take_output()
            self.server += pair.server.receive(to_server) if to_server else []
            to_client = pair.server.take_output()
            self.client += pair.client.receive(to_client) if to_client else []
            if not to_server and not to_client:
                break
        exchange(pair)
        return self

    @property
    def early(self) -> bytes:
        """What the server took."""
        return b"".join(event.data for event in self.server if isinstance(event, EarlyData))

    @property
    def answers(self) -> tuple[bool | None, bool | None, str]:
        """What client and server were told, and the server's reason."""
        told = [
            next((event for event in events if isinstance(event, EarlyDataAnswered)), None)
            for events in (self.client, self.server)
        ]
        ours, theirs = told
        return (
            None if ours is None else ours.accepted,
            None if theirs is None else theirs.accepted,
            "" if theirs is None else theirs.reason,
        )


def refused_with(run: Run, reason: str) -> None:
    """Check that early data was refused for a reason, that none was taken, and that the client was told."""
    run.finish()
    assert run.answers[:2] == (False, False)
    assert reason in run.answers[2]
    assert run.early == b""


class TestAccepted:
    """RFC 8446 §4.2.10."""

    @pytest.mark.parametrize("compatibility", [True, False])
    @pytest.mark.parametrize("suite", SUITES)
    def test_every_suite(self, suite: int, compatibility: bool) -> None:
        client, server = client_and_server(suites=(suite,), compatibility_mode=compatibility)
        run = Run(client, server, left_by(client, server)).finish()
        assert run.answers == (True, True, "")
        assert run.early == EARLY
        assert resumed(run.pair)
        assert HandshakeType.END_OF_EARLY_DATA in sent_types(run.pair.client, run.pair)

    def test_it_comes_before_the_handshake_is_complete(self) -> None:
        client, server = client_and_server()
        run = Run(client, server, left_by(client, server))
        events = run.pair.server.receive(run.pair.client.take_output())
        assert EarlyData(EARLY) in events
        assert not run.pair.server.connected
        run.finish()

    def test_more_of_it_until_the_server_answers(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, server, session=left_by(client, server))
        pair.client.start()
        found = []
        for number in range(5):
            pair.client.send_early(bytes([number]))
            found += pair.server.receive(pair.client.take_output())
        assert [event.data[0] for event in found if isinstance(event, EarlyData)] == [0, 1, 2, 3, 4]
        pair.run()
        assert pair.client.early_data_left == 0
        exchange(pair)

    @pytest.mark.parametrize("size", [0, 1, EARLY_DATA])
    def test_as_much_as_the_ticket_allows(self, size: int) -> None:
        client, server = client_and_server()
        run = Run(client, server, left_by(client, server), bytes(size)).finish()
        assert run.early == bytes(size)
        assert run.answers == (True, True, "")

    def test_more_is_the_callers_fault(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, server, session=left_by(client, server))
        with pytest.raises(ValueError, match="early data"):
            pair.client.send_early(b"before the start")
        pair.client.start()
        assert pair.client.early_data_left == EARLY_DATA
        with pytest.raises(ValueError, match="early data"):
            pair.client.send_early(bytes(EARLY_DATA + 1))
        pair.client.send_early(bytes(EARLY_DATA))
        with pytest.raises(ValueError, match="early data"):
            pair.client.send_early(b"x")
        pair.run()
        with pytest.raises(ValueError, match="early data"):
            pair.client.send_early(b"x")

    def test_the_key_log_has_its_secret_on_both_sides(self) -> None:
        logs: dict[str, dict[str, bytes]] = {"client": {}, "server": {}}
        client, server = client_and_server()
        session = left_by(client, server)
        client = replace(client, key_log=lambda *entry: logs["client"].update({entry[0]: bytes(entry[2])}))
        server = replace(server, key_log=lambda *entry: logs["server"].update({entry[0]: bytes(entry[2])}))
        Run(client, server, session).finish()
        assert logs["client"] == logs["server"]
        assert len(logs["client"]["CLIENT_EARLY_TRAFFIC_SECRET"]) in (32, 48)
        assert len(set(logs["client"].values())) == 6

    def test_by_default_there_is_none(self) -> None:
        assert not client_config().early_data
        assert server_config().max_early_data == 0
        client, server = client_and_server()
        session = left_by(client, server)
        pair = Pair(replace(client, early_data=False), server, session=session)
        pair.connect()
        assert X.EARLY_DATA not in hellos(pair)[0].extensions
        assert resumed(pair)

    def test_a_server_without_a_guard_cannot_be_configured(self) -> None:
        with pytest.raises(ValueError, match="replay guard"):
            server_config(max_early_data=1)

    def test_tickets_say_how_much(self) -> None:
        client, server = client_and_server()
        assert left_by(client, server).max_early_data == EARLY_DATA
        assert left_by(client, replace(server, max_early_data=0)).max_early_data == 0

    def test_a_ticket_after_early_data_allows_it_again(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        for _ in range(3):
            run = Run(client, server, session).finish()
            assert run.early == EARLY
            (session,) = tickets_of(run.client)


def seen_before(server: Config) -> Config:
    class Guard:
        def first_use(self, token: bytes, seconds: float) -> bool:
            return False

    return replace(server, replay_guard=Guard())


# What a server may have against early data, and the reason that it gives.
REFUSALS: list[tuple[str, Callable[[Config], Config], str]] = [
    ("seen before", seen_before, "seen before"),
    ("no more taken", lambda server: replace(server, max_early_data=0), "takes none"),
    ("another suite", lambda server: replace(server, suites=(CHACHA,)), "suite or protocol"),
    ("another protocol", lambda server: replace(server, alpn=(b"http/1.1",)), "suite or protocol"),
    ("no protocol", lambda server: replace(server, alpn=()), "suite or protocol"),
    ("other keys", lambda server: replace(server, ticket_keys=MemoryTicketKeys()), "no session"),
    ("no resumption", lambda server: replace(server, resumption=False), "no session"),
    ("no suite for it", lambda server: replace(server, suites=(SHA384,)), "no session"),
    (
        "a certificate wanted",
        lambda server: replace(server, peer_certificate=PeerCertificate.OPTIONAL, psk_modes=(0,)),
        "no session",
    ),
]


class TestRefused:
    """The connection is made all the same, and the early data is passed over."""

    @pytest.mark.parametrize(("change", "reason"), [c[1:] for c in REFUSALS], ids=[c[0] for c in REFUSALS])
    def test_for_a_reason(self, change: Callable[[Config], Config], reason: str) -> None:
        client, server = client_and_server(alpn=(b"h2", b"http/1.1"))
        session = left_by(client, replace(server, suites=(SHA256,)))
        run = Run(client, change(server), session)
        assert run.offered
        refused_with(run, reason)

    @pytest.mark.parametrize("skew", [-11, 11, 1800])
    def test_for_its_age(self, skew: float) -> None:
        """RFC 8446 §8.3."""
        clock, late = Clock(), Clock()
        client, server = client_and_server(now=clock)
        session = left_by(client, server)
        clock.now += 5000
        late.now = clock.now + skew
        run = Run(client, replace(server, now=late), session)
        refused_with(run, "age")
        assert resumed(run.pair)

    @pytest.mark.parametrize("skew", [-9, 0, 9])
    def test_not_for_an_age_that_is_a_little_off(self, skew: float) -> None:
        clock, late = Clock(), Clock()
        client, server = client_and_server(now=clock)
        session = left_by(client, server)
        clock.now += 5000
        late.now = clock.now + skew
        assert Run(client, replace(server, now=late), session).finish().early == EARLY

    def test_by_a_ticket_that_does_not_allow_it(self) -> None:
        """A client that sends it all the same."""
        client, server = client_and_server()
        session = left_by(client, replace(server, max_early_data=0))
        refused_with(Run(client, server, replace(session, max_early_data=EARLY_DATA)), "ticket does not allow")

    def test_by_hello_retry_request(self) -> None:
        """RFC 8446 §4.2.10: the second hello has none, and the session is gone on with."""
        client, server = client_and_server()
        session = left_by(client, server)
        run = Run(client, replace(server, **P384_ONLY), session).finish()
        assert run.early == b""
        assert run.answers[0] is False
        assert run.pair.client.early_data_left == 0
        one, two = hellos(run.pair)
        assert X.EARLY_DATA in one.extensions
        assert X.EARLY_DATA not in two.extensions
        assert resumed(run.pair)

    def test_the_server_tells_its_caller_of_hello_retry_request(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        run = Run(client, replace(server, **P384_ONLY), session).finish()
        assert run.answers[:2] == (False, False)
        assert run.answers[2]

    @pytest.mark.parametrize("retry", [False, True])
    def test_what_comes_after_the_refusal_is_sent_again(self, retry: bool) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        changed = replace(server, **P384_ONLY) if retry else seen_before(server)
        run = Run(client, changed, session).finish()
        run.pair.client.send(EARLY)
        assert run.pair.server.receive(run.pair.client.take_output()) == [ApplicationData(EARLY)]

    @pytest.mark.parametrize("size", [1, 1000, 16384])
    @pytest.mark.parametrize("retry", [False, True])
    @pytest.mark.parametrize("records_of", [1, 50, 16384])
    def test_all_that_the_ticket_allows_is_passed_over(self, retry: bool, size: int, records_of: int) -> None:
        """RFC 8446 §4.2.10: whatever a ticket allowed, a client that was honest goes on."""
        if size // records_of > 400:
            return
        client, server = client_and_server()
        server = replace(server, max_early_data=size)
        session = left_by(client, server)
        changed = replace(server, **P384_ONLY) if retry else seen_before(server)
        run = Run(client, changed, session, b"")
        for start in range(0, size, records_of):
            run.pair.client.send_early(bytes(min(records_of, size - start)))
        run.finish()
        assert run.early == b""

    @pytest.mark.parametrize("retry", [False, True], ids=["refused", "retried"])
    def test_more_than_the_limit_is_passed_over_when_the_ticket_allows_it(self, retry: bool) -> None:
        """RFC 8446 §4.6.1: max_early_data_size counts the content, not what records add to it."""
        size = 100_000
        client, server = client_and_server()
        server = replace(server, max_early_data=size)
        assert size > server.limits.early_data
        session = left_by(client, server)
        changed = replace(server, **P384_ONLY) if retry else seen_before(server)
        run = Run(client, changed, session, bytes(size)).finish()
        assert run.early == b""
        assert run.answers[0] is False

    @pytest.mark.parametrize("retry", [False, True], ids=["refused", "retried"])
    def test_more_than_may_be_passed_over_is_unexpected(self, retry: bool) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        server = replace(server, limits=Limits(early_data=2000), **(P384_ONLY if retry else {}))
        server = server if retry else seen_before(server)
        run = Run(client, server, session)
        pair = run.pair
        pair.server.receive(pair.client.take_output())
        pair.client._seal(DATA, bytes(3000))
        data = pair.client.take_output()
        expect(
            pair,
            pair.server,
            UnexpectedMessage,
            lambda: pair.server.receive(data),
            "TOO_MUCH_SKIPPED_EARLY_DATA",
            readable=False,
        )

    def test_what_does_not_decrypt_behind_the_first_good_record_is_an_error(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        run = Run(client, seen_before(server), session).finish()
        early = b"\x17\x03\x03\0\x64" + bytes(100)
        pair = run.pair
        expect(pair, pair.server, BadRecordMac, lambda: pair.server.receive(early))

    def test_a_full_handshake_with_a_client_certificate_behind_it(self) -> None:
        import certs
        from harness import credential

        client, server = client_and_server()
        client = replace(client, credentials=(credential(certs.client_credential()),))
        session = left_by(client, server)
        run = Run(client, replace(server, peer_certificate=PeerCertificate.REQUIRED), session)
        refused_with(run, "no session")
        assert run.pair.server.negotiated is not None
        assert run.pair.server.negotiated.peer_chain


class TestUnderOtherKeys:
    """RFC 8446 §4.2.10: under the first key that is offered, and it must be the one that is chosen."""

    @staticmethod
    def answered(client: Config, server: Config, keys: list[Key]) -> list[EarlyDataAnswered]:
        def change(hello: ClientHello) -> None:
            hello.extensions[X.EARLY_DATA] = None

        pair = Pair(client, server, client_alters=offering(keys, change))
        pair.client.start()
        events = pair.server.receive(pair.client.take_output())
        return [event for event in events if isinstance(event, EarlyDataAnswered)]

    def test_the_second(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        (answer,) = self.answered(client, server, [Key(b"unknown", bytes(32)), Key.of(session)])
        assert not answer.accepted
        assert "first" in answer.reason

    def test_the_first(self) -> None:
        """That the test above means something."""
        client, server = client_and_server()
        (answer,) = self.answered(client, server, [Key.of(left_by(client, server)), Key(b"unknown", bytes(32))])
        assert answer.accepted

    def test_an_external_one(self) -> None:
        """There is no early data under those: nothing says which suite."""
        psk = ExternalPsk(b"sensor", Secret(b"0123456789abcdef"))
        client, server = client_and_server()
        server = replace(server, find_psk={psk.identity: psk}.get)
        key = Key(psk.identity, psk.secret, "sha256", b"ext binder")
        (answer,) = self.answered(client, server, [key])
        assert not answer.accepted

    def test_a_client_with_an_external_key_alone_offers_none(self) -> None:
        psk = ExternalPsk(b"sensor", Secret(b"0123456789abcdef"))
        client, server = client_and_server()
        pair = Pair(replace(client, external_psks=(psk,)), replace(server, find_psk=lambda _: psk)).connect()
        assert X.EARLY_DATA not in hellos(pair)[0].extensions

    def test_without_any_is_missing_extension(self) -> None:
        client, server = client_and_server()

        def change(hello: ClientHello) -> None:
            hello.extensions[X.EARLY_DATA] = None

        pair = Pair(client, server, client_alters=on_message(ClientHello, change))
        expect(pair, pair.server, MissingExtension, pair.run)

    def test_in_the_second_hello_is_illegal_parameter(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        seen: list[ClientHello] = []

        def change(hello: ClientHello) -> None:
            seen.append(hello)
            if len(seen) == 2:
                psk = hello.extensions.pop(X.PRE_SHARED_KEY)
                hello.extensions[X.EARLY_DATA] = None
                hello.extensions[X.PRE_SHARED_KEY] = psk

        alters = on_message(ClientHello, change)
        pair = Pair(client, replace(server, **P384_ONLY), session=session, client_alters=alters)
        expect(pair, pair.server, IllegalParameter, pair.run, readable=False)


class TestReplay:
    """RFC 8446 §8: a ClientHello is taken with its early data once."""

    @staticmethod
    def first_flight(client: Config, server: Config, session: Session) -> bytes:
        run = Run(client, server, session)
        return run.pair.client.take_output()

    @staticmethod
    def take(server: Config, flight: bytes) -> list[bytes]:
        connection = Connection(server, server_side=True)
        return [event.data for event in connection.receive(flight) if isinstance(event, EarlyData)]

    def test_the_same_flight_twice(self) -> None:
        client, server = client_and_server()
        flight = self.first_flight(client, server, left_by(client, server))
        assert [self.take(server, flight) for _ in range(5)] == [[EARLY], [], [], [], []]

    def test_to_two_servers_that_share_a_guard(self) -> None:
        client, server = client_and_server()
        other = replace(server, num_tickets=1)
        flight = self.first_flight(client, server, left_by(client, server))
        assert self.take(other, flight) == [EARLY]
        assert self.take(server, flight) == []

    def test_from_many_threads(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        client, server = client_and_server()
        flight = self.first_flight(client, server, left_by(client, server))
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda _: self.take(server, flight), range(32)))
        assert sum(map(len, taken)) == 1

    def test_two_connections_with_one_ticket_are_no_replay(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        for _ in range(2):
            assert self.take(server, self.first_flight(client, server, session)) == [EARLY]

    def test_for_as_long_as_its_age_would_be_believed(self) -> None:
        """What the guard forgets is refused for its age (RFC 8446 §8.2, §8.3), at every moment."""
        clock = Clock()
        server_clock = Clock()
        client, server = client_and_server(now=clock)
        guard = MemoryReplayGuard(clock=server_clock)
        server = replace(server, now=server_clock, replay_guard=guard)
        session = left_by(client, server)
        flight = self.first_flight(client, server, session)
        start = session.created
        taken = 0
        for step in range(-120, 400):  # tenths of a second
            server_clock.now = start + step / 10
            taken += len(self.take(server, flight))
        assert taken == 1

    def test_at_the_very_edge_of_the_window(self) -> None:
        """The youngest age that is believed, and then the oldest."""
        clock, server_clock = Clock(), Clock()
        clock.now = server_clock.now = float(int(clock.now))
        client, server = client_and_server(now=clock)
        server = replace(server, now=server_clock, replay_guard=MemoryReplayGuard(clock=server_clock))
        session = left_by(client, server)
        clock.now += 100
        flight = self.first_flight(client, server, session)
        taken = 0
        for skew in (-WINDOW_SECONDS, WINDOW_SECONDS):
            server_clock.now = clock.now + skew
            taken += len(self.take(server, flight))
        assert taken <= 1

    def test_a_replay_goes_on_without_early_data(self) -> None:
        """The handshake is not refused: the server answers, and whoever replays has no keys for that."""
        client, server = client_and_server()
        flight = self.first_flight(client, server, left_by(client, server))
        self.take(server, flight)
        connection = Connection(server, server_side=True)
        connection.receive(flight)
        assert connection.error is None
        assert not connection.connected

    def test_a_full_guard_refuses(self) -> None:
        client, server = client_and_server()
        server = replace(server, replay_guard=MemoryReplayGuard(1))
        session = left_by(client, server)
        assert self.take(server, self.first_flight(client, server, session)) == [EARLY]
        assert self.take(server, self.first_flight(client, server, session)) == []

    def test_a_guard_of_lasting_keys_refuses_at_first(self) -> None:
        clock = Clock()
        guard = MemoryReplayGuard(lasting_keys=True, clock=clock)
        client, server = client_and_server()
        server = replace(server, replay_guard=guard)
        session = left_by(client, server)
        assert self.take(server, self.first_flight(client, server, session)) == []
        clock.now += 2 * WINDOW_SECONDS + 1
        assert self.take(server, self.first_flight(client, server, session)) == [EARLY]

    def test_a_wrong_binder_does_not_use_it_up(self) -> None:
        """Somebody who saw the ticket cannot spend it."""
        client, server = client_and_server()
        session = left_by(client, server)
        flight = self.first_flight(client, server, session)
        spoilt = bytearray(flight)
        size = int.from_bytes(flight[3:5], "big")
        spoilt[5 + size - 1] ^= 1
        with pytest.raises(TLSError):
            self.take(server, bytes(spoilt))
        assert self.take(server, flight) == [EARLY]

    def test_a_guard_that_fails_is_told_to_the_caller_and_takes_nothing(self) -> None:
        class Broken:
            def first_use(self, token: bytes, seconds: float) -> bool:
                raise OSError("away")

        client, server = client_and_server()
        flight = self.first_flight(client, server, left_by(client, server))
        with pytest.raises(OSError, match="away"):
            self.take(replace(server, replay_guard=Broken()), flight)


class TestEnd:
    """EndOfEarlyData (RFC 8446 §4.5)."""

    @staticmethod
    def make(**more: Any) -> Run:
        client, server = client_and_server()
        return Run(client, server, left_by(client, server), **more)

    def test_left_out(self) -> None:
        """Finished comes under the wrong keys."""
        run = self.make(client_alters=lambda m: () if m[0] == HandshakeType.END_OF_EARLY_DATA else (m,))
        pair = run.pair
        expect(pair, pair.server, TLSError, pair.run, readable=False)
        assert not pair.server.connected

    def test_twice(self) -> None:
        run = self.make(client_alters=lambda m: (m, m) if m[0] == HandshakeType.END_OF_EARLY_DATA else (m,))
        pair = run.pair
        expect(pair, pair.server, TLSError, pair.run, readable=False)
        assert not pair.server.connected

    def test_again_under_the_keys_of_the_handshake(self) -> None:
        run = self.make()
        pair = run.pair
        pair.inject("client", HANDSHAKE, framed(HandshakeType.END_OF_EARLY_DATA, b""), {HandshakeType.FINISHED})
        expect(pair, pair.server, UnexpectedMessage, pair.run, readable=False)

    def test_before_the_servers_finished(self) -> None:
        """A client that ends it early: what follows under those keys is refused."""
        run = self.make()
        pair = run.pair
        pair.client._seal(HANDSHAKE, framed(HandshakeType.END_OF_EARLY_DATA, b""))
        pair.client._seal(DATA, b"more")
        data = pair.client.take_output()
        expect(pair, pair.server, BadRecordMac, lambda: pair.server.receive(data), readable=False)

    def test_with_a_body(self) -> None:
        from fasttls.wire.alerts import DecodeError

        run = self.make()
        pair = run.pair
        pair.client._seal(HANDSHAKE, framed(HandshakeType.END_OF_EARLY_DATA, b"\0"))
        data = pair.client.take_output()
        expect(pair, pair.server, DecodeError, lambda: pair.server.receive(data), readable=False)

    def test_where_no_early_data_was_taken(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, seen_before(server), session=left_by(client, server))
        pair.inject("client", HANDSHAKE, framed(HandshakeType.END_OF_EARLY_DATA, b""), {HandshakeType.FINISHED})
        expect(pair, pair.server, UnexpectedMessage, pair.run, readable=False)

    @pytest.mark.parametrize(
        "message",
        sorted(set(HandshakeType) - {HandshakeType.END_OF_EARLY_DATA}),
    )
    def test_another_message_under_the_early_keys(self, message: int) -> None:
        pair = self.make().pair
        pair.client._seal(HANDSHAKE, framed(message, bytes(32)))
        data = pair.client.take_output()
        expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(data), readable=False)

    def test_inside_of_a_message_no_early_data(self) -> None:
        pair = self.make().pair
        pair.client._seal(HANDSHAKE, framed(HandshakeType.END_OF_EARLY_DATA, b"")[:2])
        pair.client._seal(DATA, b"x")
        data = pair.client.take_output()
        expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(data), readable=False)

    def test_the_handshake_is_not_complete_without_it(self) -> None:
        pair = self.make().pair
        pair.server.receive(pair.client.take_output())
        pair.client.receive(pair.server.take_output())
        pieces = split(pair.client.take_output())
        for piece in pieces[:-1]:
            pair.server.receive(piece)
        assert not pair.server.connected
        pair.server.receive(pieces[-1])
        assert pair.server.connected


class TestTooMuch:
    """RFC 8446 §4.2.10: more than max_early_data_size is unexpected_message."""

    @pytest.mark.parametrize("parts", [(EARLY_DATA + 1,), (EARLY_DATA, 1), (1, EARLY_DATA), (16000,)])
    def test_by_a_byte(self, parts: tuple[int, ...]) -> None:
        client, server = client_and_server()
        pair = Pair(client, server, session=left_by(client, server))
        pair.client.start()
        for size in parts:
            pair.client._seal(DATA, bytes(size))
        data = pair.client.take_output()
        expect(
            pair,
            pair.server,
            UnexpectedMessage,
            lambda: pair.server.receive(data),
            "TOO_MUCH_EARLY_DATA",
            readable=False,
        )

    def test_padding_does_not_count(self) -> None:
        """RFC 8446 §4.6.1: only the content is counted."""
        client, server = client_and_server(padding=lambda size: 3000)
        run = Run(client, server, left_by(client, server), bytes(EARLY_DATA)).finish()
        assert run.early == bytes(EARLY_DATA)

    def test_empty_records_are_not_to_be_had_for_nothing(self) -> None:
        client, server = client_and_server()
        pair = Pair(client, server, session=left_by(client, server))
        pair.client.start()
        for _ in range(40):
            pair.client._seal(DATA, b"")
        data = pair.client.take_output()
        expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(data), readable=False)


class TestTheServersAnswer:
    """What a client refuses."""

    @staticmethod
    def refuses(change: Callable[[Any], object], message: type, server_changes: Callable = lambda s: s) -> None:
        client, server = client_and_server(alpn=(b"h2", b"http/1.1"))
        session = left_by(client, replace(server, suites=(SHA256,)))
        run = Run(client, server_changes(server), session, server_alters=on_message(message, change))
        pair = run.pair
        expect(pair, pair.client, IllegalParameter, pair.run, readable=False)

    def test_accepted_with_another_protocol(self) -> None:
        def change(message: EncryptedExtensions) -> None:
            message.extensions[X.ALPN] = b"http/1.1"

        self.refuses(change, EncryptedExtensions)

    def test_accepted_without_the_protocol(self) -> None:
        def change(message: EncryptedExtensions) -> None:
            del message.extensions[X.ALPN]

        self.refuses(change, EncryptedExtensions)

    def test_accepted_with_another_suite(self) -> None:
        def change(message: EncryptedExtensions) -> None:
            message.extensions[X.EARLY_DATA] = None

        self.refuses(change, EncryptedExtensions, lambda server: replace(server, suites=(CHACHA,)))

    def test_accepted_without_the_session(self) -> None:
        def change(message: EncryptedExtensions) -> None:
            message.extensions[X.EARLY_DATA] = None

        self.refuses(change, EncryptedExtensions, lambda server: replace(server, resumption=False))

    def test_in_the_server_hello(self) -> None:
        client, server = client_and_server()

        def add(message: bytes) -> tuple[bytes, ...]:
            if message[0] != HandshakeType.SERVER_HELLO:
                return (message,)
            size = 4 + 2 + 32 + 1 + message[38] + 3
            length = int.from_bytes(message[size : size + 2], "big") + 4
            body = message[4:size] + length.to_bytes(2, "big") + message[size + 2 :] + b"\0\x2a\0\0"
            return (framed(2, body),)

        pair = Run(client, server, left_by(client, server), server_alters=add).pair
        expect(pair, pair.client, TLSError, pair.run, readable=False)

    def test_tls12_is_protocol_version(self) -> None:
        """RFC 8446 Appendix D.3; a client whose caller tries again without it gets through."""
        client, server = client_and_server(minimum_version=0x0303)
        session = left_by(client, server)
        old = replace(server, **ONLY12)
        pair = Pair(client, old, session=session)
        pair.client.start()
        pair.server.receive(split(pair.client.take_output())[0])
        answer = pair.server.take_output()
        expect(pair, pair.client, ProtocolVersionAlert, lambda: pair.client.receive(answer), readable=False)
        again = Pair(replace(client, early_data=False), old, session=session).connect()
        assert not resumed(again)

    def test_an_alert_instead(self) -> None:
        client, server = client_and_server()
        session = left_by(client, server)
        pair = Run(client, replace(server, suites=(0xC02B,), minimum_version=0x0303), session).pair
        with pytest.raises((HandshakeFailure, ProtocolVersionAlert)):
            pair.run()
        with pytest.raises(TLSError) as caught:
            pair.client.receive(pair.server.take_output())
        assert caught.value.alert_received in (40, 70)


class TestWhatClosesEarly:
    """Alerts and the end in the middle of early data."""

    @pytest.mark.parametrize("alert", [b"\2\x28", b"\1\x28"])
    def test_an_alert_under_the_early_keys(self, alert: bytes) -> None:
        client, server = client_and_server()
        pair = Run(client, server, left_by(client, server)).pair
        pair.client._seal(21, alert)  # type: ignore[arg-type]
        with pytest.raises(TLSError) as caught:
            pair.server.receive(pair.client.take_output())
        assert caught.value.alert_received == 40
        assert not pair.server.connected

    def test_close_notify_in_early_data_completes_nothing(self) -> None:
        client, server = client_and_server()
        pair = Run(client, server, left_by(client, server)).pair
        pair.client.close()
        events = pair.server.receive(pair.client.take_output())
        assert events[-1] == PeerClosed()
        assert not pair.server.connected
        with pytest.raises(TLSError):
            pair.server.receive_eof()

    def test_early_data_cannot_be_sent_behind_close_notify(self) -> None:
        client, server = client_and_server()
        pair = Run(client, server, left_by(client, server)).pair
        pair.client.close()
        with pytest.raises(ValueError, match="early data"):
            pair.client.send_early(b"x")


def session_of_the_trace() -> Session:
    """Return the session that a client makes of the ticket in RFC 8448 §3, driven through our own state."""
    from fasttls.handshake.connected13 import ClientConnected
    from fasttls.handshake.flight import Emit, Flight
    from fasttls.native._hash import Transcript

    keys = Queue()
    certificate = first(SIMPLE, "server", HandshakeType.CERTIFICATE)
    ticket = read(NewSessionTicket, first(SIMPLE, "server", HandshakeType.NEW_SESSION_TICKET))
    negotiated = _negotiated(certificate)
    settings = config(SIMPLE, "client", keys, resumption=True, now=lambda: 1_500_000_000.0)
    resumption = Secret(secret(SIMPLE, "res master")["expanded"])
    state = ClientConnected(
        SUITES[CipherSuite.TLS_AES_128_GCM_SHA256], resumption, resumption, None, resumption, settings, negotiated
    )  # type: ignore[arg-type]
    flight = Flight(Transcript())
    state.on_new_session_ticket(ticket, flight)
    (effect,) = flight.effects
    assert isinstance(effect, Emit)
    found = effect.event.session  # type: ignore[union-attr]
    assert found is not None
    return found


def _negotiated(certificate: bytes) -> Any:
    from fasttls.events import Negotiated
    from fasttls.wire.messages import Certificate

    return Negotiated(
        version=0x0304,
        suite=CipherSuite.TLS_AES_128_GCM_SHA256,
        group=29,
        retried=False,
        server_name=None,
        alpn=None,
        client_random=bytes(32),
        server_random=bytes(32),
        legacy_session_id=b"",
        client_suites=(),
        peer_chain=tuple(entry.cert_data for entry in read(Certificate, certificate).certificate_list),
    )


class TestTrace:
    """RFC 8448 §4: resumed 0-RTT."""

    @staticmethod
    def settings(keys: Queue) -> Config:
        return config(
            SIMPLE,
            "client",
            keys,
            resumption=True,
            early_data=True,
            compatibility_mode=False,
            key_log=Log(),
            now=lambda: 1_500_000_001.0,
        )

    def test_the_session_is_the_traces(self) -> None:
        session = session_of_the_trace()
        assert bytes(session.secret) == find(RESUMED, "client", 'extract secret "early"')["IKM"]
        ticket = read(NewSessionTicket, first(SIMPLE, "server", HandshakeType.NEW_SESSION_TICKET))
        assert session.ticket == ticket.ticket
        assert session.lifetime == ticket.ticket_lifetime == 30
        assert session.max_early_data == 1024
        (identity,) = read(ClientHello, messages(RESUMED, "client")[0]).extensions[X.PRE_SHARED_KEY].identities
        assert identity.identity == session.ticket
        assert 0 <= session.age(identity.obfuscated_ticket_age) < 30

    def test_the_offer_and_its_binder_are_the_traces(self) -> None:
        import hashlib

        (offer,) = client_offers(self.settings(Queue()), session_of_the_trace(), None)
        step = find(RESUMED, "client", "calculate PSK binder")
        digest = hashlib.sha256(step["ClientHello prefix"]).digest()
        assert _binder(offer, digest) == step["finished"]
        hello = hashlib.sha256(messages(RESUMED, "client")[0]).digest()
        assert bytes(offer.secret.client_traffic(hello)) == secret(RESUMED, "c e traffic")["expanded"]
        assert bytes(offer.secret.exporter(hello).secret) == secret(RESUMED, "e exp master")["expanded"]

    def start(self) -> Connection:
        """Return a client that has sent the trace's ClientHello, and may send early data."""
        raw = messages(RESUMED, "client")[0]
        keys = Queue(private_key(RESUMED, "client"))
        settings = self.settings(keys)
        connection = Connection(settings, server_side=False)
        shares = offers((NamedGroup.X25519,), keys)
        psks = client_offers(settings, session_of_the_trace(), None)
        hello = read(ClientHello, raw)
        connection._started = True
        connection._transcript.add(raw)
        early = psks[0].secret.client_traffic(connection._transcript.digest_without_tail("sha256", 0))
        suite = SUITES[CipherSuite.TLS_AES_128_GCM_SHA256]
        connection._apply([WriteWith(Epoch.EARLY, suite, early), OfferEarlyData(1024)], [])
        connection._machine.state = WaitServerHello(settings, None, hello, shares, Offered(psks, None, True))
        return connection

    def test_every_record_of_the_client_is_the_traces(self) -> None:
        connection = self.start()
        sent = records(RESUMED, "client")
        early, end, finished = sent[1], sent[2], sent[3]
        connection.send_early(early["payload"])
        assert connection.take_output() == early["complete record"]

        theirs = [step["complete record"] for step in records(RESUMED, "server")]
        events: list[Event] = []
        events += connection.receive(theirs[0])
        assert connection.take_output() == b""
        events += connection.receive(theirs[1])
        assert events == [EarlyDataAnswered(True), HandshakeCompleted(connection.negotiated)]
        assert connection.take_output() == end["complete record"] + finished["complete record"]

        mine, (reply,) = (
            records(RESUMED, "client", "application_data")[1:],
            records(RESUMED, "server", "application_data"),
        )
        connection.send(mine[0]["payload"])
        assert connection.take_output() == mine[0]["complete record"]
        assert connection.receive(reply["complete record"]) == [ApplicationData(reply["payload"])]
        (ours,), (closing,) = (records(RESUMED, side, "alert") for side in ("client", "server"))
        connection.close()
        assert connection.take_output() == ours["complete record"]
        assert connection.receive(closing["complete record"]) == [PeerClosed()]

    def test_the_secrets_are_the_traces(self) -> None:
        connection = self.start()
        for step in records(RESUMED, "server")[:2]:
            connection.receive(step["complete record"])
        log = connection.config.key_log
        assert isinstance(log, Log)
        assert log.secrets == {
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET": secret(RESUMED, "c hs traffic")["expanded"],
            "SERVER_HANDSHAKE_TRAFFIC_SECRET": secret(RESUMED, "s hs traffic")["expanded"],
            "CLIENT_TRAFFIC_SECRET_0": secret(RESUMED, "c ap traffic")["expanded"],
            "SERVER_TRAFFIC_SECRET_0": secret(RESUMED, "s ap traffic")["expanded"],
            "EXPORTER_SECRET": secret(RESUMED, "exp master")["expanded"],
        }
        state = connection._connected_state()
        assert bytes(state.resumption) == secret(RESUMED, "res master")["expanded"]  # type: ignore[attr-defined]


def test_the_answer_is_told_before_the_handshake_is_complete() -> None:
    client, server = client_and_server()
    session = left_by(client, server)
    run = Run(client, server, session).finish()
    kinds = [type(event).__name__ for event in run.client]
    assert kinds.index("EarlyDataAnswered") < kinds.index("HandshakeCompleted")
    kinds = [type(event).__name__ for event in run.server]
    assert kinds.index("EarlyDataAnswered") < kinds.index("EarlyData") < kinds.index("HandshakeCompleted")


def test_a_connection_that_offers_and_sends_none() -> None:
    client, server = client_and_server()
    pair = Pair(client, server, session=left_by(client, server))
    carry(pair)
    exchange(pair)
    assert resumed(pair)
