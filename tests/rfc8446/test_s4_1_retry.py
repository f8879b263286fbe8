"""Hellos at the edges: retries that cannot be answered, what a second hello lacks, versions (RFC 8446 §4.1, §9.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness import HANDSHAKE, Alter, Pair, client_config, expect, on_message, record, refused, server_config

from fasttls.wire.alerts import (
    Alert,
    HandshakeFailure,
    IllegalParameter,
    MissingExtension,
    ProtocolVersionAlert,
    TLSError,
    UnsupportedExtension,
)
from fasttls.wire.extensions import OfferedPsks, PskIdentity
from fasttls.wire.iana import CipherSuite, ExtensionType, NamedGroup
from fasttls.wire.messages import ClientHello, HelloRetryRequest, ServerHello

X = ExtensionType
ONLY13 = {"minimum_version": 0x0304}
P256 = {"groups": (NamedGroup.SECP256R1,), "key_shares": (NamedGroup.SECP256R1,)}
TWO_GROUPS = {"groups": (NamedGroup.X25519, NamedGroup.SECP256R1), "key_shares": (NamedGroup.X25519,)}


def retrying(alter: Alter, **client: Any) -> Pair:
    """Return a pair whose server asks for another share, and alters what it sends."""
    return Pair(client_config(**{**TWO_GROUPS, **client}), server_config(**P256), server_alters=alter)


def set_extension(code: int, value: object) -> Callable[[Any], None]:
    """Set an extension, or leave it out when value is None."""

    def change(message: Any) -> None:
        if value is None:
            message.extensions.pop(code, None)
        else:
            message.extensions[code] = value

    return change


def nth_hello(number: int, change: Callable[[Any], object]) -> Alter:
    """Alter one of the ClientHellos, counted from 1."""
    seen: list[int] = []

    def alter(message: bytes) -> tuple[bytes, ...]:
        if message[0] == 1:
            seen.append(1)
            if len(seen) == number:
                return tuple(on_message(ClientHello, change)(message))
        return (message,)

    return alter


class TestCookie:
    """RFC 8446 §4.2.2: the client copies the cookie, whatever its size is allowed to be."""

    @pytest.mark.parametrize("size", [1, 255, 16384, 60000])
    def test_it_comes_back_whole(self, size: int) -> None:
        cookie = bytes(size)
        returned: list[object] = []
        pair = retrying(on_message(HelloRetryRequest, set_extension(X.COOKIE, cookie)))
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        pair.client._alter = on_message(ClientHello, lambda hello: returned.append(hello.extensions[X.COOKIE]))
        pair.client._machine.alter = pair.client._alter  # type: ignore[attr-defined]
        pair.client.receive(pair.server.take_output())
        assert returned == [cookie]

    @pytest.mark.parametrize("size", [65380, 65440])
    def test_one_for_which_there_is_no_room_is_refused_with_an_alert(self, size: int) -> None:
        """It fits the HelloRetryRequest, and not the ClientHello beside the other extensions."""
        pair = retrying(on_message(HelloRetryRequest, set_extension(X.COOKIE, bytes(size))))
        expect(pair, pair.client, Alert, pair.run, readable=False)

    def test_an_empty_one_is_refused(self) -> None:
        alter = on_message(HelloRetryRequest, set_extension(X.COOKIE, b""))
        pair = retrying(alter)
        expect(pair, pair.client, Alert, pair.run, readable=False)

    def test_alone_it_is_answered_with_the_same_shares(self) -> None:
        def only_cookie(retry: HelloRetryRequest) -> None:
            del retry.extensions[X.KEY_SHARE]
            retry.extensions[X.COOKIE] = b"c"

        hellos: list[ClientHello] = []
        pair = Pair(
            client_config(**TWO_GROUPS),
            server_config(**P256),
            server_alters=on_message(HelloRetryRequest, only_cookie),
            client_alters=on_message(ClientHello, hellos.append),
        )
        with pytest.raises(IllegalParameter):
            pair.run()
        first, second = hellos
        assert second.extensions[X.COOKIE] == b"c"
        assert {**second.extensions, X.COOKIE: None} == {**first.extensions, X.COOKIE: None}
        assert (first.random, first.legacy_session_id) == (second.random, second.legacy_session_id)

    def test_in_the_first_hello_it_is_no_way_round_the_retry(self) -> None:
        alter = nth_hello(1, set_extension(X.COOKIE, b"mine"))
        pair = Pair(client_config(**TWO_GROUPS), server_config(**P256, retry_cookie=True), client_alters=alter)
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert type(pair.server._machine.state).__name__ == "WaitSecondClientHello"

    def test_one_that_nobody_gave_is_refused(self) -> None:
        alter = nth_hello(2, set_extension(X.COOKIE, b"mine"))
        pair = Pair(client_config(**TWO_GROUPS), server_config(**P256), client_alters=alter)
        expect(pair, pair.server, IllegalParameter, pair.run)


class TestSecondClientHello:
    @pytest.mark.parametrize("code", [X.KEY_SHARE])
    def test_without_what_it_must_have_it_is_missing_extension(self, code: int) -> None:
        """RFC 8446 §9.2: supported_groups without key_share MUST be answered with missing_extension."""
        pair = Pair(
            client_config(**TWO_GROUPS), server_config(**P256), client_alters=nth_hello(2, set_extension(code, None))
        )
        expect(pair, pair.server, MissingExtension, pair.run)

    @pytest.mark.parametrize("code", [X.SUPPORTED_GROUPS, X.SIGNATURE_ALGORITHMS, X.SUPPORTED_VERSIONS])
    def test_without_what_the_first_had_it_is_refused(self, code: int) -> None:
        pair = Pair(
            client_config(**TWO_GROUPS), server_config(**P256), client_alters=nth_hello(2, set_extension(code, None))
        )
        expect(pair, pair.server, Alert, pair.run)

    def test_with_a_pre_shared_key_and_without_its_modes(self) -> None:
        """RFC 8446 §4.2.9."""
        psk = OfferedPsks((PskIdentity(b"i", 0),), (bytes(32),))
        pair = Pair(
            client_config(**TWO_GROUPS),
            server_config(**P256),
            client_alters=nth_hello(2, set_extension(X.PRE_SHARED_KEY, psk)),
        )
        expect(pair, pair.server, MissingExtension, pair.run)

    def test_padding_may_change(self) -> None:
        """RFC 8446 §4.1.2."""
        alter = nth_hello(2, set_extension(X.PADDING, bytes(77)))
        Pair(client_config(**TWO_GROUPS), server_config(**P256), client_alters=alter).connect()

    def test_a_third_one(self) -> None:
        """After the second one the server waits for other messages, under protection."""
        pair = Pair(client_config(**TWO_GROUPS), server_config(**P256))
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        pair.client.receive(pair.server.take_output())
        hello = pair.client.take_output()
        pair.server.receive(hello)
        raw = [content for mine, _, content in pair.observed["client"] if mine and content[0] == 1][-1]
        expect(pair, pair.server, Alert, lambda: pair.server.receive(record(HANDSHAKE, raw)), readable=False)


class TestVersions:
    """RFC 8446 §4.2.1, Appendix D."""

    @pytest.mark.parametrize("legacy", [0x0301, 0x0302, 0x0303, 0x0304, 0x7F1C, 0xFFFF])
    def test_legacy_version_says_nothing_beside_supported_versions(self, legacy: int) -> None:
        alter = on_message(ClientHello, lambda hello: setattr(hello, "legacy_version", legacy))
        pair = Pair(client_config(**ONLY13), server_config(), client_alters=alter)
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert type(pair.server._machine.state).__name__ == "WaitFinished"

    @pytest.mark.parametrize("legacy", [0x0304, 0x0305, 0x7FFF, 0xFFFF])
    def test_without_the_extension_no_legacy_version_is_tls13(self, legacy: int) -> None:
        def old(hello: ClientHello) -> None:
            del hello.extensions[X.SUPPORTED_VERSIONS]
            hello.legacy_version = legacy

        alter = on_message(ClientHello, old)
        refused("server", ProtocolVersionAlert, alter=alter, server=server_config(**ONLY13))
        pair = Pair(client_config(), server_config(), client_alters=alter)
        with pytest.raises(IllegalParameter) as caught:
            # The server answers with TLS 1.2, marked as what it is: a downgrade.
            pair.run()
        assert pair.client.error is caught.value
        assert caught.value.reason == "INAPPROPRIATE_FALLBACK"

    def test_a_client_of_tls12_that_is_answered_supported_versions(self) -> None:
        """RFC 8446 §4.2, RFC 5246 §7.4.1.4: an extension that was not offered is unsupported_extension."""

        def newer(hello: ServerHello) -> None:
            hello.extensions[X.SUPPORTED_VERSIONS] = 0x0304

        alter = on_message(ServerHello, newer)
        refused("client", UnsupportedExtension, alter=alter, client=client_config(maximum_version=0x0303))

    def test_a_client_of_tls13_alone_and_a_server_of_tls12_alone(self) -> None:
        refused(
            "server", ProtocolVersionAlert, client=client_config(**ONLY13), server=server_config(maximum_version=0x0303)
        )

    def test_fallback_scsv_beside_the_highest_version_is_no_fallback(self) -> None:
        """RFC 7507 §3."""

        def add(hello: ClientHello) -> None:
            hello.cipher_suites += (CipherSuite.TLS_FALLBACK_SCSV,)

        pair = Pair(client_alters=on_message(ClientHello, add)).connect()
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.version == 0x0304


class TestSession:
    @pytest.mark.parametrize("compatible", [True, False])
    @pytest.mark.parametrize("retry", [True, False])
    def test_change_cipher_spec_follows_the_session_id(self, compatible: bool, retry: bool) -> None:
        """RFC 8446 Appendix D.4: a server sends it for a client in compatibility mode alone, once."""
        groups = TWO_GROUPS if retry else {}
        pair = Pair(
            client_config(**groups, compatibility_mode=compatible),
            server_config(**(P256 if retry else {})),
        ).connect()
        for side in ("client", "server"):
            sent = [content for mine, kind, content in pair.observed[side] if mine and kind == 20]
            assert sent == ([b"\1"] if compatible else []), side


def test_no_shares_at_all_cost_a_round_trip() -> None:
    """RFC 8446 §4.2.8: client_shares may be empty."""
    pair = Pair(client_config(**{**TWO_GROUPS, "key_shares": ()}), server_config()).connect()
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.retried


def test_every_tls12_suite_is_none_for_tls13() -> None:
    def only_old(hello: ClientHello) -> None:
        hello.cipher_suites = tuple(code for code in hello.cipher_suites if code >> 8 != 0x13)

    failure = refused("server", HandshakeFailure, "NO_SHARED_CIPHER", alter=on_message(ClientHello, only_old))
    assert failure.alert_sent == 40


@pytest.mark.parametrize("server_side", [True, False])
def test_a_hello_of_the_other_side_is_refused(server_side: bool) -> None:
    """A reflection: each side gets back what it sent, or what its likes send."""
    pair = Pair()
    pair.client.start()
    hello = pair.client.take_output()
    if server_side:
        pair.server.receive(hello)
        answer = pair.server.take_output()
        expect(pair, pair.server, TLSError, lambda: pair.server.receive(answer), readable=False)
    else:
        expect(pair, pair.client, TLSError, lambda: pair.client.receive(hello), readable=False)


def test_shares_in_another_order_than_the_groups_do_not_change_the_choice() -> None:
    """RFC 8446 §4.2.8: a server MAY check the order, and here does not; its own preference decides."""

    def backwards(hello: ClientHello) -> None:
        hello.extensions[X.KEY_SHARE] = hello.extensions[X.KEY_SHARE][::-1]

    pair = Pair(client_alters=on_message(ClientHello, backwards)).connect()
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.group == NamedGroup.X25519MLKEM768
