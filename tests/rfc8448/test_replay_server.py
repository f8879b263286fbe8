"""RFC 8448's traces replayed through the server's states.

ServerHello, ChangeCipherSpec and Certificate come out of fasttls as in the trace, from the trace's ClientHello. What
the trace's server says in EncryptedExtensions (supported_groups, record_size_limit) and in CertificateRequest (its
list of schemes) a server of fasttls does not, and CertificateVerify and Finished cover that: these cannot be the same.
HelloRetryRequest is the same but for the order of its extensions; the cookie is given to fasttls.

So that the rest is compared all the same, the trace's own messages are sent from ServerHello on, sealed by fasttls
under the keys that it derives; the states wait behind them, and everything that follows is the trace's byte for byte:
the server's records, what it accepts from the client, tickets, data and close_notify.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from rfc8448.replaying import Log, Queue, check_signature, config, credential, finished_is_in, first, read
from rfc8448.trace import (
    CLIENT_AUTHENTICATION,
    COMPATIBILITY,
    RESUMED,
    RETRY,
    SIMPLE,
    Step,
    messages,
    private_key,
    records,
    secret,
)

from fasttls.connection import Connection
from fasttls.crypto.groups import offers
from fasttls.crypto.signatures import SERVER_CONTEXT, signed_content
from fasttls.crypto.suites import SUITES
from fasttls.events import ApplicationData, EarlyDataAnswered, HandshakeCompleted, Negotiated, PeerClosed
from fasttls.handshake.flight import Epoch, Flight, ReadWith, Send, WriteWith
from fasttls.handshake.keys13 import handshake_keys
from fasttls.handshake.server13 import Done, WaitCertificate, WaitFinished, WaitSecondClientHello
from fasttls.native._protection import PlainSealer
from fasttls.wire.alerts import BadRecordMac, DecryptError, IllegalParameter
from fasttls.wire.extensions import KeyShareEntry
from fasttls.wire.iana import CipherSuite, ContentType, ExtensionType, HandshakeType, NamedGroup
from fasttls.wire.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    HelloRetryRequest,
    ServerHello,
)

WITHOUT_RETRY = [SIMPLE, CLIENT_AUTHENTICATION, COMPATIBILITY]
SUITE = SUITES[CipherSuite.TLS_AES_128_GCM_SHA256]


def last_hello(section: int, side: str) -> bytes:
    """Return a side's ClientHello or ServerHello, the second one when there was a retry."""
    return next(raw for raw in reversed(messages(section, side)) if raw[0] in (1, 2))


def sent_messages(connection: Connection, log: list[tuple[bool, int, bytes]]) -> list[bytes]:
    """Return the handshake messages that a connection sent."""
    connection.take_output()
    return [raw for sent, kind, raw in log if sent and kind == ContentType.HANDSHAKE]


@pytest.mark.parametrize("section", WITHOUT_RETRY)
def test_the_answer_to_the_traces_client_hello(section: int) -> None:
    answer = read(ServerHello, last_hello(section, "server"))
    random = Queue(private_key(section, "server"), answer.random)
    log: list[tuple[bool, int, bytes]] = []
    settings = config(section, "server", random, observer=lambda *seen: log.append(seen))
    connection = Connection(settings, server_side=True)
    connection.receive(records(section, "client")[0]["complete record"])
    assert random.empty

    clear = [step for step in records(section, "server") if step["complete record"][5:] == step["payload"]]
    output = connection.take_output()
    assert output.startswith(b"".join(step["complete record"] for step in clear))
    sent = sent_messages(connection, log)
    theirs = [raw for raw in messages(section, "server") if raw[0] != HandshakeType.NEW_SESSION_TICKET]
    assert [raw[0] for raw in sent] == [raw[0] for raw in theirs]
    assert sent[0] == theirs[0]
    certificate = [raw for raw in sent if raw[0] == HandshakeType.CERTIFICATE]
    assert certificate == [first(section, "server", HandshakeType.CERTIFICATE)]
    for label in ("c hs traffic", "s hs traffic"):
        name = {"c": "CLIENT", "s": "SERVER"}[label[0]] + "_HANDSHAKE_TRAFFIC_SECRET"
        assert isinstance(settings.key_log, Log)
        assert settings.key_log.secrets[name] == secret(section, label)["expanded"]


def retrying(random: Queue) -> Connection:
    """Return a server that prefers, as the trace's, a group that the client has sent no share of."""
    groups = (NamedGroup.SECP256R1,)
    settings = config(RETRY, "server", random, groups=groups, key_shares=groups, retry_cookie=True)
    return Connection(settings, server_side=True)


def test_the_hello_retry_request() -> None:
    theirs = read(ServerHello, messages(RETRY, "server")[0])
    assert isinstance(theirs, HelloRetryRequest)
    cookie = bytes(range(32))
    connection = retrying(Queue(cookie))
    connection.receive(records(RETRY, "client")[0]["complete record"])
    output = connection.take_output()
    ours = read(ServerHello, output[5:])
    assert isinstance(ours, HelloRetryRequest)
    assert ours.extensions[ExtensionType.COOKIE] == cookie
    ours.extensions[ExtensionType.COOKIE] = theirs.extensions[ExtensionType.COOKIE]
    assert ours == theirs
    assert output[:3] == b"\x16\x03\x03"


