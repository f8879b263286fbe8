"""ECDHE with a pre-shared key in TLS 1.2: RFC 5489, and the AEAD suites of RFC 7905 and RFC 8442."""

from __future__ import annotations

from typing import Any

import pytest
from harness import HANDSHAKE, Pair, client_config, expect, framed, on_message, on_type, server_config

from fasttls.crypto.suites12 import SUITES12, KeyExchange
from fasttls.handshake import client12, server12
from fasttls.handshake.psk12 import PskKeyExchange, PskParams
from fasttls.handshake.state import State
from fasttls.native._secret import Secret
from fasttls.sessions.psk import ExternalPsk
from fasttls.wire.alerts import (
    DecodeError,
    HandshakeFailure,
    IllegalParameter,
    TLSError,
    UnexpectedMessage,
    UnknownPskIdentity,
)
from fasttls.wire.iana import HandshakeType, NamedGroup
from fasttls.wire.messages12 import ClientKeyExchange, ServerKeyExchange

ONLY12 = {"minimum_version": 0x0303, "maximum_version": 0x0303}
SUITES = tuple(code for code, suite in SUITES12.items() if suite.key_exchange is KeyExchange.ECDHE_PSK)
IDENTITY = b"client 7"


def psk(secret: bytes = b"0123456789abcdef", identity: bytes = IDENTITY) -> ExternalPsk:
    return ExternalPsk(identity, Secret(secret))


def pair(
    suite: int = SUITES[0],
    ours: ExternalPsk | None = None,
    *,
    client: dict[str, Any] | None = None,
    server: dict[str, Any] | None = None,
    **alters: Any,
) -> Pair:
    """Return a pair that has a key in common, or not, and a suite for it."""
    known = psk()
    return Pair(
        client_config(**ONLY12, suites=(suite,), external_psks=(ours or known,), psk_only=True, **client or {}),
        server_config(
            **ONLY12,
            suites=(suite,),
            find_psk=lambda identity: known if identity == known.identity else None,
            **server or {},
        ),
        **alters,
    )


@pytest.mark.parametrize("suite", SUITES)
def test_the_key_stands_for_certificates(suite: int) -> None:
    connected = pair(suite).connect()
    for end in (connected.client, connected.server):
        assert end.negotiated is not None
        assert end.negotiated.suite == suite
        assert end.negotiated.psk_identity == IDENTITY
        assert end.negotiated.peer_chain == ()
        assert end.negotiated.extended_master_secret
    exported = [end.export_keying_material(b"EXPORTER-test", 16) for end in (connected.client, connected.server)]
    assert exported[0] == exported[1]


@pytest.mark.parametrize("group", [NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP521R1])
def test_every_curve_goes_with_it(group: int) -> None:
    chosen = {"groups": (group,), "key_shares": (group,)}
    connected = pair(client=chosen, server=chosen).connect()
    assert connected.client.negotiated is not None
    assert connected.client.negotiated.group == group


def test_identity_that_is_not_known_is_told() -> None:
    """RFC 4279 §2: unknown_psk_identity."""
    stranger = pair(ours=psk(identity=b"nobody"))
    expect(stranger, stranger.server, UnknownPskIdentity, stranger.run, "UNKNOWN_PSK_IDENTITY")


def test_another_key_does_not_finish() -> None:
    other = pair(ours=psk(b"another key"))
    # The client's first record under the keys does not decrypt at the server.
    with pytest.raises(TLSError) as caught:
        other.run()
    assert other.client.negotiated is None
    assert other.server.negotiated is None
    assert caught.value is other.server.error


def test_hint_reaches_the_client() -> None:
    told: list[str | None] = []

    def choose(hint: str | None) -> tuple[ExternalPsk, ...]:
        told.append(hint)
        return (psk(),)

    known = psk()
    Pair(
        client_config(**ONLY12, suites=(SUITES[0],), make_psks=choose),
        server_config(**ONLY12, suites=(SUITES[0],), find_psk=lambda _: known, psk_identity_hint="main door"),
    ).connect()
    assert told == ["main door"]


