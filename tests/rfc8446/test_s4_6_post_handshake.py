"""After the handshake: KeyUpdate, NewSessionTicket, close_notify, alerts, early data (RFC 8446 §4.2.10, §4.6, §6)."""

from __future__ import annotations

import pytest
from harness import (
    ALERT,
    DATA,
    HANDSHAKE,
    Pair,
    client_config,
    expect,
    framed,
    on_message,
    record,
    server_config,
    split,
)

from fasttls.connection import Connection
from fasttls.events import ApplicationData, KeysUpdated, PeerClosed, TicketReceived
from fasttls.handshake.config import Limits
from fasttls.wire.alerts import (
    AlertReceived,
    BadRecordMac,
    DecodeError,
    IllegalParameter,
    TLSError,
    Truncated,
    UnexpectedMessage,
)
from fasttls.wire.extensions import OfferedPsks, PskIdentity
from fasttls.wire.iana import ContentType, ExtensionType, HandshakeType
from fasttls.wire.messages import ClientHello, NewSessionTicket

SIDES = pytest.mark.parametrize("side", ["client", "server"])


def connected(limits: Limits | None = None) -> Pair:
    """Return a pair that shook hands with TLS 1.3."""
    kept = {"minimum_version": 0x0304, **({} if limits is None else {"limits": limits})}
    return Pair(client_config(**kept), server_config(**kept)).connect()


def ends(pair: Pair, side: str) -> tuple[Connection, Connection]:
    """Return the side that is named, and the other one."""
    found = getattr(pair, side)
    return found, pair.peer_of(found)


def sealed(attacker: Connection, content_type: int, content: bytes) -> bytes:
    """Return a record under the attacker's present keys."""
    attacker._seal(ContentType(content_type), content)
    return attacker.take_output()


def exchange(one: Connection, other: Connection) -> None:
    """Send data both ways."""
    for sender, receiver in ((one, other), (other, one)):
        sender.send(b"ping")
        assert ApplicationData(b"ping") in receiver.receive(sender.take_output())


class TestKeyUpdate:
    """RFC 8446 §4.6.3."""

    @SIDES
    @pytest.mark.parametrize("request_peer", [False, True])
    def test_either_side_may_send_it(self, side: str, request_peer: bool) -> None:
        pair = connected()
        one, other = ends(pair, side)
        for _ in range(3):
            one.update_keys(request_peer=request_peer)
            assert other.receive(one.take_output()) == [KeysUpdated(request_peer)]
            answer = other.take_output()
            assert bool(answer) is request_peer
            if answer:
                assert one.receive(answer) == [KeysUpdated(False)]
                assert one.take_output() == b""
            exchange(one, other)

    def test_both_at_once(self) -> None:
        pair = connected()
        pair.client.update_keys(request_peer=True)
        pair.server.update_keys(request_peer=True)
        from_client, from_server = pair.client.take_output(), pair.server.take_output()
        pair.server.receive(from_client)
        pair.client.receive(from_server)
        pair.run()
        exchange(pair.client, pair.server)

    @SIDES
    @pytest.mark.parametrize(("body", "error"), [(b"\2", IllegalParameter), (b"\xff", IllegalParameter),
                                                 (b"", DecodeError), (b"\0\0", DecodeError)])  # fmt: skip
    def test_a_malformed_one(self, side: str, body: bytes, error: type[TLSError]) -> None:
        pair = connected()
        victim, attacker = ends(pair, side)
        data = sealed(attacker, HANDSHAKE, framed(HandshakeType.KEY_UPDATE, body))
        expect(pair, victim, error, lambda: victim.receive(data))

    @SIDES
    def test_in_a_row_they_are_counted_and_data_begins_anew(self, side: str) -> None:
        pair = connected(Limits(key_updates=3))
        victim, attacker = ends(pair, side)
        for _ in range(3):
            for _ in range(3):
                attacker.update_keys()
            attacker.send(b"x")
            victim.receive(attacker.take_output())
        for _ in range(4):
            attacker.update_keys()
        expect(
            pair,
            victim,
            UnexpectedMessage,
            lambda: victim.receive(attacker.take_output()),
            "TOO_MANY_KEY_UPDATES",
            readable=False,
        )

    def test_a_flood_of_requests_does_not_grow_the_output_without_bound(self) -> None:
        pair = connected()
        for _ in range(100):
            pair.client.update_keys(request_peer=True)
        with pytest.raises(UnexpectedMessage):
            pair.server.receive(pair.client.take_output())
        assert len(pair.server.take_output()) < 40 * 64

    @SIDES
    def test_keys_change_before_the_limit_of_the_aead(self, side: str) -> None:
        """RFC 8446 §5.5: automatically."""
        limited = {"minimum_version": 0x0304, "key_update_after": 5}
        pair = Pair(client_config(**limited), server_config(**limited)).connect()
        one, other = ends(pair, side)
        updates = []
        for number in range(23):
            one.send(bytes([number]))
            events = other.receive(one.take_output())
            assert events[-1] == ApplicationData(bytes([number]))
            updates += events[:-1]
        assert len(updates) >= 4
        assert set(updates) == {KeysUpdated(False)}
        assert one._sealer.sequence <= 5

    def test_before_the_handshake_is_complete_it_is_a_value_error(self) -> None:
        with pytest.raises(ValueError, match="not complete"):
            Pair().client.update_keys()


