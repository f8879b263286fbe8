"""ClientHello, ServerHello and HelloRetryRequest that are not what they must be (RFC 8446 §4.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness import (
    HANDSHAKE,
    Alter,
    Pair,
    client_config,
    expect,
    framed,
    on_message,
    on_type,
    record,
    refused,
    server_config,
)

from fasttls.wire.alerts import (
    DecodeError,
    HandshakeFailure,
    IllegalParameter,
    InappropriateFallback,
    MissingExtension,
    ProtocolVersionAlert,
    TLSError,
    UnexpectedMessage,
    UnsupportedExtension,
)
from fasttls.wire.extensions import KeyShareEntry, OfferedPsks, PskIdentity
from fasttls.wire.iana import CipherSuite, ExtensionType, NamedGroup
from fasttls.wire.messages import ClientHello, HelloRetryRequest, ServerHello

X = ExtensionType
P256 = {"groups": (NamedGroup.SECP256R1,), "key_shares": (NamedGroup.SECP256R1,)}
P384 = {"groups": (NamedGroup.SECP384R1,), "key_shares": (NamedGroup.SECP384R1,)}


def hello(change: Callable[[Any], object]) -> Alter:
    """Alter the ClientHello."""
    return on_message(ClientHello, change)


def extension(code: int, value: object) -> Callable[[Any], None]:
    """Set an extension, or leave it out when value is None."""

    def change(message: Any) -> None:
        if value is None:
            del message.extensions[code]
        else:
            message.extensions[code] = value

    return change


def attribute(name: str, value: object) -> Callable[[Any], None]:
    """Set a field."""
    return lambda message: setattr(message, name, value)


def shares(*entries: tuple[int, bytes]) -> Callable[[Any], None]:
    """Offer these key shares."""
    return extension(X.KEY_SHARE, tuple(KeyShareEntry(*entry) for entry in entries))


def psk_first(message: Any) -> None:
    """Put pre_shared_key before the others."""
    offered = OfferedPsks((PskIdentity(b"i", 0),), (bytes(32),))
    message.extensions = {X.PRE_SHARED_KEY: offered, **message.extensions}


def early_data(message: Any) -> None:
    """Add early_data, whose value is nothing."""
    message.extensions[X.EARLY_DATA] = None


CLIENT_HELLOS: list[tuple[str, Alter, type[TLSError], str | None]] = [
    ("compression", hello(attribute("legacy_compression_methods", b"\1\0")), IllegalParameter, None),
    ("no null compression", hello(attribute("legacy_compression_methods", b"\1")), IllegalParameter, None),
    ("SSL 3", hello(attribute("legacy_version", 0x0300)), ProtocolVersionAlert, None),
    ("SSL 2", hello(attribute("legacy_version", 0x0002)), ProtocolVersionAlert, None),
    ("no version in common", hello(extension(X.SUPPORTED_VERSIONS, (0x7F1C, 0x0302))), ProtocolVersionAlert, None),
    ("no suite in common", hello(attribute("cipher_suites", (0x1399, 0x00FF))), HandshakeFailure, "NO_SHARED_CIPHER"),
    (
        "no group in common",
        hello(lambda h: h.extensions.update({X.SUPPORTED_GROUPS: (0x0100,), X.KEY_SHARE: ()})),
        HandshakeFailure,
        "NO_SUITABLE_GROUPS",
    ),
    ("without supported_groups", hello(extension(X.SUPPORTED_GROUPS, None)), MissingExtension, None),
    ("without key_share", hello(extension(X.KEY_SHARE, None)), MissingExtension, None),
    ("without signature_algorithms", hello(extension(X.SIGNATURE_ALGORITHMS, None)), MissingExtension, None),
    (
        "no signature scheme in common",
        hello(extension(X.SIGNATURE_ALGORITHMS, (0x0201, 0x0807))),
        HandshakeFailure,
        "NO_SUITABLE_SIGNATURE_ALGORITHM",
    ),
    (
        "PKCS#1 signatures alone",
        hello(extension(X.SIGNATURE_ALGORITHMS, (0x0401, 0x0501, 0x0601))),
        HandshakeFailure,
        "NO_SUITABLE_SIGNATURE_ALGORITHM",
    ),
    ("a duplicate share", hello(shares((29, bytes(32)), (29, bytes(32)))), IllegalParameter, None),
    ("a share that is not offered", hello(shares((0x9999, bytes(32)))), IllegalParameter, "BAD_KEY_SHARE"),
    ("an X25519 share that is too short", hello(shares((29, bytes(31)))), IllegalParameter, None),
    ("an X25519 share that is too long", hello(shares((29, bytes(33)))), IllegalParameter, None),
    ("an all-zero X25519 share", hello(shares((29, bytes(32)))), IllegalParameter, None),
    ("an X25519 share of order 1", hello(shares((29, b"\1" + bytes(31)))), IllegalParameter, None),
    ("an all-zero X448 share", hello(shares((30, bytes(56)))), IllegalParameter, None),
    ("a P-256 point off the curve", hello(shares((23, b"\4" + bytes(63) + b"\1"))), IllegalParameter, None),
    ("a compressed P-256 point", hello(shares((23, b"\2" + bytes(32)))), IllegalParameter, None),
    ("the P-256 point at infinity", hello(shares((23, b"\0"))), IllegalParameter, None),
    ("an ML-KEM share that is too short", hello(shares((0x11EC, bytes(1215)))), IllegalParameter, None),
    ("an ML-KEM key out of range", hello(shares((0x11EC, b"\xff" * 1216))), IllegalParameter, None),
    ("an empty share", on_type(1, lambda body: body.replace(b"\0\x1d\0\x20", b"\0\x1d\0\0", 1)), DecodeError, None),
    ("pre_shared_key that is not last", hello(psk_first), IllegalParameter, None),
    ("early_data without pre_shared_key", hello(early_data), MissingExtension, None),
    ("server_name that is no name", hello(extension(X.SERVER_NAME, b"\xff\xfe")), TLSError, None),
    ("trailing bytes", on_type(1, lambda body: body + b"\0"), DecodeError, None),
    ("nothing", on_type(1, lambda body: b""), DecodeError, None),
    ("cut short", on_type(1, lambda body: body[:-1]), DecodeError, None),
    ("a session id of 33 bytes", on_type(1, lambda b: b[:34] + b"\x21" + b[35:67] + b"\0" + b[67:]), DecodeError, None),
    ("no suites", on_type(1, lambda b: b[:67] + b"\0\0" + b[-500:]), DecodeError, None),
]


@pytest.mark.parametrize(
    ("alter", "error", "reason"), [case[1:] for case in CLIENT_HELLOS], ids=[case[0] for case in CLIENT_HELLOS]
)
def test_client_hello(alter: Alter, error: type[TLSError], reason: str | None) -> None:
    refused("server", error, reason, alter=alter)


def other_group(message: Any) -> None:
    """Answer with a share of a group that the client offered without a share."""
    message.extensions[X.KEY_SHARE] = KeyShareEntry(NamedGroup.SECP256R1, b"\4" + bytes(64))


SERVER_HELLOS: list[tuple[str, Alter, type[TLSError], str | None]] = [
    ("a suite that was not offered", attribute("cipher_suite", 0x1305), IllegalParameter, "WRONG_CIPHER_RETURNED"),
    ("a suite of TLS 1.2", attribute("cipher_suite", 0xC02B), IllegalParameter, "WRONG_CIPHER_RETURNED"),
    ("compression", attribute("legacy_compression_method", 1), IllegalParameter, "INVALID_COMPRESSION_ALGORITHM"),
    ("another session id", attribute("legacy_session_id_echo", bytes(32)), IllegalParameter, "INVALID_SESSION_ID"),
    ("no session id", attribute("legacy_session_id_echo", b""), IllegalParameter, "INVALID_SESSION_ID"),
    ("legacy_version of TLS 1.1", attribute("legacy_version", 0x0302), IllegalParameter, None),
    ("legacy_version of TLS 1.3", attribute("legacy_version", 0x0304), IllegalParameter, None),
    ("an earlier version in supported_versions", extension(X.SUPPORTED_VERSIONS, 0x0303), IllegalParameter, None),
    ("an unknown version", extension(X.SUPPORTED_VERSIONS, 0x0305), IllegalParameter, None),
    ("without key_share", extension(X.KEY_SHARE, None), MissingExtension, None),
    ("a share of a group without one", other_group, IllegalParameter, "BAD_KEY_SHARE"),
    ("ALPN in the clear", extension(X.ALPN, b"h2"), UnsupportedExtension, None),
    ("extended_master_secret", lambda m: m.extensions.update({X.EXTENDED_MASTER_SECRET: None}), IllegalParameter, None),
    ("renegotiation_info", extension(X.RENEGOTIATION_INFO, b""), IllegalParameter, None),
    ("pre_shared_key", extension(X.PRE_SHARED_KEY, 0), UnsupportedExtension, None),
    ("an unknown extension", extension(0x7777, b""), UnsupportedExtension, None),
]


@pytest.mark.parametrize(
    ("change", "error", "reason"), [case[1:] for case in SERVER_HELLOS], ids=[case[0] for case in SERVER_HELLOS]
)
def test_server_hello(change: Any, error: type[TLSError], reason: str | None) -> None:
    refused("client", error, reason, alter=on_message(ServerHello, change), readable=False)


@pytest.mark.parametrize(
    "share",
    [
        (NamedGroup.X25519MLKEM768, bytes(1119)),
        (NamedGroup.X25519MLKEM768, bytes(1121)),
        (NamedGroup.X25519MLKEM768, bytes(1120)),  # the X25519 half is all zeros
        (NamedGroup.X25519, bytes(32)),
        (NamedGroup.X25519, bytes(31)),
        (NamedGroup.X25519, b"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\xda\x09\x8d\xeb\x9c\x32"
         b"\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00"),
    ],
)  # fmt: skip
def test_a_server_share_that_leads_to_no_secret(share: tuple[int, bytes]) -> None:
    """RFC 8446 §4.2.8, §7.4.2."""
    alter = on_message(ServerHello, extension(X.KEY_SHARE, KeyShareEntry(*share)))
    refused("client", IllegalParameter, alter=alter, readable=False)


@pytest.mark.parametrize("body", [lambda b: b + b"\0", lambda b: b[:-1], lambda b: b""])
def test_a_malformed_server_hello(body: Callable[[bytes], bytes]) -> None:
    refused("client", DecodeError, alter=on_type(2, body), readable=False)


@pytest.mark.parametrize("sentinel", [b"DOWNGRD\x01", b"DOWNGRD\x00"])
def test_the_downgrade_sentinel(sentinel: bytes) -> None:
    """RFC 8446 §4.1.3: a server that can do TLS 1.3 says so when it is made to answer in another version."""

    def downgrade(message: ServerHello) -> ServerHello:
        return ServerHello(message.random[:-8] + sentinel, b"", 0xC02B, {X.RENEGOTIATION_INFO: b""})

    alter = on_message(ServerHello, downgrade)
    refused("client", IllegalParameter, "INAPPROPRIATE_FALLBACK", alter=alter, readable=False)


def test_fallback_scsv() -> None:
    """RFC 7507 §3."""

    def fall_back(message: ClientHello) -> None:
        message.extensions[X.SUPPORTED_VERSIONS] = (0x0303,)
        message.cipher_suites += (CipherSuite.TLS_FALLBACK_SCSV,)

    refused("server", InappropriateFallback, alter=hello(fall_back))


class TestHelloRetryRequest:
    """RFC 8446 §4.1.4."""

    CLIENT = client_config(groups=(NamedGroup.X25519, NamedGroup.SECP256R1), key_shares=(NamedGroup.X25519,))

    def refused(self, error: type[TLSError], change: Callable[[Any], object], reason: str | None = None) -> None:
        alter = on_message(HelloRetryRequest, change)
        pair = Pair(self.CLIENT, server_config(**P256), server_alters=alter)
        expect(pair, pair.client, error, pair.run, reason, readable=False)

    def test_for_a_group_that_was_not_offered(self) -> None:
        self.refused(IllegalParameter, extension(X.KEY_SHARE, NamedGroup.SECP384R1), "BAD_KEY_SHARE")

    def test_for_a_group_whose_share_was_sent(self) -> None:
        self.refused(IllegalParameter, extension(X.KEY_SHARE, NamedGroup.X25519), "BAD_KEY_SHARE")

    def test_that_changes_nothing(self) -> None:
        self.refused(IllegalParameter, extension(X.KEY_SHARE, None))

    def test_without_supported_versions(self) -> None:
        self.refused(MissingExtension, extension(X.SUPPORTED_VERSIONS, None))

    def test_with_an_extension_that_was_not_offered(self) -> None:
        self.refused(UnsupportedExtension, extension(0x7777, b""))

    def test_with_another_session_id(self) -> None:
        self.refused(IllegalParameter, attribute("legacy_session_id_echo", b""), "INVALID_SESSION_ID")

    def test_with_a_suite_that_was_not_offered(self) -> None:
        self.refused(IllegalParameter, attribute("cipher_suite", 0x1305), "WRONG_CIPHER_RETURNED")

    def test_a_second_one(self) -> None:
        sent: list[bytes] = []

        def twice(message: bytes) -> list[bytes]:
            if message[0] == 2:
                sent.append(message)
                return [sent[0]]
            return [message]

        pair = Pair(self.CLIENT, server_config(**P256), server_alters=twice)
        expect(pair, pair.client, UnexpectedMessage, pair.run, readable=False)

    def test_a_server_hello_with_another_suite(self) -> None:
        change = attribute("cipher_suite", 0x1303)
        pair = Pair(self.CLIENT, server_config(**P256), server_alters=on_message(ServerHello, change))
        expect(pair, pair.client, IllegalParameter, pair.run, "WRONG_CIPHER_RETURNED", readable=False)

    def test_a_server_hello_with_another_group(self) -> None:
        change = extension(X.KEY_SHARE, KeyShareEntry(NamedGroup.X25519, bytes(range(32))))
        pair = Pair(self.CLIENT, server_config(**P256), server_alters=on_message(ServerHello, change))
        expect(pair, pair.client, IllegalParameter, pair.run, "BAD_KEY_SHARE", readable=False)

    def test_a_server_hello_of_tls12(self) -> None:
        def older(message: ServerHello) -> ServerHello:
            return ServerHello(message.random, b"", 0xC02B, {X.RENEGOTIATION_INFO: b""})

        pair = Pair(self.CLIENT, server_config(**P256), server_alters=on_message(ServerHello, older))
        expect(pair, pair.client, IllegalParameter, pair.run, readable=False)

    def test_the_cookie_comes_back(self) -> None:
        pair = Pair(self.CLIENT, server_config(**P256, retry_cookie=True)).connect()
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.retried
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.retried
        assert pair.server.negotiated.group == NamedGroup.SECP256R1


def second(change: Callable[[Any], object]) -> Alter:
    """Alter the second ClientHello alone."""
    seen: list[int] = []

    def alter(message: bytes) -> tuple[bytes, ...]:
        if message[0] == 1:
            seen.append(1)
            if len(seen) == 2:
                return tuple(on_message(ClientHello, change)(message))
        return (message,)

    return alter


SECOND_HELLOS: list[tuple[str, Callable[[Any], object]]] = [
    ("another random", attribute("random", bytes(32))),
    ("another session id", attribute("legacy_session_id", bytes(32))),
    ("other suites", lambda h: setattr(h, "cipher_suites", h.cipher_suites[:1])),
    ("another server name", extension(X.SERVER_NAME, b"other.example")),
    ("other groups", extension(X.SUPPORTED_GROUPS, (23,))),
    ("without the cookie", extension(X.COOKIE, None)),
    ("another cookie", extension(X.COOKIE, b"x")),
    ("the same share as before", shares((29, bytes(range(32))))),
    ("two shares", shares((29, bytes(range(32))), (23, b"\4" + bytes(64)))),
    ("no share", shares()),
    ("early_data", early_data),
    ("one more extension", extension(0x7777, b"")),
]


@pytest.mark.parametrize("change", [case[1] for case in SECOND_HELLOS], ids=[case[0] for case in SECOND_HELLOS])
def test_a_second_client_hello_that_is_not_the_first(change: Callable[[Any], object]) -> None:
    """RFC 8446 §4.1.2, §4.2.8: only what was asked for may change."""
    pair = Pair(TestHelloRetryRequest.CLIENT, server_config(**P256, retry_cookie=True), client_alters=second(change))
    expect(pair, pair.server, IllegalParameter, pair.run)


def test_a_client_that_ignores_hello_retry_request() -> None:
    pair = Pair(TestHelloRetryRequest.CLIENT, server_config(**P256))
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    pair.client._seal(HANDSHAKE, framed(20, bytes(32)))
    expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(pair.client.take_output()), readable=False)


def test_any_record_version_is_taken_before_the_version_is_known() -> None:
    """RFC 8446 §5.1: legacy_record_version is ignored."""
    for version in (0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x03FF):
        pair = Pair()
        pair.client.start()
        pair.client.take_output()
        raw = pair.observed["client"][0][2]
        pair.server.receive(record(HANDSHAKE, raw, version))
        assert pair.server.take_output()
