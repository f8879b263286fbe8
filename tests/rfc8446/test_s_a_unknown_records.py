"""Every state meets what has no name there: unknown handshake types, and records in the clear (Appendix A)."""

from __future__ import annotations

import pytest
from harness import ALERT, DATA, HANDSHAKE, Pair, expect, framed, record, split
from rfc8446.test_s_a_state_machine import ANSWERED, REACHED, WAITING, WITHOUT_DATA, attack, connect, ids, in_state

from fasttls.connection import Connection
from fasttls.handshake import client, client13, server, server13
from fasttls.handshake.state import State
from fasttls.wire.alerts import AlertReceived, UnexpectedMessage
from fasttls.wire.iana import HandshakeType

UNKNOWN = [code for code in range(256) if code not in list(HandshakeType)]
PLAIN = (client.WaitServerHello, client.WaitSecondServerHello, server.WaitClientHello, server13.WaitSecondClientHello)
PROTECTED = [state for state in WAITING if state not in PLAIN]


def brought(state: type[State]) -> tuple[Pair, Connection]:
    """Return a pair, and the side that is in the state, with nothing under way."""
    make, side = REACHED[state]
    pair = make()
    victim: Connection = getattr(pair, side)
    if state.connected or state in ANSWERED:
        connect(pair, state)
        if state in ANSWERED:
            pair.client.receive(pair.server.take_output())
            answer = split(pair.client.take_output())
            while not in_state(victim, state):
                victim.receive(answer.pop(0))
    else:
        pair.run_to(side, state.__name__)
    assert in_state(victim, state)
    victim.take_output()
    return pair, victim


@pytest.mark.parametrize("state", WAITING, ids=ids)
def test_a_handshake_type_that_nobody_knows(state: type[State]) -> None:
    """RFC 8446 §4: unexpected_message, in every state; the reserved types of older versions too."""
    for code in UNKNOWN[::9]:
        pair, victim, do = attack(state, HANDSHAKE, framed(code, b"\0"))
        expect(pair, victim, UnexpectedMessage, do, "UNEXPECTED_MESSAGE", readable=False)
        assert in_state(victim, state)


@pytest.mark.parametrize("state", PROTECTED, ids=ids)
def test_a_handshake_message_in_the_clear(state: type[State]) -> None:
    """RFC 8446 §5: what was agreed to be protected is refused when it is not, the right message too."""
    for code in (*state.readers, HandshakeType.CLIENT_HELLO, HandshakeType.SERVER_HELLO):
        pair, victim = brought(state)
        data = record(HANDSHAKE, framed(code, b""))
        expect(pair, victim, UnexpectedMessage, lambda victim=victim, data=data: victim.receive(data), readable=False)
        assert in_state(victim, state)


@pytest.mark.parametrize("alert", [b"\2\x28", b"\1\x00", b"\1\x5a"], ids=["fatal", "close_notify", "warning"])
@pytest.mark.parametrize("state", PROTECTED, ids=ids)
def test_an_alert_in_the_clear(state: type[State], alert: bytes) -> None:
    """RFC 8446 §6: alerts are protected like the rest, from the moment that their sender has keys.

    A server sends ServerHello and has them; a client has none until it has read it, so that a server may hear an
    alert in the clear before the first protected record, and nobody else may.
    """
    pair, victim = brought(state)
    hears = victim.server_side and not state.connected and not victim._opener.sequence
    # A client of early data has keys with its ClientHello.
    if hears and state is not server13.WaitEndOfEarlyData:
        if alert == b"\2\x28":
            expect(pair, victim, AlertReceived, lambda: victim.receive(record(ALERT, alert)), readable=False)
        else:
            victim.receive(record(ALERT, alert))
            assert victim.error is None
            assert not victim.connected
        return
    data = record(ALERT, alert)
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(data), readable=False)


@pytest.mark.parametrize("state", WITHOUT_DATA, ids=ids)
def test_empty_application_data_is_application_data(state: type[State]) -> None:
    """RFC 8446 §5.1 allows it after the handshake alone; it is no way to keep a handshake busy."""
    pair, victim, do = attack(state, DATA, b"")
    expect(pair, victim, UnexpectedMessage, do, "APP_DATA_IN_HANDSHAKE", readable=False)
    assert in_state(victim, state)


def test_the_states_under_protection_are_the_rfcs() -> None:
    assert client13.WaitEncryptedExtensions in PROTECTED
    assert server13.WaitFinished in PROTECTED
    assert len(PROTECTED) + len(PLAIN) == len(WAITING)
