"""RFC 8448's traces replayed through the states, both sides, records byte for byte.

A client is put into the state behind the trace's ClientHello, since a ClientHello of fasttls is its own;
from there on everything that it sends is compared with the trace. A server of fasttls writes ServerHello and
HelloRetryRequest byte for byte; the trace's EncryptedExtensions says things that fasttls does not
(supported_groups, record_size_limit), so from there on the trace's own messages are sealed by the server,
compared record for record, and the states go on behind them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from rfc8448.trace import (
    CLIENT_AUTHENTICATION,
    COMPATIBILITY,
    RETRY,
    SIMPLE,
    find,
    messages,
    private_key,
    records,
)

from fasttls.connection import Connection
from fasttls.crypto.groups import offers
from fasttls.events import ApplicationData, HandshakeCompleted, Negotiated, PeerClosed, TicketReceived
from fasttls.handshake.client import WaitSecondServerHello, WaitServerHello
from fasttls.handshake.config import Config, Credential, PeerCertificate
from fasttls.handshake.flight import Epoch, Flight, ReadWith, Send, WriteWith
from fasttls.handshake.keys13 import handshake_keys
from fasttls.handshake.server13 import WaitCertificate, WaitFinished
from fasttls.native._wire import Reader
from fasttls.wire.iana import CipherSuite, NamedGroup, SignatureScheme
from fasttls.wire.messages import (
    HEADER_SIZE,
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    HelloRetryRequest,
    ServerHello,
)

SUITES = (
    CipherSuite.TLS_AES_128_GCM_SHA256,
    CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_AES_256_GCM_SHA384,
)
GROUPS = {SIMPLE: NamedGroup.X25519, CLIENT_AUTHENTICATION: NamedGroup.X25519, COMPATIBILITY: NamedGroup.X25519}
FULL = [SIMPLE, CLIENT_AUTHENTICATION, COMPATIBILITY]


class TraceSigner:
    """A key that makes the one signature of the trace."""

    schemes: tuple[int, ...]
    schemes12: tuple[int, ...] = ()
    decrypt = None

    def __init__(self, scheme: int, signature: bytes) -> None:
        self.schemes = (scheme,)
        self._signature = signature

    def sign(self, scheme: int, data: bytes) -> bytes:
        assert scheme in self.schemes
        return self._signature


class Queue:
    """Randomness that was drawn before."""

    def __init__(self, *drawn: bytes) -> None:
        self._drawn = list(drawn)

    def __call__(self, size: int) -> bytes:
        value = self._drawn.pop(0)
        assert len(value) == size
        return value


def read(message_class: type, raw: bytes):
    """Read one whole message."""
    return message_class.read(Reader(raw, HEADER_SIZE))


def credential(section: int, side: str) -> Credential:
    """Return the trace's chain, with a signer that knows the trace's signature."""
    raw = messages(section, side)
    certificate = read(Certificate, next(m for m in raw if m[0] == 11))
    verify = read(CertificateVerify, next(m for m in raw if m[0] == 15))
    chain = tuple(entry.cert_data for entry in certificate.certificate_list)
    return Credential(chain, TraceSigner(verify.algorithm, verify.signature))


def accept_any(chain: object, path: object, refusal: object) -> None:
    """Judge nothing: the trace's certificates are RSA-1024, self-signed and old."""


def config(section: int, *, side: str, random: Queue | None = None) -> Config:
    """Return what both sides of the trace were set to."""
    signs = section == CLIENT_AUTHENTICATION or side == "server"
    verifies = section == CLIENT_AUTHENTICATION or side == "client"
    return Config(
        suites=SUITES,
        groups=(NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1, NamedGroup.SECP521R1),
        key_shares=(NamedGroup.X25519,),
        peer_certificate=PeerCertificate.ANY if verifies else PeerCertificate.UNCHECKED,
        verify_callback=accept_any if verifies else None,
        check_host=False,
        compatibility_mode=section == COMPATIBILITY,
        credentials=(credential(section, side),) if signs else (),
        random=random or Queue(),
        deterministic_keys=True,
        retry_cookie=True,
    )


def start_client(section: int) -> Connection:
    """Return a client that has sent the trace's ClientHello."""
    raw = messages(section, "client")[0]
    keys = Queue(private_key(section, "client"))
    settings = config(section, side="client", random=keys)
    connection = Connection(settings, server_side=False)
    shares = offers((GROUPS.get(section, NamedGroup.X25519),), keys)
    hello = read(ClientHello, raw)
    assert hello.extensions[51][0].key_exchange == shares[hello.extensions[51][0].group].public
    connection._started = True
    connection._transcript.add(raw)
    connection._machine.state = WaitServerHello(settings, None, hello, shares)
    return connection