class TestNewSessionTicket:
    """RFC 8446 §4.6.1: received without harm."""

    TICKET = NewSessionTicket(7200, 5, b"\0", b"ticket", {ExtensionType.EARLY_DATA: 16384})

    def test_it_is_reported(self) -> None:
        pair = connected()
        data = sealed(pair.server, HANDSHAKE, self.TICKET.encode() * 2)
        assert pair.client.receive(data) == [TicketReceived(7200)] * 2
        exchange(pair.client, pair.server)

    @pytest.mark.parametrize(
        "body", [b"", TICKET.encode()[4:-1], TICKET.encode()[4:] + b"\0", bytes(8) + b"\0\0\0\0\0"]
    )
    def test_a_malformed_one(self, body: bytes) -> None:
        pair = connected()
        data = sealed(pair.server, HANDSHAKE, framed(HandshakeType.NEW_SESSION_TICKET, body))
        expect(pair, pair.client, DecodeError, lambda: pair.client.receive(data))

    def test_in_a_row_they_are_counted(self) -> None:
        pair = connected(Limits(tickets=3))
        for _ in range(3):
            pair.client.receive(sealed(pair.server, HANDSHAKE, self.TICKET.encode()))
        data = sealed(pair.server, HANDSHAKE, self.TICKET.encode())
        expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(data), "TOO_MANY_TICKETS")

    def test_to_a_server_it_is_unexpected(self) -> None:
        pair = connected()
        data = sealed(pair.client, HANDSHAKE, self.TICKET.encode())
        expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(data))


class TestClose:
    """RFC 8446 §6.1."""

    @SIDES
    def test_half_close(self, side: str) -> None:
        pair = connected()
        one, other = ends(pair, side)
        one.close()
        one.close()
        assert other.receive(one.take_output()) == [PeerClosed()]
        with pytest.raises(ValueError, match="close_notify"):
            one.send(b"x")
        for _ in range(3):
            other.send(b"still here")
            assert one.receive(other.take_output()) == [ApplicationData(b"still here")]
        other.close()
        assert one.receive(other.take_output()) == [PeerClosed()]
        one.receive_eof()
        other.receive_eof()

    @SIDES
    def test_what_comes_after_it_is_ignored(self, side: str) -> None:
        pair = connected()
        one, other = ends(pair, side)
        other.close()
        other._seal(ContentType.APPLICATION_DATA, b"late")
        assert one.receive(other.take_output() + b"garbage") == [PeerClosed()]
        assert one.receive(b"more garbage") == []
        assert one.error is None

    @SIDES
    def test_an_end_without_it_is_truncation(self, side: str) -> None:
        pair = connected()
        one, _ = ends(pair, side)
        with pytest.raises(Truncated) as caught:
            one.receive_eof()
        assert one.error is caught.value
        assert one.take_output() == b""

    def test_an_end_in_the_handshake_names_the_state(self) -> None:
        pair = Pair()
        pair.client.start()
        with pytest.raises(Truncated, match="WaitServerHello"):
            pair.client.receive_eof()

    @SIDES
    def test_abort_sends_the_alert_that_was_chosen(self, side: str) -> None:
        pair = connected()
        one, other = ends(pair, side)
        one.abort(90)
        with pytest.raises(AlertReceived) as caught:
            other.receive(one.take_output())
        assert caught.value.alert_received == 90
        assert one.error is not None
        assert one.error.alert_sent == 90


