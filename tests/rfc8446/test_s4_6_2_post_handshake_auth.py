"""A client's certificate after the handshake (RFC 8446 §4.6.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import certs
import pytest
from harness import (
    DATA,
    HANDSHAKE,
    Alter,
    Pair,
    client_config,
    credential,
    expect,
    framed,
    on_message,
    server_config,
    unaltered,
)

from fasttls.events import ApplicationData, HandshakeCompleted, PeerAuthenticated
from fasttls.handshake.config import Limits, PeerCertificate
from fasttls.handshake.connected13 import ServerConnected
from fasttls.handshake.post_auth13 import CannotAsk
from fasttls.wire.alerts import (
    CertificateRequired,
    DecodeError,
    DecryptError,
    IllegalParameter,
    MissingExtension,
    UnexpectedMessage,
)
from fasttls.wire.iana import ExtensionType, HandshakeType, SignatureScheme
from fasttls.wire.messages import Certificate, CertificateRequest, CertificateVerify, Finished

ONLY13 = {"minimum_version": 0x0304}


def asking(
    mode: PeerCertificate = PeerCertificate.REQUIRED,
    *,
    known: bool = True,
    offers: bool = True,
    client_alters: Alter = unaltered,
    **settings: Any,
) -> Pair:
    """Return a connected pair whose client may be asked; known says whether it has a certificate."""
    own = (credential(certs.client_credential()),) if known else ()
    pair = Pair(
        client_config(**ONLY13, post_handshake_auth=offers, credentials=own, **settings),
        server_config(**ONLY13, post_handshake_auth=True, peer_certificate=mode),
        client_alters=client_alters,
    )
    return pair.connect()


def answered(pair: Pair) -> list[object]:
    """Let the server ask, and return what it hears."""
    pair.server.request_certificate()
    pair.client.receive(pair.server.take_output())
    return list(pair.server.receive(pair.client.take_output()))


def works(pair: Pair) -> None:
    """Send data both ways."""
    for sender, receiver in ((pair.client, pair.server), (pair.server, pair.client)):
        sender.send(b"data")
        assert receiver.receive(sender.take_output()) == [ApplicationData(b"data")]


def test_the_handshake_asks_for_nothing_and_the_server_knows_the_client_afterwards() -> None:
    pair = asking()
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.peer_chain == ()
    works(pair)
    (event,) = answered(pair)
    assert isinstance(event, PeerAuthenticated)
    assert event.negotiated is pair.server.negotiated
    assert pair.server.negotiated.peer_chain[0] == certs.client_credential().der
    assert pair.server.negotiated.verified_path[-1].der == certs.test_root().der
    assert pair.server.negotiated.peer_signature_algorithm == SignatureScheme.ECDSA_SECP256R1_SHA256
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.own_signature_algorithm == SignatureScheme.ECDSA_SECP256R1_SHA256
    works(pair)


def test_it_may_be_asked_again() -> None:
    pair = asking()
    for _ in range(3):
        assert [type(event) for event in answered(pair)] == [PeerAuthenticated]
        works(pair)


def test_an_empty_answer_leaves_nothing_of_an_earlier_one() -> None:
    pair = asking(PeerCertificate.OPTIONAL)
    answered(pair)
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.peer_chain
    # The client has its certificate no longer: what it answers with comes from its last state's configuration.
    state = pair.client._machine.state
    poorer = replace(state.inner, config=replace(state.inner.config, credentials=()))
    pair.client._machine.state = replace(state, inner=poorer)
    (event,) = answered(pair)
    assert isinstance(event, PeerAuthenticated)
    assert event.negotiated.peer_chain == event.negotiated.verified_path == ()
    assert event.negotiated.peer_signature_algorithm is None
    assert pair.server.negotiated is event.negotiated


def test_each_request_has_another_context() -> None:
    pair = asking()
    answered(pair)
    answered(pair)
    asked = [
        data for sent, _, data in pair.observed["client"] if not sent and data[0] == HandshakeType.CERTIFICATE_REQUEST
    ]
    assert len({data[5:37] for data in asked}) == 2
    assert all(data[4] == 32 for data in asked)


def test_data_and_key_updates_may_come_between_request_and_answer() -> None:
    pair = asking()
    pair.server.request_certificate()
    request = pair.server.take_output()
    pair.client.send(b"before the request was read")
    pair.client.update_keys(request_peer=True)
    early = pair.client.take_output()
    pair.client.receive(request)
    late = pair.client.take_output()
    assert ApplicationData(b"before the request was read") in pair.server.receive(early)
    # The Finished is made with the traffic secret of the moment (RFC 8446 §4.4).
    assert [type(event) for event in pair.server.receive(late)] == [PeerAuthenticated]
    pair.client.receive(pair.server.take_output())
    works(pair)


def test_the_server_may_send_while_it_waits() -> None:
    pair = asking()
    pair.server.request_certificate()
    pair.server.send(b"meanwhile")
    pair.server.update_keys()
    assert ApplicationData(b"meanwhile") in pair.client.receive(pair.server.take_output())
    assert len(pair.server.export_keying_material(b"x", 16)) == 16
    pair.server.receive(pair.client.take_output())
    works(pair)


def test_a_client_without_a_certificate_is_let_in_where_one_is_optional() -> None:
    pair = asking(PeerCertificate.OPTIONAL, known=False)
    assert [type(event) for event in answered(pair)] == [PeerAuthenticated]
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.peer_chain == ()
    assert pair.server.negotiated.client_certificate_requested
    works(pair)


def test_a_client_without_a_certificate_is_refused_where_one_is_required() -> None:
    pair = asking(known=False)
    pair.server.request_certificate()
    pair.client.receive(pair.server.take_output())
    expect(pair, pair.server, CertificateRequired, lambda: pair.server.receive(pair.client.take_output()))


def test_a_server_does_not_ask_whom_it_may_not() -> None:
    without_offer = asking(offers=False)
    with pytest.raises(CannotAsk, match="post_handshake_auth") as caught:
        without_offer.server.request_certificate()
    assert caught.value.reason == "EXTENSION_NOT_RECEIVED"
    works(without_offer)
    pair = asking()
    with pytest.raises(CannotAsk):
        pair.client.request_certificate()
    pair.server.request_certificate()
    with pytest.raises(CannotAsk) as caught:
        pair.server.request_certificate()
    assert caught.value.reason == "REQUEST_SENT"
    wants_none = asking(PeerCertificate.UNCHECKED)
    with pytest.raises(CannotAsk) as caught:
        wants_none.server.request_certificate()
    assert caught.value.reason == "INVALID_CONFIG"


def test_nobody_asks_before_the_handshake_or_in_tls_1_2() -> None:
    with pytest.raises(ValueError, match="not complete"):
        Pair(client_config(), server_config()).server.request_certificate()
    older = Pair(client_config(maximum_version=0x0303), server_config()).connect()
    with pytest.raises(CannotAsk):
        older.server.request_certificate()


def _request(context: bytes, *, schemes: bool = True) -> bytes:
    extensions = {ExtensionType.SIGNATURE_ALGORITHMS: (SignatureScheme.ECDSA_SECP256R1_SHA256,)} if schemes else {}
    return CertificateRequest(context, extensions).encode()


def test_a_client_that_offered_nothing_refuses_to_be_asked() -> None:
    pair = asking(offers=False)
    pair.server._seal(HANDSHAKE, _request(b"context"))
    expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(pair.server.take_output()))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (_request(b""), IllegalParameter),
        (_request(b"context", schemes=False), MissingExtension),
        (framed(HandshakeType.CERTIFICATE_REQUEST, b"\x01x"), DecodeError),
    ],
    ids=["no context", "no signature_algorithms", "cut short"],
)
def test_a_request_that_is_wrong(request_: bytes, error: type[Exception]) -> None:
    pair = asking()
    pair.server._seal(HANDSHAKE, request_)
    expect(pair, pair.client, error, lambda: pair.client.receive(pair.server.take_output()))  # type: ignore[arg-type]


def test_requests_in_a_row_are_counted_and_data_begins_anew() -> None:
    pair = asking(limits=Limits(certificate_requests=2))
    for _ in range(3):
        answered(pair)
        answered(pair)
        works(pair)
    answered(pair)
    answered(pair)
    pair.server.request_certificate()
    do = lambda: pair.client.receive(pair.server.take_output())  # noqa: E731
    expect(pair, pair.client, UnexpectedMessage, do, "TOO_MANY_CERTIFICATE_REQUESTS")


def another_context(message: Certificate) -> None:
    message.certificate_request_context = bytes(32)


def another_key(message: CertificateVerify) -> None:
    message.signature = message.signature[:-1] + bytes([message.signature[-1] ^ 1])


def another_mac(message: Finished) -> Finished | None:
    message.verify_data = bytes(len(message.verify_data))
    return message


@pytest.mark.parametrize(
    ("alter", "error"),
    [
        (on_message(Certificate, another_context), IllegalParameter),
        (on_message(CertificateVerify, another_key), DecryptError),
    ],
    ids=["context", "signature"],
)
def test_an_answer_that_is_wrong(alter: Alter, error: type[Exception]) -> None:
    pair = asking(client_alters=alter)
    pair.server.request_certificate()
    pair.client.receive(pair.server.take_output())
    expect(pair, pair.server, error, lambda: pair.server.receive(pair.client.take_output()))  # type: ignore[arg-type]
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.peer_chain == ()


def test_a_finished_that_is_wrong() -> None:
    pair = asking()
    pair.client._machine.alter = on_message(Finished, another_mac)  # type: ignore[attr-defined]
    pair.server.request_certificate()
    pair.client.receive(pair.server.take_output())
    do = lambda: pair.server.receive(pair.client.take_output())  # noqa: E731
    expect(pair, pair.server, DecryptError, do, "DIGEST_CHECK_FAILED")
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.peer_chain == ()


def test_an_answer_that_nobody_asked_for() -> None:
    pair = asking()
    pair.client._seal(HANDSHAKE, Certificate(bytes(32), ()).encode())
    expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(pair.client.take_output()))


@pytest.mark.parametrize("before", [CertificateVerify, Finished])
def test_nothing_comes_between_the_messages_of_an_answer(before: type) -> None:
    pair = asking()
    pair.inject("client", DATA, b"between", {before.handshake_type})  # type: ignore[attr-defined]
    pair.server.request_certificate()
    pair.client.receive(pair.server.take_output())
    expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(pair.client.take_output()))


def test_an_answer_to_an_earlier_request_is_none_to_this_one() -> None:
    pair = asking()
    pair.server.request_certificate()
    pair.client.receive(pair.server.take_output())
    pair.server.receive(pair.client.take_output())
    assert isinstance(pair.server._machine.state, ServerConnected)
    pair.server.request_certificate()
    pair.server.take_output()  # which the client never sees
    pair.client._seal(HANDSHAKE, Certificate(bytes(32), ()).encode())
    expect(pair, pair.server, IllegalParameter, lambda: pair.server.receive(pair.client.take_output()), readable=False)


def test_in_tls_1_2_the_certificate_is_asked_for_in_the_handshake() -> None:
    pair = Pair(
        client_config(
            maximum_version=0x0303, post_handshake_auth=True, credentials=(credential(certs.client_credential()),)
        ),
        server_config(post_handshake_auth=True, peer_certificate=PeerCertificate.REQUIRED),
    ).connect()
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.peer_chain[0] == certs.client_credential().der
    assert not any(isinstance(event, HandshakeCompleted) for event in pair.server.undelivered)
