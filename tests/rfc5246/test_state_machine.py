"""TLS 1.2: every state meets every message, for each key exchange (RFC 5246 §7.3, the SMACK and FREAK attacks).

What a state's table does not name is unexpected_message: skipped, repeated and early messages, ChangeCipherSpec
among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import certs
import pytest
from harness import (
    CCS,
    DATA,
    HANDSHAKE,
    Pair,
    client_config,
    credential,
    expect,
    framed,
    on_type,
    record,
    server_config,
)

from fasttls.connection import Connection
from fasttls.crypto.suites12 import SUITES12, KeyExchange
from fasttls.handshake import client12, client12_resumed, connected12, server12, server12_resumed
from fasttls.handshake.config import PeerCertificate
from fasttls.handshake.flight import SendChangeCipherSpec
from fasttls.handshake.state import State
from fasttls.wire.alerts import AlertDescription, DecodeError, DecryptError, TLSError, UnexpectedMessage
from fasttls.wire.iana import ContentType, HandshakeType
from fasttls.wire.messages12 import ChangeCipherSpec

ONLY12 = {"minimum_version": 0x0303, "maximum_version": 0x0303}
SUITES = {
    KeyExchange.ECDHE_ECDSA: ("p256", 0xC02B),
    KeyExchange.ECDHE_RSA: ("rsa", 0xC02F),
    KeyExchange.DHE_RSA: ("rsa", 0x009E),
    KeyExchange.RSA: ("rsa", 0x009C),
}
EXCHANGES = pytest.mark.parametrize("exchange", SUITES, ids=lambda exchange: exchange.value)


def make(exchange: KeyExchange, *, mutual: bool) -> Pair:
    """Return a pair for a key exchange, with or without a client's certificate."""
    kind, suite = SUITES[exchange]
    assert SUITES12[suite].key_exchange is exchange
    mode = PeerCertificate.REQUIRED if mutual else PeerCertificate.UNCHECKED
    return Pair(
        client_config(**ONLY12, suites=(suite,), credentials=(credential(certs.client_credential()),)),
        server_config(kind, **ONLY12, suites=(suite,), peer_certificate=mode),
    )


# Each state: the side that is in it, whether the client shows a certificate, and whether RSA key transport has it.
STATES: dict[type[State], tuple[str, bool, tuple[bool, ...]]] = {
    client12.WaitCertificate: ("client", False, (True, False)),
    client12.WaitServerKeyExchange: ("client", False, (False,)),
    client12.WaitCertificateRequest: ("client", False, (True, False)),
    client12.WaitServerHelloDone: ("client", True, (True, False)),
    client12.WaitChangeCipherSpec: ("client", False, (True, False)),
    client12.WaitFinished: ("client", False, (True, False)),
    connected12.ClientConnected: ("client", False, (True, False)),
    server12.WaitCertificate: ("server", True, (True, False)),
    server12.WaitClientKeyExchange: ("server", False, (True, False)),
    server12.WaitCertificateVerify: ("server", True, (True, False)),
    server12.WaitChangeCipherSpec: ("server", False, (True, False)),
    server12.WaitFinished: ("server", False, (True, False)),
    connected12.ServerConnected: ("server", False, (True, False)),
}
# The two that need a server that staples are driven in test_status.py.
STAPLED = {client12.WaitStatusOrServerKeyExchange, client12.WaitStatusOrServerHelloDone}


# Those of a ticket, and of a resumption, are driven in test_resumption.py.
RESUMED = {
    client12.WaitNewSessionTicket,
    client12_resumed.WaitTicketOrChange,
    client12_resumed.WaitResumedChange,
    client12_resumed.WaitResumedFinished,
    server12_resumed.WaitChangeCipherSpec,
    server12_resumed.WaitFinished,
}
# Those of a pre-shared key are driven in rfc5489/test_ecdhe_psk.py.
WITH_PSK = {client12.WaitPskServerKeyExchange, client12.WaitPskServerHelloDone, server12.WaitPskKeyExchange}


def states() -> Iterator[type[State]]:
    """Yield the states of TLS 1.2, as their modules export them."""
    for module in (client12, client12_resumed, connected12, server12, server12_resumed):
        for value in vars(module).values():
            is_state = isinstance(value, type) and issubclass(value, State) and value.__module__ == module.__name__
            if is_state and value.handlers:
                yield value


def test_no_state_is_left_out() -> None:
    assert set(states()) == set(STATES) | STAPLED | RESUMED | WITH_PSK


CASES = [
    (state, exchange)
    for state, (_, _, transports) in STATES.items()
    for exchange in SUITES
    if (exchange is KeyExchange.RSA) in transports
]