@pytest.mark.parametrize("changed", ["nothing", "cookie", "suites", "share"])
def test_the_second_client_hello(changed: str) -> None:
    """The trace's is answered with the trace's ServerHello; one with a change is refused (RFC 8446 §4.1.2, §4.2.2)."""
    request, second = messages(RETRY, "server")[0], last_hello(RETRY, "client")
    answer = read(ServerHello, last_hello(RETRY, "server"))
    random = Queue(bytes(32), private_key(RETRY, "server"), answer.random)
    connection = retrying(random)
    connection.receive(records(RETRY, "client")[0]["complete record"])
    connection.take_output()
    state = connection._machine.state
    assert isinstance(state, WaitSecondClientHello)

    # On with the trace's HelloRetryRequest and its cookie.
    cookie = read(ServerHello, request).extensions[ExtensionType.COOKIE]
    connection._machine.state = replace(state, cookie=cookie)
    transcript = type(connection._transcript)()
    transcript.add(messages(RETRY, "client")[0])
    transcript.choose("sha256", retried=True)
    transcript.add(request)
    connection._transcript = connection._machine.transcript = transcript

    hello = read(ClientHello, second)
    if changed == "cookie":
        hello.extensions[ExtensionType.COOKIE] = cookie[:-1] + b"?"
    elif changed == "suites":
        hello.cipher_suites = hello.cipher_suites[:-1]
    elif changed == "share":
        hello.extensions[ExtensionType.KEY_SHARE] = read(ClientHello, messages(RETRY, "client")[0]).extensions[
            ExtensionType.KEY_SHARE
        ]
    record = PlainSealer().seal(ContentType.HANDSHAKE, hello.encode())
    if changed != "nothing":
        with pytest.raises(IllegalParameter):
            connection.receive(record)
        return
    assert record == records(RETRY, "client")[1]["complete record"]
    connection.receive(record)
    assert random.empty
    assert connection.take_output().startswith(records(RETRY, "server")[1]["complete record"])
    log = connection.config.key_log
    assert isinstance(log, Log)
    assert log.secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"] == secret(RETRY, "c hs traffic")["expanded"]


def after_own_flight(section: int) -> tuple[Connection, list[bytes]]:
    """Return a server that has sent the trace's flight, and the messages of it that are protected."""
    connection = Connection(config(section, "server", Queue()), server_side=True)
    transcript = connection._transcript
    hellos = [raw for raw in messages(section, "client") if raw[0] == HandshakeType.CLIENT_HELLO]
    flight = [raw for raw in messages(section, "server") if raw[0] != HandshakeType.NEW_SESSION_TICKET]
    transcript.add(hellos[0])
    transcript.choose("sha256", retried=section == RETRY)
    if section == RETRY:
        transcript.add(flight.pop(0))
        transcript.add(hellos[1])
    server_hello, *rest = flight
    transcript.add(server_hello)

    client_hello, answer = read(ClientHello, hellos[-1]), read(ServerHello, server_hello)
    (share,) = client_hello.extensions[ExtensionType.KEY_SHARE]
    offer = offers((share.group,), Queue(private_key(section, "server")))[share.group]
    assert answer.extensions[ExtensionType.KEY_SHARE] == KeyShareEntry(share.group, offer.public)
    effects = Flight(transcript)
    keys = handshake_keys(SUITE, offer.finish(share.key_exchange), client_hello.random, effects)
    connection._apply([WriteWith(Epoch.HANDSHAKE, SUITE, keys.traffic.server)], [])
    connection._apply([ReadWith(Epoch.HANDSHAKE, SUITE, keys.traffic.client)], [])
    for raw in rest:
        if raw[0] == HandshakeType.CERTIFICATE_VERIFY:
            verify = read(CertificateVerify, raw)
            content = signed_content(SERVER_CONTEXT, transcript.digest())
            check_signature(credential(section, "server").chain[0], verify.algorithm, verify.signature, content)
        if raw[0] == HandshakeType.FINISHED:
            assert raw[4:] == keys.server_finished().mac(transcript.digest())
        transcript.add(raw)
    connection._apply([Send(raw) for raw in rest], [])
    connection._flush_handshake()
    application = keys.into_application(transcript.digest(), effects)
    connection._apply(effects.effects, [])
    connection._apply([WriteWith(Epoch.APPLICATION, SUITE, application.traffic.server)], [])
    agreed = Negotiated(
        version=0x0304,
        suite=answer.cipher_suite,
        group=share.group,
        retried=section == RETRY,
        server_name="server",
        alpn=None,
        client_random=client_hello.random,
        server_random=answer.random,
        legacy_session_id=client_hello.legacy_session_id,
        client_suites=client_hello.cipher_suites,
    )
    done = Done(connection.config, keys, application, agreed, 0)
    if section == CLIENT_AUTHENTICATION:
        request = read(CertificateRequest, first(section, "server", HandshakeType.CERTIFICATE_REQUEST))
        connection._machine.state = WaitCertificate(done, request)
    else:
        connection._machine.state = WaitFinished(done)
    return connection, rest


