"""Alerts and closure at the seams: after close_notify nothing is sent, and errors say what was sent (RFC 8446 §6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness import ALERT, DATA, HANDSHAKE, Pair, client_config, expect, framed, record, server_config

from fasttls.connection import Connection
from fasttls.events import ApplicationData, KeysUpdated, PeerClosed
from fasttls.handshake.config import Limits
from fasttls.wire.alerts import (
    ALERTS,
    Alert,
    AlertDescription,
    AlertReceived,
    BadRecordMac,
    IllegalParameter,
    TLSError,
    Truncated,
    UnexpectedMessage,
)
from fasttls.wire.iana import ContentType, HandshakeType

SIDES = pytest.mark.parametrize("side", ["client", "server"])
ONLY13 = {"minimum_version": 0x0304}


def fresh() -> Pair:
    """Return a TLS 1.3 pair that has not begun."""
    return Pair(client_config(**ONLY13), server_config(**ONLY13))


def ends(pair: Pair, side: str) -> tuple[Connection, Connection]:
    """Return the side that is named, and the other one."""
    found = getattr(pair, side)
    return found, pair.peer_of(found)


def sealed(attacker: Connection, content_type: int, content: bytes) -> bytes:
    """Return a record under the attacker's present keys."""
    attacker._seal(ContentType(content_type), content)
    return attacker.take_output()


class TestAfterCloseNotify:
    """RFC 8446 §6.1: close_notify says that the sender will not send any more messages."""

    @SIDES
    def test_a_key_update_that_asks_for_one_gets_no_answer(self, side: str) -> None:
        """RFC 8446 §4.6.3: the answer is due before the next application data, of which there is none."""
        pair = fresh().connect()
        one, other = ends(pair, side)
        one.close()
        other.receive(one.take_output())
        other.update_keys(request_peer=True)
        assert one.receive(other.take_output()) == [KeysUpdated(True)]
        assert one.take_output() == b""
        other.send(b"under the new keys")
        assert one.receive(other.take_output()) == [ApplicationData(b"under the new keys")]

    @SIDES
    @pytest.mark.parametrize(
        ("make", "error"),
        [
            (
                lambda attacker: sealed(attacker, HANDSHAKE, framed(HandshakeType.FINISHED, bytes(32))),
                UnexpectedMessage,
            ),
            (lambda attacker: record(DATA, bytes(40)), BadRecordMac),
            (lambda attacker: sealed(attacker, HANDSHAKE, framed(HandshakeType.KEY_UPDATE, b"\2")), IllegalParameter),
        ],
        ids=["out of place", "forged", "malformed"],
    )
    def test_a_fault_is_told_to_the_caller_alone(
        self, side: str, make: Callable[[Connection], bytes], error: type[TLSError]
    ) -> None:
        pair = fresh().connect()
        one, other = ends(pair, side)
        one.close()
        one.take_output()
        with pytest.raises(error) as caught:
            one.receive(make(other))
        assert one.take_output() == b""
        assert one.error is caught.value
        assert caught.value.alert_sent is None, "no alert was sent"

    @SIDES
    def test_abort_sends_nothing_more(self, side: str) -> None:
        pair = fresh().connect()
        one, _ = ends(pair, side)
        one.close()
        one.take_output()
        one.abort(AlertDescription.USER_CANCELED)
        assert one.take_output() == b""

    def test_a_client_that_closes_in_the_handshake_sends_no_finished(self) -> None:
        pair = fresh()
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        pair.client.close()
        assert pair.client.take_output()[0] == ALERT
        pair.client.receive(pair.server.take_output())
        assert pair.client.take_output() == b""

    def test_a_server_that_closes_before_the_client_hello_sends_no_server_hello(self) -> None:
        pair = fresh()
        pair.server.close()
        assert pair.server.take_output()[0] == ALERT
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert pair.server.take_output() == b""

    def test_a_client_that_closes_before_it_starts_sends_no_client_hello_behind_it(self) -> None:
        pair = fresh()
        pair.client.close()
        before = pair.client.take_output()
        pair.client.start()
        pair.client.receive(b"")
        assert pair.client.take_output() == b""
        assert before in (b"", record(ALERT, b"\1\0"), record(ALERT, b"\1\0", 0x0301))


class TestPeerCloses:
    @pytest.mark.parametrize("level", [1, 2])
    @SIDES
    def test_close_notify_whatever_its_level(self, side: str, level: int) -> None:
        """RFC 8446 §6: the level can be ignored."""
        pair = fresh().connect()
        one, other = ends(pair, side)
        assert one.receive(sealed(other, ALERT, bytes([level, 0]))) == [PeerClosed()]
        assert one.error is None

    @pytest.mark.parametrize("before", [8, 11, 15, 20])
    def test_close_notify_in_the_servers_flight_does_not_complete_the_handshake(self, before: int) -> None:
        pair = fresh()
        pair.inject("server", ALERT, b"\1\0", {before})
        pair.run()
        assert pair.client.peer_closed
        assert not pair.client.connected
        assert not pair.server.connected
        with pytest.raises(ValueError, match="not complete"):
            pair.client.send(b"x")
        with pytest.raises(ValueError, match="not complete"):
            pair.client.export_keying_material(b"a", 16)

    def test_close_notify_before_server_hello_does_not_complete_the_handshake(self) -> None:
        pair = fresh()
        pair.run_to("client", "WaitServerHello")
        assert pair.client.receive(record(ALERT, b"\1\0")) == [PeerClosed()]
        assert not pair.client.connected

    @SIDES
    def test_it_may_close_twice(self, side: str) -> None:
        pair = fresh().connect()
        one, other = ends(pair, side)
        assert one.receive(sealed(other, ALERT, b"\1\0") + sealed(other, ALERT, b"\1\0")) == [PeerClosed()]
        one.close()
        assert other.receive(one.take_output()) == [PeerClosed()]


