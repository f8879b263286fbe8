"""RFC 8448's traces replayed through the client's states: every record that it sends is the trace's, byte for byte.

A client is put into the state behind the trace's ClientHello, since a ClientHello of fasttls is its own. From there on
everything is fasttls's: it takes the server's records, checks the certificate's signature and Finished, and what it
sends is compared with the trace: ChangeCipherSpec, Certificate, CertificateVerify, Finished, data, close_notify. The
second ClientHello of section 5 has padding that fasttls does not send: all else in it is compared, then the trace's
own goes into the transcript.
"""

from __future__ import annotations

import pytest
from rfc8448.replaying import Log, Queue, config, credential, finished_is_in, first, read
from rfc8448.trace import (
    CLIENT_AUTHENTICATION,
    COMPATIBILITY,
    RETRY,
    SIMPLE,
    messages,
    private_key,
    records,
    secret,
)

from fasttls.connection import Connection
from fasttls.crypto.groups import offers
from fasttls.crypto.key_schedule import Exporter
from fasttls.events import ApplicationData, Event, HandshakeCompleted, PeerClosed, TicketReceived
from fasttls.handshake.client import WaitSecondServerHello, WaitServerHello
from fasttls.native._hash import Transcript
from fasttls.native._secret import Secret
from fasttls.wire.alerts import BadRecordMac
from fasttls.wire.extensions import KeyShareEntry
from fasttls.wire.iana import CipherSuite, ExtensionType, HandshakeType, NamedGroup
from fasttls.wire.messages import CertificateVerify, ClientHello

WITHOUT_RETRY = [SIMPLE, CLIENT_AUTHENTICATION, COMPATIBILITY]
LABELS = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": "c hs traffic",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": "s hs traffic",
    "CLIENT_TRAFFIC_SECRET_0": "c ap traffic",
    "SERVER_TRAFFIC_SECRET_0": "s ap traffic",
    "EXPORTER_SECRET": "exp master",
}


def start(section: int) -> Connection:
    """Return a client that has sent the trace's first ClientHello."""
    raw = messages(section, "client")[0]
    keys = Queue(private_key(section, "client"))
    settings = config(section, "client", keys)
    connection = Connection(settings, server_side=False)
    shares = offers((NamedGroup.X25519,), keys)
    hello = read(ClientHello, raw)
    (share,) = hello.extensions[ExtensionType.KEY_SHARE]
    assert share == KeyShareEntry(NamedGroup.X25519, shares[NamedGroup.X25519].public)
    connection._started = True
    connection._transcript.add(raw)
    connection._machine.state = WaitServerHello(settings, None, hello, shares)
    return connection


def start_after_retry() -> Connection:
    """Return a client that has sent the trace's second ClientHello."""
    connection = start(RETRY)
    random = connection.config.random
    assert isinstance(random, Queue)
    random.put(private_key(RETRY, "client", 1))
    connection.receive(records(RETRY, "server")[0]["complete record"])
    assert random.empty
    state = connection._machine.state
    assert isinstance(state, WaitSecondServerHello)

    hello, second = (raw for raw in messages(RETRY, "client") if raw[0] == HandshakeType.CLIENT_HELLO)
    theirs = read(ClientHello, second)
    padding = {code: value for code, value in theirs.extensions.items() if code == ExtensionType.PADDING}
    assert padding
    ours = ClientHello(state.hello.random, b"", state.hello.cipher_suites, {**state.hello.extensions, **padding})
    assert ours == theirs
    assert connection.take_output()[9:] == state.hello.encode()[4:]

    transcript = Transcript()
    transcript.add(hello)
    transcript.choose("sha256", retried=True)
    transcript.add(messages(RETRY, "server")[0])
    transcript.add(second)
    connection._transcript = connection._machine.transcript = transcript
    connection._machine.state = WaitSecondServerHello(state.config, None, theirs, state.shares, state.retry)
    return connection


def begin(section: int) -> Connection:
    """Return a client that waits for the trace's ServerHello."""
    return start_after_retry() if section == RETRY else start(section)