def last_flight(section: int) -> list[Step]:
    """Return the client's records behind its last ClientHello, up to Finished."""
    sent = records(section, "client")[2 if section == RETRY else 1 :]
    last = next(index for index, step in enumerate(sent) if finished_is_in(step["payload"]))
    return list(sent[: last + 1])


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_the_servers_records_and_the_clients_flight(section: int) -> None:
    connection, rest = after_own_flight(section)
    (sealed,) = (step for step in records(section, "server") if finished_is_in(step["payload"]))
    assert sealed["payload"] == b"".join(rest)
    assert connection.take_output() == sealed["complete record"]

    events = connection.receive(b"".join(step["complete record"] for step in last_flight(section)))
    negotiated = connection.negotiated
    assert events == [HandshakeCompleted(negotiated)]
    assert negotiated is not None
    assert connection.take_output() == b""
    if section == CLIENT_AUTHENTICATION:
        chain = read(Certificate, first(section, "client", HandshakeType.CERTIFICATE)).certificate_list
        assert negotiated.peer_chain == tuple(entry.cert_data for entry in chain)
        verify = read(CertificateVerify, first(section, "client", HandshakeType.CERTIFICATE_VERIFY))
        assert negotiated.peer_signature_algorithm == verify.algorithm
    log = connection.config.key_log
    assert isinstance(log, Log)
    assert log.secrets["CLIENT_TRAFFIC_SECRET_0"] == secret(section, "c ap traffic")["expanded"]
    assert log.secrets["SERVER_TRAFFIC_SECRET_0"] == secret(section, "s ap traffic")["expanded"]
    assert log.secrets["EXPORTER_SECRET"] == secret(section, "exp master")["expanded"]
    state = connection._connected_state()
    assert state.resumption == secret(section, "res master")["expanded"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_what_follows_the_handshake(section: int) -> None:
    """Tickets, data and close_notify, where the trace has them."""
    connection, _ = after_own_flight(section)
    connection.receive(b"".join(step["complete record"] for step in last_flight(section)))
    connection.take_output()

    tickets = [step for step in records(section, "server") if step["payload"][0] == HandshakeType.NEW_SESSION_TICKET]
    assert len(tickets) == (1 if section == SIMPLE else 0)
    for step in tickets:
        connection._apply([Send(step["payload"])], [])
        connection._flush_handshake()
        assert connection.take_output() == step["complete record"]

    received, sent = (records(section, side, "application_data") for side in ("client", "server"))
    assert len(sent) == len(received) == (1 if section == SIMPLE else 0)
    for theirs, mine in zip(received, sent, strict=True):
        assert connection.receive(theirs["complete record"]) == [ApplicationData(theirs["payload"])]
        connection.send(mine["payload"])
        assert connection.take_output() == mine["complete record"]

    (theirs,), (mine,) = (records(section, side, "alert") for side in ("client", "server"))
    assert connection.receive(theirs["complete record"]) == [PeerClosed()]
    connection.close()
    assert connection.take_output() == mine["complete record"]


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_one_bit_in_the_clients_last_record_ends_the_handshake(section: int) -> None:
    connection, _ = after_own_flight(section)
    flight = bytearray(b"".join(step["complete record"] for step in last_flight(section)))
    flight[-1] ^= 1
    with pytest.raises(BadRecordMac):
        connection.receive(flight)
    assert connection.negotiated is None


@pytest.mark.parametrize("section", [*WITHOUT_RETRY, RETRY])
def test_another_transcript_fails_the_clients_finished(section: int) -> None:
    """RFC 8446 §4.4.4: the trace's Finished, which decrypts, is not one of a transcript with one message more."""
    connection, _ = after_own_flight(section)
    connection._transcript.add(b"\x08\0\0\x02\0\0")
    with pytest.raises(DecryptError):
        connection.receive(b"".join(step["complete record"] for step in last_flight(section)))
    assert connection.negotiated is None


def test_early_data_of_a_resumption_is_passed_over() -> None:
    """RFC 8446 §4.2.10: a server that does not know the ticket shakes hands in full, and skips what it cannot open."""
    answer = read(ServerHello, last_hello(RESUMED, "server"))
    random = Queue(private_key(RESUMED, "server"), answer.random)
    settings = config(SIMPLE, "server", random)
    connection = Connection(settings, server_side=True)
    hello, early = records(RESUMED, "client")[:2]
    assert early["complete record"][0] == ContentType.APPLICATION_DATA
    assert connection.receive(hello["complete record"]) == [EarlyDataAnswered(False, "no session was resumed")]
    ours = read(ServerHello, connection.take_output()[5 : 5 + 90])
    assert ExtensionType.PRE_SHARED_KEY not in ours.extensions
    assert ours.extensions[ExtensionType.KEY_SHARE] == answer.extensions[ExtensionType.KEY_SHARE]
    assert connection.receive(early["complete record"]) == []
    assert connection.error is None
    assert connection.take_output() == b""
