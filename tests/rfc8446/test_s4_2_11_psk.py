"""Pre-shared keys in the hellos: binders, modes, the choice, external keys (RFC 8446 §4.2.9, §4.2.11, RFC 9258).

A tampering client computes its binders over what it sends, so that a server meets the fault that is tested alone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from harness import (
    Pair,
    client_config,
    expect,
    extension_block,
    framed,
    on_message,
    read_block,
    refused,
    server_config,
)
from rfc8446.resuming import (
    ONLY13,
    Clock,
    Key,
    bind,
    client_and_server,
    exchange,
    go_on,
    hellos,
    left_by,
    offering,
    offers_psk,
    resumed,
    sent_types,
    tickets_of,
)
from sessions import carry

from fasttls.crypto.suites import SUITES
from fasttls.handshake.config import Config
from fasttls.native._secret import Secret
from fasttls.sessions.psk import ExternalPsk
from fasttls.sessions.session import Session
from fasttls.wire.alerts import (
    DecodeError,
    DecryptError,
    HandshakeFailure,
    IllegalParameter,
    MissingExtension,
    TLSError,
    UnexpectedMessage,
    UnknownPskIdentity,
    UnsupportedExtension,
)
from fasttls.wire.extensions import OfferedPsks
from fasttls.wire.iana import ExtensionType, HandshakeType, NamedGroup, PskKeyExchangeMode
from fasttls.wire.messages import ClientHello, EncryptedExtensions, ServerHello

X = ExtensionType
KE, DHE = PskKeyExchangeMode.PSK_KE, PskKeyExchangeMode.PSK_DHE_KE
SHA256, SHA384 = 0x1301, 0x1302
IDENTITY = b"sensor 7"
SECRET = b"0123456789abcdef"
P384_ONLY = {"groups": (NamedGroup.SECP384R1,), "key_shares": (NamedGroup.SECP384R1,)}


def flipped(binder: bytes) -> bytes:
    return bytes([binder[0] ^ 1]) + binder[1:]


@pytest.fixture(scope="module")
def left() -> tuple[Config, Config, Session]:
    """Return a client, a server and the session that a connection of theirs left, for SHA-256."""
    client, server = client_and_server(**ONLY13)
    session = left_by(client, replace(server, suites=(SHA256,)))
    return client, server, session


Left = tuple[Config, Config, Session]


class TestBinders:
    """RFC 8446 §4.2.11.2."""

    def test_those_that_the_tests_compute_are_right(self, left: Left) -> None:
        """Else nothing below would mean anything."""
        client, server, session = left
        pair = Pair(replace(client, psk_modes=(DHE,)), server, client_alters=offering([Key.of(session)]))
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert HandshakeType.CERTIFICATE not in sent_types(pair.server, pair)

    def test_ours_are_those_that_the_tests_compute(self, left: Left) -> None:
        client, server, session = left
        pair = go_on(client, server, session)
        (hello,) = hellos(pair)
        sent = next(raw for mine, _, raw in pair.observed["client"] if mine and raw[0] == 1)
        (age,) = (one.obfuscated_ticket_age for one in hello.extensions[X.PRE_SHARED_KEY].identities)
        key = Key.of(session)
        key.age = age
        assert bind(hello, [key]) == sent

    @pytest.mark.parametrize(
        "spoil", [flipped, lambda b: bytes(32), lambda b: b[:-1] + bytes([b[-1] ^ 0x80]), lambda b: b[::-1]]
    )
    def test_a_wrong_one_is_decrypt_error(self, left: Left, spoil: Callable[[bytes], bytes]) -> None:
        """RFC 8446 §4.2.11: if it does not validate, the server MUST abort."""
        client, server, session = left
        alter = offering([Key.of(session, spoil=spoil)])
        refused("server", DecryptError, "BINDER_DOES_NOT_VERIFY", alter=alter, client=client, server=server)

    @pytest.mark.parametrize("label", [b"ext binder", b"imp binder"])
    def test_one_under_another_label_is_decrypt_error(self, left: Left, label: bytes) -> None:
        client, server, session = left
        key = Key(session.ticket, Secret(session.secret), "sha256", label)
        refused("server", DecryptError, alter=offering([key]), client=client, server=server)

    def test_one_over_another_hello_is_decrypt_error(self, left: Left) -> None:
        """Somebody on the path who takes the extension into a hello of its own."""
        client, server, session = left

        def change(hello: ClientHello) -> None:
            hello.random = bytes(32)

        pair = Pair(client, server, session=session, client_alters=on_message(ClientHello, change))
        expect(pair, pair.server, DecryptError, pair.run)

    def test_one_that_was_not_computed_anew_after_hello_retry_request(self, left: Left) -> None:
        client, server, session = left
        first: list[tuple[bytes, ...]] = []

        def change(hello: ClientHello) -> None:
            offered = hello.extensions[X.PRE_SHARED_KEY]
            first.append(offered.binders)
            hello.extensions[X.PRE_SHARED_KEY] = OfferedPsks(offered.identities, first[0])

        alters = on_message(ClientHello, change)
        pair = Pair(client, replace(server, **P384_ONLY), session=session, client_alters=alters)
        expect(pair, pair.server, DecryptError, pair.run, readable=False)
        assert len(first) == 2

    @pytest.mark.parametrize("more", [b"\0", b"\0" * 16])
    def test_one_that_is_too_long_for_the_hash(self, left: Left, more: bytes) -> None:
        client, server, session = left

        def change(hello: ClientHello) -> None:
            offered = hello.extensions[X.PRE_SHARED_KEY]
            hello.extensions[X.PRE_SHARED_KEY] = OfferedPsks(offered.identities, (offered.binders[0] + more,))

        pair = Pair(client, server, session=session, client_alters=on_message(ClientHello, change))
        expect(pair, pair.server, DecryptError, pair.run)

    @pytest.mark.parametrize("size", [0, 1, 31])
    def test_one_of_less_than_32_bytes_does_not_decode(self, left: Left, size: int) -> None:
        client, server, session = left

        def change(hello: ClientHello) -> None:
            offered = hello.extensions[X.PRE_SHARED_KEY]
            hello.extensions[X.PRE_SHARED_KEY] = OfferedPsks(offered.identities, (bytes(size),))

        pair = Pair(client, server, session=session, client_alters=on_message(ClientHello, change))
        expect(pair, pair.server, DecodeError, pair.run)

    @pytest.mark.parametrize(("identities", "binders"), [(1, 2), (2, 1), (3, 2)])
    def test_another_number_than_identities(self, left: Left, identities: int, binders: int) -> None:
        """RFC 8446 §4.2.11: one for each identity."""
        client, server, session = left

        def change(hello: ClientHello) -> None:
            offered = hello.extensions[X.PRE_SHARED_KEY]
            hello.extensions[X.PRE_SHARED_KEY] = OfferedPsks(offered.identities * identities, offered.binders * binders)

        pair = Pair(client, server, session=session, client_alters=on_message(ClientHello, change))
        expect(pair, pair.server, IllegalParameter, pair.run)

    def test_only_that_of_the_chosen_key_is_checked(self, left: Left) -> None:
        client, server, session = left
        keys = [Key.of(session), Key(b"unknown", bytes(32), spoil=flipped)]
        pair = Pair(client, server, session=session, client_alters=offering(keys))
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert HandshakeType.CERTIFICATE not in sent_types(pair.server, pair)


MALFORMED = {
    "empty": b"",
    "no identities": b"\0\0" + b"\0\x21\x20" + bytes(32),
    "an empty identity": b"\0\x06\0\0\0\0\0\0" + b"\0\x21\x20" + bytes(32),
    "no binders": b"\0\x07\0\1a\0\0\0\0\0\0",
    "binders cut short": b"\0\x07\0\1a\0\0\0\0\0\x21\x20" + bytes(31),
    "trailing bytes": b"\0\x07\0\1a\0\0\0\0\0\x21\x20" + bytes(33),
    "identities cut short": b"\0\x08\0\1a\0\0\0\0\0\0\x21\x20" + bytes(32),
}


def raw_extensions(change: Callable[[list[tuple[int, bytes]]], list[tuple[int, bytes]]]) -> Callable:
    """Alter the extensions of the first ClientHello as bytes."""

    def alter(message: bytes) -> tuple[bytes, ...]:
        if message[0] != HandshakeType.CLIENT_HELLO:
            return (message,)
        start = 4 + 2 + 32
        start += 1 + message[start]
        start += 2 + int.from_bytes(message[start : start + 2], "big")
        start += 1 + message[start]
        return (framed(1, message[4:start] + extension_block(change(read_block(message[start:])))),)

    return alter


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed(left: Left, body: bytes) -> None:
    client, server, _ = left
    alter = raw_extensions(lambda found: [*found, (X.PRE_SHARED_KEY, body)])
    refused("server", DecodeError, alter=alter, client=client, server=server)


@pytest.mark.parametrize("code", [0x7777, X.PADDING, X.COOKIE])
def test_it_is_the_last_extension(left: Left, code: int) -> None:
    """RFC 8446 §4.2.11: else illegal_parameter."""
    client, server, session = left
    body = {X.COOKIE: b"\0\1a"}.get(code, b"")  # type: ignore[call-overload]
    pair = Pair(client, server, session=session, client_alters=raw_extensions(lambda found: [*found, (code, body)]))
    expect(pair, pair.server, IllegalParameter, pair.run)


def test_it_is_there_once(left: Left) -> None:
    client, server, session = left
    pair = Pair(client, server, session=session, client_alters=raw_extensions(lambda found: [*found, found[-1]]))
    expect(pair, pair.server, IllegalParameter, pair.run)


class TestModes:
    """RFC 8446 §4.2.9."""

    def test_without_the_extension_it_is_missing_extension(self, left: Left) -> None:
        client, server, session = left
        alter = offering([Key.of(session)], lambda hello: hello.extensions.pop(X.PSK_KEY_EXCHANGE_MODES))
        refused("server", MissingExtension, alter=alter, client=client, server=server)

    def test_without_any_mode_it_does_not_decode(self, left: Left) -> None:
        client, server, _ = left
        alter = raw_extensions(
            lambda found: [(code, b"\0" if code == X.PSK_KEY_EXCHANGE_MODES else body) for code, body in found]
        )
        refused("server", DecodeError, alter=alter, client=client, server=server)

    @pytest.mark.parametrize("modes", [(KE,), (7,), (255, KE)])
    def test_modes_that_the_server_does_not_have_make_a_full_handshake(
        self, left: Left, modes: tuple[int, ...]
    ) -> None:
        client, server, session = left
        assert not resumed(go_on(replace(client, psk_modes=modes), server, session))

    @pytest.mark.parametrize("modes", [(7, DHE), (KE, DHE), (DHE, DHE)])
    def test_unknown_ones_are_passed_over(self, left: Left, modes: tuple[int, ...]) -> None:
        client, server, session = left
        pair = go_on(replace(client, psk_modes=modes), server, session)
        assert resumed(pair)
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.group is not None

    def test_a_key_alone_where_both_sides_are_set_to_it(self, left: Left) -> None:
        client, server, session = left
        pair = go_on(replace(client, psk_modes=(KE,)), replace(server, psk_modes=(KE,)), session)
        assert resumed(pair)
        for end in (pair.client, pair.server):
            assert end.negotiated is not None
            assert end.negotiated.group is None

    def test_diffie_hellman_goes_before_a_key_alone(self, left: Left) -> None:
        client, server, session = left
        both = {"psk_modes": (KE, DHE)}
        pair = go_on(replace(client, **both), replace(server, **both), session)
        assert resumed(pair)
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.group is not None

    def test_a_key_alone_needs_no_group_in_common(self, left: Left) -> None:
        client, server, session = left
        both = {"psk_modes": (KE, DHE)}
        pair = go_on(
            replace(client, **both),
            replace(
                server,
                **both,
                **P384_ONLY,
            ),
            session,
        )
        assert resumed(pair)
        lonely = {"groups": (NamedGroup.X25519,), "key_shares": (NamedGroup.X25519,)}
        pair = go_on(replace(client, **both, **lonely), replace(server, **both, **P384_ONLY), session)
        assert resumed(pair)
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.group is None

    def test_a_server_with_a_key_alone_and_a_client_without(self, left: Left) -> None:
        client, server, session = left
        assert not resumed(go_on(client, replace(server, psk_modes=(KE,)), session))

    def test_a_client_that_cannot_use_a_ticket_gets_none(self, left: Left) -> None:
        """RFC 8446 §4.2.9: servers SHOULD NOT send tickets for modes that the client does not have."""
        client, server, _ = left
        assert tickets_of(carry(Pair(replace(client, psk_modes=(KE,)), server))) == []


class TestTheServersChoice:
    """What a client refuses in a ServerHello (RFC 8446 §4.2.11: illegal_parameter)."""

    @staticmethod
    def refuses(left: Left, change: Callable[[Any], object], error: type[TLSError], **more: Any) -> TLSError:
        client, server, session = left
        client = replace(client, **more.pop("client", {}))
        server = replace(server, **more.pop("server", {}))
        pair = Pair(client, server, session=session, server_alters=on_message(ServerHello, change))
        return expect(pair, pair.client, error, pair.run, **more)

    @pytest.mark.parametrize("selected", [1, 2, 0xFFFF])
    def test_an_identity_out_of_range(self, left: Left, selected: int) -> None:
        def change(hello: ServerHello) -> None:
            hello.extensions[X.PRE_SHARED_KEY] = selected

        self.refuses(left, change, IllegalParameter)

    def test_a_suite_with_another_hash(self, left: Left) -> None:
        def change(hello: ServerHello) -> None:
            hello.cipher_suite = SHA384

        self.refuses(left, change, IllegalParameter)

    def test_no_key_share_where_one_was_required(self, left: Left) -> None:
        """RFC 8446 §4.2.11: a key_share must be present if the modes require it, else illegal_parameter."""

        def change(hello: ServerHello) -> None:
            del hello.extensions[X.KEY_SHARE]

        self.refuses(left, change, IllegalParameter)

    def test_a_key_share_where_a_key_alone_was_offered(self, left: Left) -> None:
        client, server, session = left

        def pretend(hello: ClientHello) -> None:
            hello.extensions[X.PSK_KEY_EXCHANGE_MODES] = (DHE,)

        # The client's states believe that it offered psk_ke alone; the wire says otherwise.
        pair = Pair(
            replace(client, psk_modes=(KE,)),
            server,
            session=session,
            client_alters=offering([Key.of(session)], pretend),
        )
        expect(pair, pair.client, IllegalParameter, pair.run)

    def test_a_key_that_was_not_offered(self, left: Left) -> None:
        client, server, _ = left

        def change(hello: ServerHello) -> None:
            hello.extensions[X.PRE_SHARED_KEY] = 0

        pair = Pair(client, server, server_alters=on_message(ServerHello, change))
        expect(pair, pair.client, UnsupportedExtension, pair.run)

    def test_a_key_that_the_server_does_not_have(self, left: Left) -> None:
        """It says that it goes on with the session, and cannot: nothing that it sends decrypts."""
        client, server, session = left

        def change(hello: ServerHello) -> None:
            hello.extensions[X.PRE_SHARED_KEY] = 0

        stranger = replace(server, resumption=False)
        pair = Pair(client, stranger, session=session, server_alters=on_message(ServerHello, change))
        expect(pair, pair.client, TLSError, pair.run, readable=False)
        assert not pair.client.connected

    @pytest.mark.parametrize("message", [HandshakeType.CERTIFICATE, HandshakeType.CERTIFICATE_REQUEST])
    def test_a_certificate_behind_a_key(self, left: Left, message: int) -> None:
        """RFC 8446 §4.4.2: only where no pre-shared key authenticates."""
        client, server, session = left
        pair = Pair(client, server, session=session)
        pair.inject("server", 22, framed(message, bytes(4)), {HandshakeType.FINISHED})
        expect(pair, pair.client, UnexpectedMessage, pair.run, readable=False)

    def test_early_data_that_was_not_offered(self, left: Left) -> None:
        client, server, session = left

        def change(message: EncryptedExtensions) -> None:
            message.extensions[X.EARLY_DATA] = None

        pair = Pair(client, server, session=session, server_alters=on_message(EncryptedExtensions, change))
        expect(pair, pair.client, UnsupportedExtension, pair.run, readable=False)


class TestSeveralKeys:
    """A client may offer several; the server takes the first that it can use."""

    def test_an_unknown_one_goes_before(self, left: Left) -> None:
        client, server, session = left
        answers: list[int] = []

        def look(hello: ServerHello) -> None:
            answers.append(hello.extensions[X.PRE_SHARED_KEY])

        keys = [Key(b"unknown", bytes(32), spoil=flipped), Key.of(session)]
        pair = Pair(client, server, client_alters=offering(keys), server_alters=on_message(ServerHello, look))
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert answers == [1]

    def test_one_for_another_hash_goes_before(self, left: Left) -> None:
        """The first with a hash of a suite in common."""
        client, server, session = left
        other = left_by(client, replace(server, suites=(SHA384,)))
        answers: list[int] = []

        def look(hello: ServerHello) -> None:
            answers.append(hello.extensions[X.PRE_SHARED_KEY])

        pair = Pair(
            client,
            replace(server, suites=(SHA256,)),
            client_alters=offering([Key.of(other), Key.of(session)]),
            server_alters=on_message(ServerHello, look),
        )
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert answers == [1]

    @pytest.mark.parametrize("number", [8, 9, 200])
    def test_a_server_looks_at_a_few_and_no_more(self, left: Left, number: int) -> None:
        client, server, session = left
        keys = [Key(bytes([n]), bytes(32)) for n in range(number)]
        pair = Pair(client, server, client_alters=offering([*keys, Key.of(session)]))
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert HandshakeType.CERTIFICATE in sent_types(pair.server, pair)

    def test_after_hello_retry_request_those_of_its_hash_alone(self, left: Left) -> None:
        """RFC 8446 §4.1.2, §4.2.11: keys for another hash than the suite's are not offered again."""
        client, server, session = left
        other = ExternalPsk(b"for sha384", Secret(SECRET), "sha384")
        pair = go_on(replace(client, external_psks=(other,)), replace(server, suites=(SHA384,), **P384_ONLY), session)
        first, second = (hello.extensions[X.PRE_SHARED_KEY].identities for hello in hellos(pair))
        assert [one.identity for one in first] == [session.ticket, b"for sha384"]
        assert [one.identity for one in second] == [b"for sha384"]
        assert not resumed(pair)


