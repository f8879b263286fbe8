"""Every state meets every message: what its table does not name is unexpected_message (RFC 8446 §4, Appendix A).

The states are all those that have a table, reached by real handshakes; the messages are all that TLS 1.3 and TLS 1.2
have, one well-formed specimen of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import certs
import pytest
import sessions
from harness import CCS, DATA, HANDSHAKE, Pair, client_config, credential, expect, framed, record, server_config

from fasttls.connection import Connection
from fasttls.handshake import client, client13, connected13, post_auth13, server, server13
from fasttls.handshake.config import PeerCertificate
from fasttls.handshake.state import State
from fasttls.wire.alerts import DecodeError, DecryptError, UnexpectedMessage
from fasttls.wire.iana import ContentType, HandshakeType, NamedGroup

ONLY13 = {"minimum_version": 0x0304}
P256_ONLY = {"groups": (NamedGroup.SECP256R1,), "key_shares": (NamedGroup.SECP256R1,)}


def plain() -> Pair:
    """A handshake in which the server alone is authenticated."""
    return Pair(client_config(**ONLY13), server_config(**ONLY13))


def retried() -> Pair:
    """A handshake with a HelloRetryRequest."""
    return Pair(client_config(**ONLY13), server_config(**ONLY13, **P256_ONLY))


def mutual() -> Pair:
    """A handshake in which both sides are authenticated."""
    return Pair(
        client_config(**ONLY13, credentials=(credential(certs.client_credential()),)),
        server_config(**ONLY13, peer_certificate=PeerCertificate.REQUIRED),
    )


def early() -> Pair:
    """A resumption whose client sends early data, before it says that it has ended."""
    client, server = sessions.client_and_server(**ONLY13, early_data=True)
    return Pair(client, server, session=sessions.left_by(client, server))


def asking() -> Pair:
    """A handshake after which the client may be asked for its certificate."""
    return Pair(
        client_config(**ONLY13, post_handshake_auth=True, credentials=(credential(certs.client_credential()),)),
        server_config(**ONLY13, post_handshake_auth=True, peer_certificate=PeerCertificate.REQUIRED),
    )


# How each state is reached: a handshake, and the side that comes to it.
REACHED: dict[type[State], tuple[Callable[[], Pair], str]] = {
    client.NotStarted: (plain, "client"),
    client.WaitServerHello: (plain, "client"),
    client.WaitSecondServerHello: (retried, "client"),
    client13.WaitEncryptedExtensions: (plain, "client"),
    client13.WaitCertificateOrRequest: (plain, "client"),
    client13.WaitCertificate: (mutual, "client"),
    client13.WaitCertificateVerify: (plain, "client"),
    client13.WaitFinished: (plain, "client"),
    connected13.ClientConnected: (plain, "client"),
    server.WaitClientHello: (plain, "server"),
    server13.WaitSecondClientHello: (retried, "server"),
    server13.WaitCertificate: (mutual, "server"),
    server13.WaitCertificateVerify: (mutual, "server"),
    server13.WaitEndOfEarlyData: (early, "server"),
    server13.WaitFinished: (plain, "server"),
    connected13.ServerConnected: (plain, "server"),
    post_auth13.ClientMayAuthenticate: (asking, "client"),
    post_auth13.WaitCertificate: (asking, "server"),
    post_auth13.WaitCertificateVerify: (asking, "server"),
    post_auth13.WaitFinished: (asking, "server"),
}

ANSWERED = (post_auth13.WaitCertificateVerify, post_auth13.WaitFinished)
"""States within the client's answer to a request that came after the handshake."""


def states() -> Iterator[type[State]]:
    """Yield the states of TLS 1.3 and those before the fork, as their modules export them."""
    for module in (client, client13, connected13, post_auth13, server, server13):
        for value in vars(module).values():
            is_state = isinstance(value, type) and issubclass(value, State) and value.__module__ == module.__name__
            if is_state and (value.handlers or value is client.NotStarted):
                yield value


def test_no_state_is_left_out() -> None:
    assert set(states()) == set(REACHED)


def connect(pair: Pair, state: type[State]) -> None:
    """Complete the handshake, and ask the client for its certificate where the state is one of that."""
    pair.connect()
    if issubclass(state, post_auth13._Asking):
        pair.server.request_certificate()


def attack(state: type[State], content_type: int, content: bytes) -> tuple[Pair, Connection, Callable[[], object]]:
    """Return a pair, the victim, and what sends it a record when it is in the state."""
    make, side = REACHED[state]
    pair = make()
    victim: Connection = getattr(pair, side)
    attacker = pair.peer_of(victim)
    if state.connected:
        connect(pair, state)
        attacker._seal(ContentType(content_type), content)
        return pair, victim, lambda: victim.receive(attacker.take_output())
    if state in ANSWERED:
        connect(pair, state)
        pair.inject("client", content_type, content, state.readers)
        return pair, victim, pair.run
    if state is server.WaitClientHello:
        return pair, victim, lambda: victim.receive(record(content_type, content))
    second = state in (client.WaitSecondServerHello, server13.WaitSecondClientHello)
    pair.inject("server" if side == "client" else "client", content_type, content, state.readers, nth=int(second))
    return pair, victim, pair.run