class TestAlerts:
    """RFC 8446 §6."""

    @SIDES
    @pytest.mark.parametrize("description", [10, 20, 40, 48, 80, 120, 255])
    @pytest.mark.parametrize("level", [1, 2])
    def test_every_error_alert_is_fatal_whatever_its_level(self, side: str, description: int, level: int) -> None:
        pair = connected()
        victim, attacker = ends(pair, side)
        data = sealed(attacker, ALERT, bytes([level, description]))
        failure = expect(pair, victim, AlertReceived, lambda: victim.receive(data))
        assert failure.alert_received == description
        assert failure.alert_sent is None

    @SIDES
    def test_user_canceled_is_a_warning_and_counted(self, side: str) -> None:
        pair = connected(Limits(warning_alerts=3))
        victim, attacker = ends(pair, side)
        for _ in range(3):
            assert victim.receive(sealed(attacker, ALERT, b"\1\x5a")) == []
        data = sealed(attacker, ALERT, b"\1\x5a")
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(data), "TOO_MANY_WARNING_ALERTS")

    @SIDES
    @pytest.mark.parametrize("level", [0, 3, 255])
    def test_an_unknown_level(self, side: str, level: int) -> None:
        pair = connected()
        victim, attacker = ends(pair, side)
        data = sealed(attacker, ALERT, bytes([level, 40]))
        expect(pair, victim, IllegalParameter, lambda: victim.receive(data), "UNKNOWN_ALERT_TYPE")

    def test_warnings_before_the_version_is_known_are_counted(self) -> None:
        pair = Pair(client_config(limits=Limits(warning_alerts=3)))
        pair.run_to("client", "WaitServerHello")
        for _ in range(3):
            pair.client.receive(record(ALERT, b"\1\x70"))  # unrecognized_name, as TLS 1.2 servers warn
        expect(
            pair,
            pair.client,
            UnexpectedMessage,
            lambda: pair.client.receive(record(ALERT, b"\1\x70")),
            "TOO_MANY_WARNING_ALERTS",
            readable=False,
        )

    def test_an_alert_in_the_clear_is_heard_while_the_peer_has_no_keys(self) -> None:
        pair = Pair()
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        failure = expect(pair, pair.server, AlertReceived, lambda: pair.server.receive(record(ALERT, b"\2\x28")))
        assert failure.alert_received == 40

    def test_a_fatal_alert_in_the_clear_does_not_end_a_connection_that_is_made(self) -> None:
        """Anybody on the path could send it: it is refused, and not believed."""
        pair = connected()
        data = record(ALERT, b"\2\x28")
        expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(data))