class TestAge:
    """RFC 8446 §4.2.11.1."""

    @pytest.mark.parametrize("seconds", [0, 0.5, 59.999, 7000])
    @pytest.mark.parametrize("add", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
    def test_arithmetic(self, left: Left, seconds: float, add: int) -> None:
        session = replace(left[2], age_add=add, created=1_700_000_000.0)
        told = session.obfuscated_age(session.created + seconds)
        assert 0 <= told < 1 << 32
        assert abs((told - add) % (1 << 32) - seconds * 1000) <= 1
        assert abs(session.age(told) - seconds) <= 0.001

    def test_in_the_hello(self) -> None:
        clock = Clock()
        client, server = client_and_server(**ONLY13, now=clock)
        session = left_by(client, server)
        clock.now += 1234.5
        pair = go_on(client, server, session)
        (identity,) = hellos(pair)[0].extensions[X.PRE_SHARED_KEY].identities
        assert identity.identity == session.ticket
        assert abs((identity.obfuscated_ticket_age - session.age_add) % 2**32 - 1_234_500) <= 1

    @pytest.mark.parametrize("age", [0, 1, 0xFFFFFFFF])
    def test_a_wrong_one_does_not_keep_from_going_on(self, left: Left, age: int) -> None:
        """It is for early data alone."""
        client, server, session = left
        key = Key.of(session)
        key.age = age
        pair = Pair(client, server, client_alters=offering([key]))
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        assert HandshakeType.CERTIFICATE not in sent_types(pair.server, pair)


def external(hash_name: str = "sha256", *, imported: bool = False, identity: bytes = IDENTITY) -> ExternalPsk:
    if imported:
        return ExternalPsk.imported_from(identity, Secret(SECRET), b"context", hash_name=hash_name)
    return ExternalPsk(identity, Secret(SECRET), hash_name)


def knowing(*psks: ExternalPsk, **more: Any) -> Config:
    """Return a server that knows some keys; it has a certificate too."""
    table = {psk.identity: psk for psk in psks}
    return server_config(**{**ONLY13, "find_psk": table.get, **more})


def having(*psks: ExternalPsk, **more: Any) -> Config:
    return client_config(**{**ONLY13, "external_psks": psks, **more})


def used(pair: Pair) -> bytes | None:
    """Return the identity that both sides say they used."""
    assert pair.client.negotiated is not None
    assert pair.server.negotiated is not None
    assert pair.client.negotiated.psk_identity == pair.server.negotiated.psk_identity
    assert not pair.client.negotiated.resumed
    return pair.client.negotiated.psk_identity


class TestExternal:
    """Keys from outside of TLS (RFC 8446 §2.2, RFC 9258)."""

    @pytest.mark.parametrize("hash_name", ["sha256", "sha384"])
    @pytest.mark.parametrize("imported", [False, True], ids=["plain", "imported"])
    def test_the_hash_of_the_key_chooses_the_suite(self, hash_name: str, imported: bool) -> None:
        psk = external(hash_name, imported=imported)
        pair = Pair(having(psk), knowing(psk)).connect()
        exchange(pair)
        assert used(pair) == psk.identity
        assert pair.client.negotiated is not None
        assert SUITES[pair.client.negotiated.suite].hash_name == hash_name
        assert pair.client.negotiated.peer_chain == ()
        assert pair.client.negotiated.group is not None
        (identity,) = hellos(pair)[0].extensions[X.PRE_SHARED_KEY].identities
        assert identity.obfuscated_ticket_age == 0  # RFC 8446 §4.2.11: SHOULD be 0

    def test_after_hello_retry_request(self) -> None:
        psk = external()
        pair = Pair(having(psk), knowing(psk, **P384_ONLY)).connect()
        exchange(pair)
        assert used(pair) == IDENTITY
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.retried

    def test_without_diffie_hellman_where_both_are_set_to_it(self) -> None:
        psk = external()
        pair = Pair(having(psk, psk_modes=(KE,)), knowing(psk, psk_modes=(KE,))).connect()
        exchange(pair)
        assert used(pair) == IDENTITY
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.group is None

    def test_an_unknown_identity_falls_back_to_a_certificate_that_is_verified(self) -> None:
        pair = Pair(having(external()), knowing()).connect()
        exchange(pair)
        assert used(pair) is None
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.verified_path

    def test_an_unknown_identity_and_a_server_without_a_certificate(self) -> None:
        pair = Pair(having(external()), knowing(credentials=()))
        expect(pair, pair.server, TLSError, pair.run)

    def test_a_server_of_keys_alone_tells_an_unknown_identity(self) -> None:
        """RFC 8446 §6.2: unknown_psk_identity."""
        for client in (having(external()), client_config(**ONLY13)):
            pair = Pair(client, knowing(psk_only=True))
            expect(pair, pair.server, UnknownPskIdentity, pair.run, "UNKNOWN_PSK_IDENTITY")

    @pytest.mark.parametrize("retry", [{}, P384_ONLY], ids=["", "retried"])
    def test_a_client_of_keys_alone_takes_no_certificate(self, retry: dict[str, Any]) -> None:
        """A key that is declined never falls through to a connection that it does not protect."""
        pair = Pair(having(external(), psk_only=True), knowing(**retry))
        expect(pair, pair.client, HandshakeFailure, pair.run, "PSK_DECLINED", readable=False)
        assert not pair.server.connected

    def test_a_client_of_keys_alone_whose_keys_do_not_go_with_the_retrys_suite(self) -> None:
        """A HelloRetryRequest that makes all keys unfit is a way to decline them."""
        pair = Pair(having(external(), psk_only=True), knowing(suites=(SHA384,), **P384_ONLY))
        expect(pair, pair.client, HandshakeFailure, pair.run, "PSK_DECLINED", readable=False)

    def test_a_client_of_keys_alone_without_any(self) -> None:
        with pytest.raises(HandshakeFailure, match="no pre-shared key"):
            Pair(having(psk_only=True)).client.start()

    def test_another_secret_is_decrypt_error(self) -> None:
        other = ExternalPsk(IDENTITY, Secret(b"another"))
        pair = Pair(having(external()), knowing(other))
        expect(pair, pair.server, DecryptError, pair.run, "BINDER_DOES_NOT_VERIFY")

    def test_plain_and_imported_keys_have_labels_of_their_own(self) -> None:
        """RFC 9258 §5.2: the binders differ, though identity and secret are the same."""
        imported = external(imported=True)
        plain = ExternalPsk(imported.identity, Secret(imported.secret))
        for one, other in ((plain, imported), (imported, plain)):
            pair = Pair(having(one), knowing(other))
            expect(pair, pair.server, DecryptError, pair.run)

    def test_the_first_of_several_that_the_server_knows(self) -> None:
        keys = [external(identity=name) for name in (b"a", b"b", b"c")]
        pair = Pair(having(*keys), knowing(*keys[1:])).connect()
        assert used(pair) == b"b"

    def test_imported_for_both_hashes(self) -> None:
        """RFC 9258 §4: one for each hash, and the server's suite decides."""
        keys = [external(name, imported=True) for name in ("sha256", "sha384")]
        for suite, psk in ((SHA256, keys[0]), (SHA384, keys[1])):
            pair = Pair(having(*keys), knowing(*keys, suites=(suite,))).connect()
            assert used(pair) == psk.identity

    def test_it_leaves_no_session(self) -> None:
        psk = external()
        pair = Pair(having(psk, resumption=True), knowing(psk, resumption=True, ticket_keys=_keys()))
        assert tickets_of(carry(pair)) == []
        assert used(pair) == IDENTITY

    def test_a_session_goes_before_it(self, left: Left) -> None:
        client, server, session = left
        psk = external()
        pair = go_on(replace(client, external_psks=(psk,)), replace(server, find_psk=lambda _: psk), session)
        assert resumed(pair)

    def test_it_serves_when_the_session_is_not_known_any_more(self, left: Left) -> None:
        client, server, session = left
        psk = external()
        known = {psk.identity: psk}
        pair = Pair(
            replace(client, external_psks=(psk,)),
            replace(server, find_psk=known.get, ticket_keys=_keys()),
            session=session,
        ).connect()
        assert offers_psk(pair)
        assert used(pair) == IDENTITY

    def test_a_suite_of_its_hash_must_be_in_common(self) -> None:
        psk = external("sha384")
        pair = Pair(having(psk), knowing(psk, suites=(SHA256,))).connect()
        assert used(pair) is None

    @pytest.mark.parametrize("identity", [b"", bytes(65536)])
    def test_identities_have_a_byte_and_not_too_many(self, identity: bytes) -> None:
        with pytest.raises(ValueError, match="identity"):
            ExternalPsk(identity, Secret(SECRET))

    def test_what_is_no_key(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            ExternalPsk(IDENTITY, Secret(b""))
        with pytest.raises(ValueError, match="md5"):
            ExternalPsk(IDENTITY, Secret(SECRET), "md5")
        with pytest.raises(ValueError, match="md5"):
            ExternalPsk.imported_from(IDENTITY, Secret(SECRET), hash_name="md5")

    def test_nothing_secret_is_shown(self) -> None:
        assert SECRET.decode() not in repr(external())
        assert "sensor" not in repr(external())


def _keys() -> Any:
    from fasttls.sessions.keys import MemoryTicketKeys

    return MemoryTicketKeys()


def expand_label(hash_name: str, secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 §7.1), from hmac alone."""
    full = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(full)]) + full + bytes([len(context)]) + context
    made, block, count = b"", b"", 1
    while len(made) < size:
        block = hmac.new(secret, block + info + bytes([count]), hash_name).digest()
        made, count = made + block, count + 1
    return made[:size]


@pytest.mark.parametrize("context", [b"", b"context"])
@pytest.mark.parametrize("own_hash", ["sha256", "sha384"])
@pytest.mark.parametrize(("hash_name", "kdf"), [("sha256", 1), ("sha384", 2)])
def test_an_imported_key_is_derived_as_the_rfc_says(hash_name: str, kdf: int, own_hash: str, context: bytes) -> None:
    """RFC 9258 §5.1: ImportedIdentity, and epskx, which is extracted with the key's own hash."""
    imported = ExternalPsk.imported_from(IDENTITY, Secret(SECRET), context, hash_name=hash_name, own_hash=own_hash)
    identity = b"\0" + bytes([len(IDENTITY)]) + IDENTITY + b"\0" + bytes([len(context)]) + context
    identity += b"\3\4" + kdf.to_bytes(2, "big")
    assert imported.identity == identity
    zeros = bytes(hashlib.new(own_hash).digest_size)
    extracted = hmac.new(zeros, SECRET, own_hash).digest()
    size = hashlib.new(hash_name).digest_size
    hashed = hashlib.new(own_hash, identity).digest()
    assert bytes(imported.secret) == expand_label(own_hash, extracted, b"derived psk", hashed, size)
    assert imported.imported
    assert imported.hash_name == hash_name