class TestWarnings:
    """RFC 8446 §6.2: every error alert is an error whatever its level; old warnings belong to old versions."""

    @pytest.mark.parametrize("description", [40, 47, 70, 80, 109, 112])
    def test_a_client_of_tls13_alone_takes_no_warning(self, description: int) -> None:
        pair = fresh()
        pair.run_to("client", "WaitServerHello")
        alert = record(ALERT, bytes([1, description]))
        failure = expect(pair, pair.client, AlertReceived, lambda: pair.client.receive(alert), readable=False)
        assert failure.alert_received == description

    @pytest.mark.parametrize("description", [40, 47, 70, 80, 109, 112])
    def test_a_server_of_tls13_alone_takes_no_warning(self, description: int) -> None:
        pair = fresh()
        alert = record(ALERT, bytes([1, description]))
        expect(pair, pair.server, AlertReceived, lambda: pair.server.receive(alert), readable=False)

    @SIDES
    def test_data_begins_the_count_anew(self, side: str) -> None:
        """Limits.warning_alerts is in a row: a long connection may see more in all."""
        kept = {**ONLY13, "limits": Limits(warning_alerts=3)}
        pair = Pair(client_config(**kept), server_config(**kept)).connect()
        one, other = ends(pair, side)
        for _ in range(4):
            for _ in range(3):
                assert one.receive(sealed(other, ALERT, b"\1\x5a")) == []
            assert one.receive(sealed(other, DATA, b"x")) == [ApplicationData(b"x")]

    def test_a_client_that_speaks_tls12_too_passes_over_unrecognized_name(self) -> None:
        """RFC 6066 §3: servers of TLS 1.2 may send it as a warning."""
        pair = Pair()
        pair.run_to("client", "WaitServerHello")
        assert pair.client.receive(record(ALERT, b"\1\x70")) == []

    def test_after_hello_retry_request_the_version_is_known(self) -> None:
        p256 = {"groups": (23,), "key_shares": (23,)}
        pair = Pair(client_config(), server_config(**p256))
        pair.run_to("client", "WaitSecondServerHello")
        alert = record(ALERT, b"\1\x70")
        expect(pair, pair.client, AlertReceived, lambda: pair.client.receive(alert), readable=False)


@SIDES
@pytest.mark.parametrize("description", [*AlertDescription, 200])
def test_every_alert_has_a_reason_of_its_own(side: str, description: int) -> None:
    if description == AlertDescription.CLOSE_NOTIFY:
        return
    pair = fresh().connect()
    one, other = ends(pair, side)
    data = sealed(other, ALERT, bytes([2, description]))
    failure = expect(pair, one, AlertReceived, lambda: one.receive(data))
    assert failure.alert_received == description
    assert failure.alert_sent is None
    assert failure.reason.startswith("ALERT_")
    assert failure.reason.isupper()
    assert failure.reason.replace("_", "").isalnum()


@pytest.mark.parametrize("alert", list(ALERTS.values()), ids=lambda alert: alert.__name__)
def test_every_alert_that_is_raised_tells_what_it_sends(alert: type[Alert]) -> None:
    made = alert("why")
    assert made.alert_sent == alert.description
    assert made.alert_received is None
    assert made.reason == alert.default_reason != TLSError.reason
    assert alert("why", reason="SOMETHING").reason == "SOMETHING"


@SIDES
@pytest.mark.parametrize("description", [-1, 256, 1 << 40])
def test_an_alert_that_is_none_is_the_callers_fault_and_changes_nothing(side: str, description: int) -> None:
    pair = fresh().connect()
    one, other = ends(pair, side)
    with pytest.raises(ValueError, match=r"."):
        one.abort(description)
    assert one.error is None
    one.send(b"still here")
    assert other.receive(one.take_output()) == [ApplicationData(b"still here")]


@SIDES
@pytest.mark.parametrize("fail", ["fault", "alert", "end", "abort"])
def test_use_after_every_kind_of_failure(side: str, fail: str) -> None:
    """The failure stays, its alert is there once, and nothing is sent or read any more."""
    pair = fresh().connect()
    one, other = ends(pair, side)
    failures: dict[str, Callable[[], object]] = {
        "fault": lambda: one.receive(record(DATA, bytes(40))),
        "alert": lambda: one.receive(sealed(other, ALERT, b"\2\x50")),
        "end": one.receive_eof,
        "abort": lambda: (one.abort(80), one.receive(b"")),
    }
    with pytest.raises(TLSError):
        failures[fail]()
    assert bool(one.take_output()) is (fail in ("fault", "abort"))
    assert isinstance(one.error, Truncated) is (fail == "end")
    other.send(b"x")
    data = other.take_output()
    for use in (
        lambda: one.receive(data),
        lambda: one.send(b"x"),
        one.receive_eof,
        one.update_keys,
        lambda: one.abort(80),
    ):
        with pytest.raises(TLSError) as again:
            use()
        assert again.value is one.error
    one.close()
    assert one.take_output() == b""