class TestEarlyData:
    """RFC 8446 §4.2.10: refused early data is passed over, as much as is allowed."""

    @staticmethod
    def offering(retry: bool) -> Pair:
        """Return a pair whose client has announced early data under a key that the server does not know."""
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
        return pair

    @pytest.mark.parametrize("retry", [False, True])
    def test_it_is_passed_over(self, retry: bool) -> None:
        pair = self.offering(retry)
        pair.server.receive(pair.client.take_output())
        for _ in range(2):
            assert pair.server.receive(b"\x17\x03\x03\0\x64" + bytes(100)) == []
        pair.run()
        assert pair.client.connected
        assert pair.server.connected
        exchange(pair.client, pair.server)

    @pytest.mark.parametrize("retry", [False, True])
    def test_not_more_than_is_allowed(self, retry: bool) -> None:
        pair = self.offering(retry)
        pair.server.receive(pair.client.take_output())
        for _ in range(3):
            pair.server.receive(b"\x17\x03\x03\0\x64" + bytes(100))
        pair.client.receive(pair.server.take_output())
        expect(
            pair,
            pair.server,
            UnexpectedMessage,
            lambda: pair.server.receive(b"\x17\x03\x03\0\x64" + bytes(100)),
            "TOO_MUCH_SKIPPED_EARLY_DATA",
            readable=False,
        )

    def test_nothing_is_passed_over_that_was_not_announced(self) -> None:
        pair = Pair()
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        early = b"\x17\x03\x03\0\x64" + bytes(100)
        expect(pair, pair.server, BadRecordMac, lambda: pair.server.receive(early), readable=False)

    def test_a_record_that_does_not_decrypt_later_is_bad_record_mac(self) -> None:
        pair = self.offering(False)
        pair.run()
        assert pair.server.connected
        expect(pair, pair.server, BadRecordMac, lambda: pair.server.receive(b"\x17\x03\x03\0\x64" + bytes(100)))


class TestUse:
    """What the caller may do, and when."""

    def test_data_before_the_handshake_is_a_value_error(self) -> None:
        with pytest.raises(ValueError, match="not complete"):
            Pair().client.send(b"x")

    @SIDES
    def test_bulk_data_arrives_whole(self, side: str) -> None:
        pair = connected()
        one, other = ends(pair, side)
        data = bytes(range(256)) * 1000
        one.send(data)
        found = b"".join(
            event.data
            for piece in split(one.take_output())
            for event in other.receive(piece)
            if isinstance(event, ApplicationData)
        )
        assert found == data

    def test_exporters_agree_and_depend_on_everything(self) -> None:
        """RFC 8446 §7.5."""
        pair = connected()
        keys = {pair.client.export_keying_material(label, size, context)
                for label in (b"a", b"b") for size in (16, 32) for context in (b"", b"c")}  # fmt: skip
        assert len(keys) == 8
        for label, size, context in ((b"a", 16, b""), (b"b", 300, b"c"), (b"a", 1, None)):
            ours = pair.client.export_keying_material(label, size, context)
            assert ours == pair.server.export_keying_material(label, size, context)
            assert len(ours) == size
        assert pair.client.export_keying_material(b"a", 9) == pair.client.export_keying_material(b"a", 9, b"")
        with pytest.raises(ValueError, match="not complete"):
            Pair().client.export_keying_material(b"a", 16)

    def test_the_key_log_has_every_secret_of_both_sides(self) -> None:
        logs: dict[str, dict[str, bytes]] = {"client": {}, "server": {}}

        def logger(side: str):
            return lambda label, random, secret: logs[side].setdefault(label, random + bytes(secret))

        pair = Pair(client_config(key_log=logger("client")), server_config(key_log=logger("server"))).connect()
        assert logs["client"] == logs["server"]
        assert set(logs["client"]) == {
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_TRAFFIC_SECRET_0",
            "SERVER_TRAFFIC_SECRET_0",
            "EXPORTER_SECRET",
        }
        assert pair.client.negotiated is not None
        assert all(value.startswith(pair.client.negotiated.client_random) for value in logs["client"].values())

    def test_nothing_secret_is_shown(self) -> None:
        """No repr of a state, a connection or an error has key bytes in it."""
        secrets: list[bytes] = []
        log = lambda label, random, secret: secrets.append(bytes(secret))  # noqa: E731
        pair = Pair(client_config(key_log=log), server_config(key_log=log)).connect()
        shown = repr(pair.client._machine.state) + repr(pair.server._machine.state) + repr(pair.client.negotiated)
        assert secrets
        for secret in secrets:
            assert secret.hex() not in shown
            assert repr(secret)[2:-1] not in shown


def test_unprotected_data_is_never_application_data() -> None:
    pair = Pair()
    expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(record(DATA, b"x")))