def server_flight(section: int) -> bytes:
    """Return the server's records from ServerHello to Finished."""
    sent = records(section, "server")
    last = next(i for i, step in enumerate(sent) if len(step["payload"]) > 400)
    first = 1 if section == RETRY else 0
    return b"".join(step["complete record"] for step in sent[first : last + 1])


def finish_client(section: int, connection: Connection) -> None:
    """Receive the server's flight, and compare everything that the client sends with the trace."""
    events = connection.receive(server_flight(section))
    assert isinstance(events[-1], HandshakeCompleted)
    expected = b"".join(
        step["complete record"]
        for step in records(section, "client")
        if "change_cipher_spec" in step.title or len(step["payload"]) in (36, 623)
    )
    assert connection.take_output() == expected

    negotiated = connection.negotiated
    assert negotiated is not None
    assert negotiated.suite == CipherSuite.TLS_AES_128_GCM_SHA256
    assert negotiated.client_certificate_requested is (section == CLIENT_AUTHENTICATION)

    for step in [s for s in records(section, "server", "handshake") if len(s["payload"]) == 205]:
        assert isinstance(connection.receive(step["complete record"])[0], TicketReceived)
    for mine, theirs in zip(
        records(section, "client", "application_data"), records(section, "server", "application_data"), strict=True
    ):
        connection.send(mine["payload"])
        assert connection.take_output() == mine["complete record"]
        assert connection.receive(theirs["complete record"]) == [ApplicationData(theirs["payload"])]
    connection.close()
    assert connection.take_output() == records(section, "client", "alert")[0]["complete record"]
    assert connection.receive(records(section, "server", "alert")[0]["complete record"]) == [PeerClosed()]


@pytest.mark.parametrize("section", FULL)
def test_client(section: int) -> None:
    finish_client(section, start_client(section))


def test_client_after_hello_retry_request() -> None:
    first, second = (raw for raw in messages(RETRY, "client") if raw[0] == 1)
    connection = start_client(RETRY)
    keys: Queue = connection.config.random  # type: ignore[assignment]
    scalar = private_key(RETRY, "client", 1)
    keys._drawn.append(scalar)
    connection.receive(records(RETRY, "server")[0]["complete record"])
    state = connection._machine.state
    assert isinstance(state, WaitSecondServerHello)

    # The trace's second ClientHello has padding that fasttls does not send; all else is the same.
    theirs, ours = read(ClientHello, second), state.hello
    assert {code: value for code, value in theirs.extensions.items() if code != 21} == ours.extensions
    assert (theirs.random, theirs.cipher_suites) == (ours.random, ours.cipher_suites)

    # On with the trace's own bytes, which the transcript must have.
    connection.take_output()
    connection._transcript = connection._machine.transcript = transcript = type(connection._transcript)()
    transcript.add(first)
    transcript.choose("sha256", retried=True)
    transcript.add(messages(RETRY, "server")[0])
    transcript.add(second)
    connection._machine.state = WaitSecondServerHello(state.config, None, theirs, state.shares, state.retry)
    finish_client(RETRY, connection)
    assert connection.negotiated is not None
    assert connection.negotiated.retried
    assert connection.negotiated.group == NamedGroup.SECP256R1


def start_server(section: int) -> tuple[Connection, list[bytes]]:
    """Give the trace's ClientHello to a server with the trace's randomness; return it and what it sent."""
    hello = read(ServerHello, next(m for m in reversed(messages(section, "server")) if m[0] == 2))
    random = Queue(private_key(section, "server"), hello.random)
    connection = Connection(config(section, side="server", random=random), server_side=True)
    sent: list[bytes] = []
    state = connection._machine.state
    raw = messages(section, "client")[0]
    connection._transcript.add(raw)
    flight = Flight(connection._transcript)
    state.handlers[ClientHello](state, read(ClientHello, raw), flight)
    sent += [effect.message for effect in flight.effects if isinstance(effect, Send)]
    return connection, sent


@pytest.mark.parametrize("section", FULL)
def test_server_hello(section: int) -> None:
    _, sent = start_server(section)
    assert sent[0] == messages(section, "server")[0]


def test_hello_retry_request() -> None:
    """The request differs from the trace in its cookie alone: that one is up to the server."""
    first = messages(RETRY, "client")[0]
    theirs = read(ServerHello, messages(RETRY, "server")[0])
    settings = config(RETRY, side="server", random=Queue(bytes(32)))
    # The trace's server does not have X25519.
    settings = replace(settings, groups=(NamedGroup.SECP256R1,), key_shares=(NamedGroup.SECP256R1,))
    connection = Connection(settings, server_side=True)
    connection.receive(b"\x16\x03\x01" + len(first).to_bytes(2, "big") + first)
    output = connection.take_output()
    ours = read(ServerHello, output[5:])
    assert isinstance(theirs, HelloRetryRequest)
    assert isinstance(ours, HelloRetryRequest)
    assert ours.extensions.keys() == theirs.extensions.keys()
    ours.extensions[44] = theirs.extensions[44]
    assert {**ours.extensions} == {**theirs.extensions}
    assert (ours.cipher_suite, ours.legacy_version) == (theirs.cipher_suite, theirs.legacy_version)