def attack(
    state: type[State], exchange: KeyExchange, content_type: int, content: bytes
) -> tuple[Pair, Connection, Callable[[], object]]:
    """Return a pair, the victim, and what sends it a record when it is in the state."""
    side, mutual, _ = STATES[state]
    pair = make(exchange, mutual=mutual)
    victim: Connection = getattr(pair, side)
    attacker = pair.peer_of(victim)
    if state.connected:
        pair.connect()
        attacker._seal(ContentType(content_type), content)
        return pair, victim, lambda: victim.receive(attacker.take_output())
    other = "server" if side == "client" else "client"
    if ChangeCipherSpec in state.handlers:
        # What comes next is a record: the injection is right before it, in the clear.
        _before_change_cipher_spec(pair, other, content_type, content)
    else:
        pair.inject(other, content_type, content, state.readers)
    return pair, victim, pair.run


def _before_change_cipher_spec(pair: Pair, side: str, content_type: int, content: bytes) -> None:
    """Let a side send a record right before its ChangeCipherSpec."""
    sender = getattr(pair, side)
    apply = sender._apply

    def watching(effects: list[object], events: list[object]) -> None:
        for effect in effects:
            if isinstance(effect, SendChangeCipherSpec):
                sender._flush_handshake()
                sender._seal(ContentType(content_type), content)
            apply([effect], events)

    sender._apply = watching


def ids(value: object) -> str:
    """Name a state by its module and class, the others by their names."""
    if isinstance(value, type):
        return f"{value.__module__.rpartition('.')[2]}.{value.__name__}"
    return getattr(value, "value", "") if isinstance(value, KeyExchange) else getattr(value, "name", str(value))


FORBIDDEN = [
    (state, exchange, message)
    for state, exchange in CASES
    for message in HandshakeType
    if int(message) not in state.readers
]


@pytest.mark.parametrize(("state", "exchange", "message"), FORBIDDEN, ids=ids)
def test_a_message_that_the_state_does_not_wait_for(
    state: type[State], exchange: KeyExchange, message: HandshakeType
) -> None:
    pair, victim, do = attack(state, exchange, HANDSHAKE, framed(message, b""))
    expect(pair, victim, UnexpectedMessage, do, "UNEXPECTED_MESSAGE", readable=False)
    assert type(victim._machine.state) is state


ALLOWED = [(state, exchange, HandshakeType(code)) for state, exchange in CASES for code in state.readers]


@pytest.mark.parametrize(("state", "exchange", "message"), ALLOWED, ids=ids)
def test_a_message_that_the_state_waits_for_is_read(
    state: type[State], exchange: KeyExchange, message: HandshakeType
) -> None:
    """A body that is not one: it was not refused for its type. RSA key transport goes on, and Finished tells."""
    body = b"\0" if message in (HandshakeType.SERVER_HELLO_DONE, HandshakeType.HELLO_REQUEST) else b""
    _, victim, do = attack(state, exchange, HANDSHAKE, framed(message, body))
    with pytest.raises(TLSError) as caught:
        do()
    silent = exchange is KeyExchange.RSA and message is HandshakeType.CLIENT_KEY_EXCHANGE
    assert silent or isinstance(caught.value, DecodeError | DecryptError)
    assert victim.take_output()


@pytest.mark.parametrize(("state", "exchange"), CASES, ids=ids)
def test_an_early_or_repeated_change_cipher_spec(state: type[State], exchange: KeyExchange) -> None:
    """CVE-2014-0224: the keys change where the handshake says so, once."""
    if ChangeCipherSpec in state.handlers:
        return
    side, mutual, _ = STATES[state]
    pair = make(exchange, mutual=mutual)
    victim = getattr(pair, side)
    if state.connected:
        pair.connect()
    else:
        pair.run_to(side, state.__name__)
    assert type(victim._machine.state) is state
    victim.take_output()
    data = record(CCS, b"\x01")
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(data), "UNEXPECTED_CCS_MESSAGE", readable=False)


@pytest.mark.parametrize(("state", "exchange"), [case for case in CASES if not case[0].connected], ids=ids)
def test_application_data_before_finished(state: type[State], exchange: KeyExchange) -> None:
    pair, victim, do = attack(state, exchange, DATA, b"early")
    expect(pair, victim, UnexpectedMessage, do, "APP_DATA_IN_HANDSHAKE", readable=False)
    assert type(victim._machine.state) is state


def left_out(handshake_type: int) -> Callable[[bytes], tuple[bytes, ...]]:
    """Leave out a message."""
    return on_type(handshake_type, lambda body: None)  # type: ignore[return-value]


def twice(handshake_type: int) -> Callable[[bytes], tuple[bytes, ...]]:
    """Send a message twice."""
    return lambda message: (message, message) if message[0] == handshake_type else (message,)


