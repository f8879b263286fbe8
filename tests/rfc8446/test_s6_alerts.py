"""Which alert a fault deserves, and what may be sent around closing (RFC 8446 §6)."""

from __future__ import annotations

import contextlib

import pytest
from harness import (
    HANDSHAKE,
    Alter,
    Pair,
    client_config,
    expect,
    on_message,
    on_type,
    refused,
    server_config,
    split,
)

from fasttls.connection import Connection
from fasttls.events import ApplicationData, HandshakeCompleted, KeysUpdated, PeerClosed
from fasttls.wire.alerts import Alert, AlertReceived, DecodeError, MissingExtension, TLSError
from fasttls.wire.iana import ContentType, ExtensionType, NamedGroup
from fasttls.wire.messages import ClientHello, HelloRetryRequest, KeyUpdate

SIDES = pytest.mark.parametrize("side", ["client", "server"])
ONLY13 = {"minimum_version": 0x0304}
P256 = {"groups": (NamedGroup.SECP256R1,), "key_shares": (NamedGroup.SECP256R1,)}


def connected() -> Pair:
    """Return a pair that is connected with TLS 1.3."""
    return Pair(client_config(**ONLY13), server_config(**ONLY13)).connect()


@SIDES
@pytest.mark.parametrize("size", [0, 1, 12, 31, 33, 47, 49, 64, 1000])
def test_a_finished_of_the_wrong_length(side: str, size: int) -> None:
    """RFC 8446 §6: an out-of-range length is decode_error; decrypt_error is for a MAC that can be compared.

    verify_data is opaque[Hash.length] (RFC 8446 §4.4.4): a syntax error, that needs no key to see.
    """
    alter = on_type(20, lambda body: (body * 32)[:size])
    refused(side, DecodeError, alter=alter, client=client_config(**ONLY13), server=server_config(**ONLY13),
            readable=side == "client")  # fmt: skip


def test_a_second_client_hello_without_key_share() -> None:
    """RFC 8446 §9.2: supported_groups without key_share is missing_extension, in every ClientHello."""
    seen: list[bool] = []

    def change(hello: ClientHello) -> None:
        seen.append(True)
        if len(seen) == 2:
            del hello.extensions[ExtensionType.KEY_SHARE]

    pair = Pair(client_config(**ONLY13), server_config(**ONLY13, **P256), client_alters=on_message(ClientHello, change))
    expect(pair, pair.server, MissingExtension, pair.run)
    assert len(seen) == 2


def cookie_of(size: int) -> Alter:
    """Put a cookie of so many bytes into HelloRetryRequest."""

    def change(retry: HelloRetryRequest) -> None:
        retry.extensions[ExtensionType.COOKIE] = bytes(size)

    return on_message(HelloRetryRequest, change)


@pytest.mark.parametrize("size", [1, 1000, 60000, 65000, 65200, 65300, 65350, 65400, 65440])
def test_a_cookie_of_any_size(size: int) -> None:
    """RFC 8446 §4.2.2: whatever a HelloRetryRequest brings, the client answers it or raises a TLSError.

    A ClientHello whose extensions would pass 2^16-1 bytes cannot be sent; that is the server's doing.
    """
    pair = Pair(client_config(**ONLY13), server_config(**ONLY13, **P256), server_alters=cookie_of(size))
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    with contextlib.suppress(TLSError):
        pair.client.receive(pair.server.take_output())
    assert pair.client.error is None or size > 60000
    assert pair.client.error is None or isinstance(pair.client.error, Alert)
    assert pair.client.take_output()


@SIDES
@pytest.mark.parametrize("request_peer", [False, True])
def test_a_key_update_after_close_notify_is_not_answered(side: str, request_peer: bool) -> None:
    """RFC 8446 §6.1: whoever has sent close_notify sends no more messages; it goes on reading."""
    pair = connected()
    closed = getattr(pair, side)
    other = pair.peer_of(closed)
    closed.close()
    other.receive(closed.take_output())
    other.update_keys(request_peer=request_peer)
    other.send(b"still here")
    assert closed.receive(other.take_output()) == [KeysUpdated(request_peer), ApplicationData(b"still here")]
    assert closed.take_output() == b""