@pytest.mark.parametrize("section", [*FULL, RETRY])
def test_server(section: int) -> None:
    """From ServerHello on: the server's records come out as in the trace, the client's are accepted."""
    connection = Connection(config(section, side="server"), server_side=True)
    suite = connection_suite()
    transcript = connection._transcript
    hellos = [raw for raw in messages(section, "client") if raw[0] == 1]
    flight_messages = [raw for raw in messages(section, "server") if raw[0] != 4]
    transcript.add(hellos[0])
    transcript.choose("sha256", retried=section == RETRY)
    if section == RETRY:
        transcript.add(flight_messages.pop(0))
        transcript.add(hellos[1])
    server_hello, *rest = flight_messages
    transcript.add(server_hello)

    share = read(ClientHello, hellos[-1]).extensions[51][0]
    own = read(ServerHello, server_hello)
    offer = offers((share.group,), Queue(private_key(section, "server")))[share.group]
    assert own.extensions[51].key_exchange == offer.public
    flight = Flight(transcript)
    keys = handshake_keys(suite, offer.finish(share.key_exchange), read(ClientHello, hellos[-1]).random, flight)
    connection._apply([WriteWith(Epoch.HANDSHAKE, suite, keys.traffic.server)], [])
    connection._apply([ReadWith(Epoch.HANDSHAKE, suite, keys.traffic.client)], [])
    for raw in rest:
        transcript.add(raw)
    connection._apply([Send(raw) for raw in rest], [])
    connection._flush_handshake()
    sealed = next(step for step in records(section, "server") if step["payload"] == b"".join(rest))
    assert connection.take_output() == sealed["complete record"]

    application = keys.into_application(transcript.digest(), flight)
    connection._apply([WriteWith(Epoch.APPLICATION, suite, application.traffic.server)], [])
    agreed = negotiated(own, read(ClientHello, hellos[-1]))
    if section == CLIENT_AUTHENTICATION:
        request = read(CertificateRequest, next(raw for raw in rest if raw[0] == 13))
        # The trace's client signs with rsa_pss_rsae_sha256, an RSA-1024 key.
        assert SignatureScheme.RSA_PSS_RSAE_SHA256 in request.extensions[13]
        connection._machine.state = WaitCertificate(connection.config, keys, application, agreed, request)
    else:
        connection._machine.state = WaitFinished(keys, application, agreed)

    last = next(step for step in records(section, "client") if len(step["payload"]) in (36, 623))
    events = connection.receive(last["complete record"])
    assert isinstance(events[-1], HandshakeCompleted)

    for step in [s for s in records(section, "server", "handshake") if len(s["payload"]) == 205]:
        connection._apply([Send(step["payload"])], [])
        connection._flush_handshake()
        assert connection.take_output() == step["complete record"]
    for theirs, mine in zip(
        records(section, "client", "application_data"), records(section, "server", "application_data"), strict=True
    ):
        assert connection.receive(theirs["complete record"]) == [ApplicationData(theirs["payload"])]
        connection.send(mine["payload"])
        assert connection.take_output() == mine["complete record"]
    assert connection.receive(records(section, "client", "alert")[0]["complete record"]) == [PeerClosed()]
    connection.close()
    assert connection.take_output() == records(section, "server", "alert")[0]["complete record"]


def connection_suite():
    """Return the suite of every trace."""
    from fasttls.crypto.suites import SUITES as TABLE

    return TABLE[CipherSuite.TLS_AES_128_GCM_SHA256]


def negotiated(answer: ServerHello, hello: ClientHello) -> Negotiated:
    """Return what the hellos agree on."""
    return Negotiated(
        version=0x0304,
        suite=answer.cipher_suite,
        group=answer.extensions[51].group,
        retried=False,
        server_name="server",
        alpn=None,
        client_random=hello.random,
        server_random=answer.random,
        legacy_session_id=hello.legacy_session_id,
        client_suites=hello.cipher_suites,
    )


def test_exporter_secret_of_the_simple_trace() -> None:
    connection = start_client(SIMPLE)
    connection.receive(server_flight(SIMPLE))
    expected = find(SIMPLE, "server", 'derive secret "tls13 exp master"')["expanded"]
    assert connection._connected_state().exporter.secret == expected
