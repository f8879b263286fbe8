"""A stapled OCSP response in TLS 1.2: CertificateStatus where it was asked for and promised (RFC 6066 §8)."""

from __future__ import annotations

import pytest
from harness import HANDSHAKE, Pair, client_config, expect, framed, on_message, refused, server_config

from fasttls.handshake import client12
from fasttls.handshake.state import State
from fasttls.wire.alerts import DecodeError, IllegalParameter, UnexpectedMessage, UnsupportedExtension
from fasttls.wire.iana import ExtensionType, HandshakeType
from fasttls.wire.messages import ServerHello
from fasttls.wire.messages12 import CertificateStatus

ONLY12 = {"minimum_version": 0x0303, "maximum_version": 0x0303}
EXCHANGES = {"ECDHE": ("p256", 0xC02B), "RSA": ("rsa", 0x009C)}
STATES: dict[str, type[State]] = {
    "ECDHE": client12.WaitStatusOrServerKeyExchange,
    "RSA": client12.WaitStatusOrServerHelloDone,
}
STATUS = CertificateStatus(b"response").encode()
every_exchange = pytest.mark.parametrize("exchange", EXCHANGES)


def stapling(exchange: str, status: bytes | None = STATUS) -> Pair:
    """Return a pair whose server promises to staple, and sends what it is told behind its certificate."""
    kind, suite = EXCHANGES[exchange]
    promise = on_message(ServerHello, lambda m: m.extensions.update({ExtensionType.STATUS_REQUEST: None}))

    def alter(message: bytes) -> tuple[bytes, ...]:
        if message[0] == HandshakeType.CERTIFICATE and status is not None:
            return (message, status)
        return tuple(promise(message))

    return Pair(
        client_config(**ONLY12, suites=(suite,), request_ocsp=True),
        server_config(kind, **ONLY12, suites=(suite,)),
        server_alters=alter,
    )


@every_exchange
def test_the_response_is_handed_on(exchange: str) -> None:
    pair = stapling(exchange).connect()
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.ocsp_response == b"response"


@every_exchange
def test_a_promise_may_be_broken(exchange: str) -> None:
    """RFC 6066 §8: a server may say that it staples, and not do it."""
    pair = stapling(exchange, None).connect()
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.ocsp_response is None


@every_exchange
def test_twice(exchange: str) -> None:
    pair = stapling(exchange, STATUS)
    pair.inject("server", HANDSHAKE, STATUS, {12, 14})
    expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE", readable=exchange == "ECDHE")


@every_exchange
@pytest.mark.parametrize("message", HandshakeType, ids=lambda message: message.name)
def test_a_message_that_the_state_does_not_wait_for(exchange: str, message: HandshakeType) -> None:
    state = STATES[exchange]
    if int(message) in state.readers:
        return
    pair = stapling(exchange, None)
    pair.inject("server", HANDSHAKE, framed(message, b""), {12, 14})
    expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE", readable=False)
    assert type(pair.client._machine.state) is state


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (framed(22, b""), DecodeError),
        (framed(22, b"\1\0\0\0"), DecodeError),
        (framed(22, b"\2\0\0\1x"), IllegalParameter),
        (framed(22, b"\1\0\0\1xy"), DecodeError),
    ],
)
def test_a_malformed_one(status: bytes, error: type[Exception]) -> None:
    pair = stapling("ECDHE", status)
    expect(pair, pair.client, error, pair.run, readable=False)  # type: ignore[arg-type]


def test_one_that_was_not_asked_for() -> None:
    promise = on_message(ServerHello, lambda m: m.extensions.update({ExtensionType.STATUS_REQUEST: None}))
    refused("client", UnsupportedExtension, alter=promise, client=client_config(**ONLY12))
    pair = Pair(client_config(**ONLY12, request_ocsp=True), server_config(**ONLY12))
    pair.inject("server", HANDSHAKE, STATUS, {12})
    expect(pair, pair.client, UnexpectedMessage, pair.run, "UNEXPECTED_MESSAGE")