@SIDES
@pytest.mark.parametrize("description", [-1, 256, 300])
def test_an_abort_that_is_no_alert_leaves_the_connection_usable(side: str, description: int) -> None:
    """A caller's mistake is a ValueError, and no alert is said to have been sent that was not."""
    pair = connected()
    one = getattr(pair, side)
    with pytest.raises(ValueError, match=r"."):
        one.abort(description)
    assert one.take_output() == b""
    assert one.error is None
    one.send(b"x")
    assert pair.peer_of(one).receive(one.take_output()) == [ApplicationData(b"x")]


@SIDES
def test_a_failure_after_close_notify_sends_nothing_more(side: str) -> None:
    """RFC 8446 §6.1: close_notify was the last word."""
    pair = connected()
    one = getattr(pair, side)
    other = pair.peer_of(one)
    one.close()
    other.receive(one.take_output())
    other._seal(ContentType.HANDSHAKE, b"\x0b\0\0\0")
    with pytest.raises(Alert):
        one.receive(other.take_output())
    assert one.error is not None
    assert one.take_output() == b""


@SIDES
def test_an_alert_follows_what_was_under_way(side: str) -> None:
    """The answer to a KeyUpdate and then the alert, under the new keys: the peer can read both."""
    pair = connected()
    victim = getattr(pair, side)
    attacker = pair.peer_of(victim)
    attacker._seal(ContentType.HANDSHAKE, KeyUpdate(True).encode())
    # The attacker goes on under its next keys, with something that must end the connection.
    attacker._machine.state = attacker._machine.state.update_keys(_Nothing(attacker), request_peer=False)
    with pytest.raises(Alert):
        victim.receive(attacker.take_output() + b"\x17\x03\x03\0\x18" + bytes(24))
    answer, alert = split(victim.take_output())
    assert attacker.receive(answer) == [KeysUpdated(False)]
    with pytest.raises(AlertReceived) as caught:
        attacker.receive(alert)
    assert caught.value.alert_received == 20


class _Nothing:
    """A flight of which only the new write keys are applied: the KeyUpdate itself was sent by hand."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send_untracked(self, message: KeyUpdate) -> None:
        """Pass over it."""

    def write_with(self, *keys: object) -> None:
        """Write with the next keys."""
        from fasttls.handshake.flight import WriteWith

        self._connection._apply([WriteWith(*keys)], [])  # type: ignore[arg-type]


@SIDES
@pytest.mark.parametrize("state", ["first", "connected"])
def test_a_fatal_alert_is_answered_with_nothing(side: str, state: str) -> None:
    """RFC 8446 §6.2: the connection is closed, without a word."""
    pair = connected() if state == "connected" else Pair(client_config(**ONLY13), server_config(**ONLY13))
    victim = getattr(pair, side)
    attacker = pair.peer_of(victim)
    pair.client.start()
    pair.client.take_output()
    attacker._seal(ContentType.ALERT, b"\2\x50")
    with pytest.raises(AlertReceived):
        victim.receive(attacker.take_output())
    assert victim.take_output() == b""
    assert victim.error is not None
    assert victim.error.alert_sent is None


@SIDES
def test_close_notify_ends_reading_at_once(side: str) -> None:
    """RFC 8446 §6.1: what comes behind it in the same bytes is not read, however wrong it is."""
    pair = connected()
    one = getattr(pair, side)
    other = pair.peer_of(one)
    other.close()
    other._seal(ContentType.HANDSHAKE, b"\x0b\0\0\0")
    assert one.receive(other.take_output()) == [PeerClosed()]
    assert one.error is None
    # Nothing was wrong: this side may still send.
    one.send(b"goodbye")
    assert one.take_output()


def test_an_empty_handshake_record_is_no_finished() -> None:
    """RFC 8446 §5.1: a zero-length fragment is refused even where a message of no bytes could be meant."""
    pair = Pair(client_config(**ONLY13), server_config(**ONLY13))
    pair.inject("server", HANDSHAKE, b"", {20})
    with pytest.raises(Alert) as caught:
        pair.run()
    assert caught.value.alert_sent == 10


def test_whoever_closes_in_the_handshake_is_not_connected() -> None:
    """RFC 8446 §6.1, §4.4.4: behind close_notify no Finished is sent, so that no handshake was completed."""
    pair = Pair(client_config(**ONLY13), server_config(**ONLY13))
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    flight = pair.server.take_output()
    pair.client.close()
    with contextlib.suppress(TLSError):
        events = pair.client.receive(flight)
        assert not any(isinstance(event, HandshakeCompleted) for event in events)
    assert not pair.client.connected
    assert len(split(pair.client.take_output())) == 1