FROM_SERVER = (11, 12, 13, 14)
FROM_CLIENT = (11, 16, 15)


@EXCHANGES
@pytest.mark.parametrize("change", [left_out, twice])
@pytest.mark.parametrize("message", FROM_SERVER)
def test_a_server_that_skips_or_repeats_a_message(exchange: KeyExchange, change: Callable, message: int) -> None:
    """SMACK: no message may be left out but CertificateRequest, and none sent twice."""
    if message == 12 and exchange is KeyExchange.RSA:
        return
    pair = make(exchange, mutual=True)
    pair.server._machine.alter = change(message)  # type: ignore[union-attr]
    if change is left_out and message == 13:
        # A request that never came is none: the client shows no certificate, and the server minds.
        with pytest.raises(UnexpectedMessage):
            pair.run()
        assert isinstance(pair.server.error, UnexpectedMessage)
        return
    if change is left_out and message == 14:
        pair.run()
        assert not pair.client.connected
        return
    # After a second ServerHelloDone the client's flight is on its way already, and the server fails first.
    expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE", readable=message != 14)


@EXCHANGES
@pytest.mark.parametrize("change", [left_out, twice])
@pytest.mark.parametrize("message", FROM_CLIENT)
def test_a_client_that_skips_or_repeats_a_message(exchange: KeyExchange, change: Callable, message: int) -> None:
    """SMACK: a client that skips CertificateVerify would be somebody else."""
    pair = make(exchange, mutual=True)
    alter = change(message)
    pair.client._machine.alter = alter  # type: ignore[union-attr]
    reason = "UNEXPECTED_CCS_MESSAGE" if (change, message) == (left_out, 15) else "UNEXPECTED_MESSAGE"
    expect(pair, pair.server, UnexpectedMessage, pair.run, reason, readable=False)


@EXCHANGES
@pytest.mark.parametrize("side", ["client", "server"])
def test_a_peer_that_skips_change_cipher_spec(exchange: KeyExchange, side: str) -> None:
    pair = make(exchange, mutual=False)
    attacker = pair.server if side == "client" else pair.client
    apply = attacker._apply

    def without(effects: list[object], events: list[object]) -> None:
        apply([effect for effect in effects if not isinstance(effect, SendChangeCipherSpec)], events)  # type: ignore[misc]

    attacker._apply = without  # type: ignore[method-assign, assignment]
    victim = getattr(pair, side)
    expect(pair, victim, TLSError, pair.run, readable=False)
    assert not victim.connected


def test_server_key_exchange_in_rsa_key_transport_is_refused() -> None:
    """FREAK: a weak key that nobody asked for."""
    pair = make(KeyExchange.RSA, mutual=False)
    pair.inject("server", HANDSHAKE, framed(12, bytes(200)), {14})
    expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE")


class TestRenegotiation:
    """RFC 5746, RFC 5246 §7.2.2: refused with no_renegotiation, on both sides; the connection goes on."""

    @staticmethod
    def connected() -> Pair:
        return make(KeyExchange.ECDHE_ECDSA, mutual=False).connect()

    @pytest.mark.parametrize("side", ["client", "server"])
    def test_it_is_refused(self, side: str) -> None:
        pair = self.connected()
        victim = getattr(pair, side)
        attacker = pair.peer_of(victim)
        hello = pair.observed["client"][0][2] if side == "server" else framed(0, b"")
        attacker._seal(HANDSHAKE, hello)
        assert victim.receive(attacker.take_output()) == []
        attacker.receive(victim.take_output())
        told = [data for mine, kind, data in pair.observed["server" if side == "client" else "client"] if not mine]
        assert told[-1] == bytes([1, AlertDescription.NO_RENEGOTIATION])
        for sender, receiver in ((victim, attacker), (attacker, victim)):
            sender.send(b"on")
            assert receiver.receive(sender.take_output())[0].data == b"on"

    @pytest.mark.parametrize("side", ["client", "server"])
    def test_requests_in_a_row_are_counted(self, side: str) -> None:
        pair = self.connected()
        victim = getattr(pair, side)
        attacker = pair.peer_of(victim)
        hello = pair.observed["client"][0][2] if side == "server" else framed(0, b"")
        for _ in range(victim.config.limits.renegotiations):
            attacker._seal(HANDSHAKE, hello)
            victim.receive(attacker.take_output())
        victim.take_output()
        attacker._seal(HANDSHAKE, hello)
        data = attacker.take_output()
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(data), "TOO_MANY_RENEGOTIATIONS", readable=False)


def test_keys_cannot_be_updated() -> None:
    pair = TestRenegotiation.connected()
    with pytest.raises(ValueError, match="no KeyUpdate"):
        pair.client.update_keys()