def test_server_that_takes_a_certificate_instead_is_refused() -> None:
    """A key that is declined never falls through to a connection that it does not protect."""
    certified = 0xC02B
    declined = Pair(
        client_config(**ONLY12, suites=(SUITES[0], certified), external_psks=(psk(),), psk_only=True),
        server_config(**ONLY12, suites=(certified,)),
    )
    expect(declined, declined.client, HandshakeFailure, declined.run, "PSK_DECLINED")


def test_suites_are_offered_with_a_key_alone() -> None:
    without = client_config(**ONLY12, suites=(SUITES[0], 0xC02B))
    assert without.offered_suites == (0xC02B,)
    with pytest.raises(ValueError, match="no cipher suite"):
        client_config(**ONLY12, suites=(SUITES[0],))


def test_imported_keys_are_for_tls_1_3() -> None:
    """RFC 9258 §4."""
    imported = ExternalPsk.imported_from(IDENTITY, Secret(b"0123456789abcdef"))
    refusing = pair(ours=imported)
    expect(refusing, refusing.client, HandshakeFailure, refusing.run, "PSK_NO_CLIENT_CB")


SERVER_BODIES = {
    "empty": b"",
    "hint cut short": b"\0\5abc",
    "no parameters": b"\0\0",
    "explicit curve": b"\0\0\1\0\x1d\1a",
    "point cut short": b"\0\0\3\0\x1d\x20abc",
    "empty point": b"\0\0\3\0\x1d\0",
    "trailing byte": PskParams(b"", NamedGroup.X25519, b"\7" * 32).encode() + b"\0",
}


@pytest.mark.parametrize("body", SERVER_BODIES.values(), ids=SERVER_BODIES)
def test_malformed_server_key_exchange(body: bytes) -> None:
    bad = pair(server_alters=on_type(HandshakeType.SERVER_KEY_EXCHANGE, lambda _: body))
    wanted = IllegalParameter if body == SERVER_BODIES["explicit curve"] else DecodeError
    expect(bad, bad.client, wanted, bad.run)


CLIENT_BODIES = {"empty": b"", "identity cut short": b"\0\5abc", "no point": b"\0\1a", "trailing byte": b"\0\1a\1b\0"}


@pytest.mark.parametrize("body", CLIENT_BODIES.values(), ids=CLIENT_BODIES)
def test_malformed_client_key_exchange(body: bytes) -> None:
    bad = pair(client_alters=on_type(HandshakeType.CLIENT_KEY_EXCHANGE, lambda _: body))
    expect(bad, bad.server, DecodeError, bad.run)


def test_curve_that_was_not_offered() -> None:
    def other(message: ServerKeyExchange) -> None:
        message.body = PskParams(b"", NamedGroup.FFDHE2048, b"\7" * 32).encode()

    bad = pair(server_alters=on_message(ServerKeyExchange, other))
    expect(bad, bad.client, IllegalParameter, bad.run, "WRONG_CURVE")


def test_point_of_all_zeros() -> None:
    def zeros(message: ClientKeyExchange) -> None:
        message.body = PskKeyExchange(IDENTITY, bytes(32)).message().body

    bad = pair(
        client={"groups": (NamedGroup.X25519,), "key_shares": (NamedGroup.X25519,)},
        client_alters=on_message(ClientKeyExchange, zeros),
    )
    expect(bad, bad.server, IllegalParameter, bad.run)


STATES: dict[type[State], str] = {
    client12.WaitPskServerKeyExchange: "client",
    client12.WaitPskServerHelloDone: "client",
    server12.WaitPskKeyExchange: "server",
}
CROSSED = [(state, message) for state in STATES for message in HandshakeType if int(message) not in state.readers]


@pytest.mark.parametrize(("state", "message"), CROSSED)
def test_every_state_refuses_every_other_message(state: type[State], message: HandshakeType) -> None:
    crossing = pair()
    victim = getattr(crossing, STATES[state])
    attacker = "server" if STATES[state] == "client" else "client"
    crossing.inject(attacker, HANDSHAKE, framed(message, b""), state.readers)
    expect(crossing, victim, UnexpectedMessage, crossing.run, "UNEXPECTED_MESSAGE", readable=False)
    assert type(victim._machine.state) is state