def server_flight(section: int) -> bytes:
    """Return the server's records from ServerHello to Finished."""
    sent = records(section, "server")[1 if section == RETRY else 0 :]
    last = next(index for index, step in enumerate(sent) if finished_is_in(step["payload"]))
    return b"".join(step["complete record"] for step in sent[: last + 1])


def client_flight(section: int) -> bytes:
    """Return the client's records behind its last ClientHello, up to Finished."""
    sent = records(section, "client")[2 if section == RETRY else 1 :]
    last = next(index for index, step in enumerate(sent) if finished_is_in(step["payload"]))
    return b"".join(step["complete record"] for step in sent[: last + 1])


def check_completed(section: int, connection: Connection, events: list[Event]) -> None:
    """Compare the client's flight, and what was negotiated, with the trace."""
    negotiated = connection.negotiated
    assert events == [HandshakeCompleted(negotiated)]
    assert negotiated is not None
    assert connection.take_output() == client_flight(section)
    assert negotiated.suite == CipherSuite.TLS_AES_128_GCM_SHA256
    assert negotiated.group == (NamedGroup.SECP256R1 if section == RETRY else NamedGroup.X25519)
    assert negotiated.retried is (section == RETRY)
    verify = read(CertificateVerify, first(section, "server", HandshakeType.CERTIFICATE_VERIFY))
    assert negotiated.peer_signature_algorithm == verify.algorithm
    assert negotiated.client_certificate_requested is (section == CLIENT_AUTHENTICATION)
    assert negotiated.peer_chain == credential(section, "server").chain
    for mine in connection.config.credentials:
        assert mine.signer.signed == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_the_clients_flight(section: int) -> None:
    connection = begin(section)
    check_completed(section, connection, connection.receive(server_flight(section)))


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_the_clients_flight_is_the_same_when_bytes_come_one_by_one(section: int) -> None:
    connection = begin(section)
    flight, events = server_flight(section), []
    for index in range(len(flight)):
        assert events == []
        events += connection.receive(flight[index : index + 1])
    check_completed(section, connection, events)


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_the_secrets_are_the_traces(section: int) -> None:
    connection = begin(section)
    connection.receive(server_flight(section))
    log = connection.config.key_log
    assert isinstance(log, Log)
    assert log.client_random == read(ClientHello, messages(section, "client")[0]).random
    assert log.secrets == {name: secret(section, label)["expanded"] for name, label in LABELS.items()}
    state = connection._connected_state()
    assert state.resumption == secret(section, "res master")["expanded"]  # type: ignore[attr-defined]
    exporter = Exporter("sha256", Secret(secret(section, "exp master")["expanded"]))
    assert connection.export_keying_material(b"label", 40, b"context") == exporter.export(b"label", 40, b"context")


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_what_follows_the_handshake(section: int) -> None:
    """Tickets, data and close_notify, where the trace has them."""
    connection = begin(section)
    connection.receive(server_flight(section))
    connection.take_output()

    tickets = [step for step in records(section, "server") if step["payload"][0] == HandshakeType.NEW_SESSION_TICKET]
    assert len(tickets) == (1 if section == SIMPLE else 0)
    for step in tickets:
        assert connection.receive(step["complete record"]) == [TicketReceived(lifetime_seconds=30)]

    sent, received = (records(section, side, "application_data") for side in ("client", "server"))
    assert len(sent) == len(received) == (1 if section == SIMPLE else 0)
    for mine, theirs in zip(sent, received, strict=True):
        connection.send(mine["payload"])
        assert connection.take_output() == mine["complete record"]
        assert connection.receive(theirs["complete record"]) == [ApplicationData(theirs["payload"])]

    (mine,), (theirs,) = (records(section, side, "alert") for side in ("client", "server"))
    connection.close()
    assert connection.take_output() == mine["complete record"]
    assert connection.receive(theirs["complete record"]) == [PeerClosed()]


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_one_bit_in_the_servers_last_record_ends_the_handshake(section: int) -> None:
    flight = bytearray(server_flight(section))
    flight[-1] ^= 1
    connection = begin(section)
    with pytest.raises(BadRecordMac):
        connection.receive(flight)
    assert connection.negotiated is None