def in_state(victim: Connection, state: type[State]) -> bool:
    """Whether the victim was in the state when it failed."""
    return type(victim._machine.state) is state


def ids(value: object) -> str | None:
    """Name a state by its module and class, a message by its name."""
    if isinstance(value, type):
        return f"{value.__module__.rpartition('.')[2]}.{value.__name__}"
    return value.name if isinstance(value, HandshakeType) else None


WAITING = [state for state in REACHED if state is not client.NotStarted]
FORBIDDEN = [(state, message) for state in WAITING for message in HandshakeType if int(message) not in state.readers]


@pytest.mark.parametrize(("state", "message"), FORBIDDEN, ids=ids)
def test_a_message_that_the_state_does_not_wait_for(state: type[State], message: HandshakeType) -> None:
    pair, victim, do = attack(state, HANDSHAKE, framed(message, b""))
    expect(pair, victim, UnexpectedMessage, do, "UNEXPECTED_MESSAGE", readable=False)
    assert in_state(victim, state)


@pytest.mark.parametrize(("state", "message"), FORBIDDEN, ids=ids)
def test_its_header_is_enough(state: type[State], message: HandshakeType) -> None:
    """The refusal does not wait for the rest of a message, however long it says it is."""
    pair, victim, do = attack(state, HANDSHAKE, bytes([message]) + b"\xff\xff\xff")
    expect(pair, victim, UnexpectedMessage, do, "UNEXPECTED_MESSAGE", readable=False)
    assert in_state(victim, state)


# EndOfEarlyData has no body: an empty one is right.
ALLOWED = [
    (state, HandshakeType(code))
    for state in WAITING
    for code in state.readers
    if state is not server13.WaitEndOfEarlyData
]


@pytest.mark.parametrize(("state", "message"), ALLOWED, ids=ids)
def test_a_message_that_the_state_waits_for_is_read(state: type[State], message: HandshakeType) -> None:
    """An empty one is malformed, or wrong as Finished: it was not refused for its type."""
    _, victim, do = attack(state, HANDSHAKE, framed(message, b""))
    with pytest.raises((DecodeError, DecryptError)):
        do()
    assert in_state(victim, state)
    assert victim.take_output()


def test_nothing_may_come_before_the_client_hello_is_sent() -> None:
    assert not client.NotStarted.readers
    pair = plain()
    machine = pair.client._machine
    for message in HandshakeType:
        with pytest.raises(UnexpectedMessage):
            machine.receive(framed(message, b""))


# Early data is application data, where it was taken.
WITHOUT_DATA = [state for state in WAITING if not state.connected and state is not server13.WaitEndOfEarlyData]


@pytest.mark.parametrize("state", WITHOUT_DATA, ids=ids)
def test_application_data_before_finished(state: type[State]) -> None:
    pair, victim, do = attack(state, DATA, b"early")
    expect(pair, victim, UnexpectedMessage, do, "APP_DATA_IN_HANDSHAKE", readable=False)
    assert in_state(victim, state)


@pytest.mark.parametrize("state", [state for state in WAITING if state not in ANSWERED], ids=ids)
def test_change_cipher_spec_is_dropped_in_the_handshake_alone(state: type[State]) -> None:
    """RFC 8446 §5: between the first ClientHello and the peer's Finished, one byte 1, in the clear."""
    make, side = REACHED[state]
    pair = make()
    victim = getattr(pair, side)
    if state.connected:
        connect(pair, state)
    elif state is not server.WaitClientHello:
        pair.run_to(side, state.__name__)
    assert in_state(victim, state)
    good, bad = record(CCS, b"\x01"), record(CCS, b"\x02")
    if state.connected or state is server.WaitClientHello:
        bad = good
    else:
        assert victim.receive(good) == []
        assert in_state(victim, state)
    victim.take_output()
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(bad), "UNEXPECTED_CCS_MESSAGE", readable=False)


@pytest.mark.parametrize("state", [state for state in WAITING if state is not server.WaitClientHello], ids=ids)
def test_change_cipher_spec_under_protection(state: type[State]) -> None:
    """RFC 8446 §5: a protected one is unexpected_message, always."""
    protected = state not in (client.WaitServerHello, client.WaitSecondServerHello, server13.WaitSecondClientHello)
    if protected:
        pair, victim, do = attack(state, CCS, b"\x01")
        expect(pair, victim, UnexpectedMessage, do, readable=False)
