"""Every group meets every bad share, in both directions: illegal_parameter (RFC 8446 §4.2.8, §7.4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import Pair, client_config, expect, on_message, refused, server_config

from fasttls.crypto.groups import GROUPS
from fasttls.handshake.client import WaitSecondServerHello
from fasttls.wire.alerts import BadRecordMac, IllegalParameter
from fasttls.wire.extensions import KeyShareEntry
from fasttls.wire.iana import ExtensionType, NamedGroup
from fasttls.wire.messages import ClientHello, ServerHello

G = NamedGroup
CLIENT_SIZE = {G.X25519: 32, G.X448: 56, G.SECP256R1: 65, G.SECP384R1: 97, G.SECP521R1: 133, G.X25519MLKEM768: 1216}
SERVER_SIZE = {**CLIENT_SIZE, G.X25519MLKEM768: 1120}

P25519, P448 = 2**255 - 19, 2**448 - 2**224 - 1
NIST_PRIMES = {
    G.SECP256R1: 2**256 - 2**224 + 2**192 + 2**96 - 1,
    G.SECP384R1: 2**384 - 2**128 - 2**96 + 2**32 - 1,
    G.SECP521R1: 2**521 - 1,
}


def test_every_group_is_here() -> None:
    assert set(CLIENT_SIZE) == set(GROUPS)


def montgomery(group: NamedGroup) -> Iterator[tuple[str, bytes]]:
    """Yield u-coordinates of small order, reduced and not (RFC 7748 §5, §7)."""
    prime, size = (P25519, 32) if group == G.X25519 else (P448, 56)
    for name, value in (("0", 0), ("1", 1), ("p-1", prime - 1), ("p", prime), ("p+1", prime + 1)):
        yield name, value.to_bytes(size, "little")
    if group == G.X25519:
        # RFC 7748 §5: the highest bit is ignored, and so cannot hide a zero.
        yield "0 with the high bit", bytes(31) + b"\x80"


def weierstrass(group: NamedGroup) -> Iterator[tuple[str, bytes]]:
    """Yield encodings that are no uncompressed point of the curve (RFC 8446 §4.2.8.2)."""
    size = CLIENT_SIZE[group] // 2
    good = GROUPS[group].offer(None).public
    x, y = good[1 : 1 + size], good[1 + size :]
    prime = NIST_PRIMES[group]
    yield "off the curve", good[:-1] + bytes([good[-1] ^ 1])
    yield "the origin", b"\4" + bytes(2 * size)
    yield "infinity", b"\0"
    yield "infinity, padded", bytes(len(good))
    yield "compressed", bytes([2 + (y[-1] & 1)]) + x
    yield "hybrid form", bytes([6 + (y[-1] & 1)]) + x + y
    yield "x not reduced", b"\4" + prime.to_bytes(size, "big") + y
    yield "y not reduced", b"\4" + x + prime.to_bytes(size, "big")
    yield "another form", b"\5" + x + y


def bad_shares(group: NamedGroup, *, to_server: bool) -> Iterator[tuple[str, bytes]]:
    """Yield what is no share of a group."""
    size = (CLIENT_SIZE if to_server else SERVER_SIZE)[group]
    good = GROUPS[group].offer(None).public
    if not to_server:
        good = GROUPS[group].answer(good, None)[0]
    assert len(good) == size
    yield "one byte", b"\4"
    yield "a byte less", good[:-1]
    yield "a byte more", good + b"\0"
    yield "twice", good * 2
    if group in NIST_PRIMES:
        yield from weierstrass(group)
    elif group == G.X25519MLKEM768:
        for name, point in montgomery(G.X25519):
            yield f"X25519 of {name}", good[:-32] + point
        yield "the halves exchanged", good[-32:] + good[:-32]
        yield "ML-KEM alone", good[:-32]
        yield "X25519 alone", good[-32:]
        if to_server:
            # FIPS 203 §7.2: every coefficient is below q, 3329.
            yield "a coefficient of q", b"\x01\x0d" + good[2:]
            yield "coefficients of 4095", b"\xff" * 1152 + good[1152:]
    else:
        yield from montgomery(group)


def cases(*, to_server: bool) -> list[object]:
    """Return pytest's parameters: a group and a bad share of it."""
    found = []
    for group in CLIENT_SIZE:
        for name, share in bad_shares(group, to_server=to_server):
            halves_at_client = name == "the halves exchanged" and not to_server
            if not halves_at_client:
                found.append(pytest.param(group, share, id=f"{group.name}-{name}"))
    return found


def only(group: NamedGroup) -> dict[str, object]:
    """Return settings for one group."""
    return {"minimum_version": 0x0304, "groups": (group,), "key_shares": (group,)}


@pytest.mark.parametrize(("group", "share"), cases(to_server=True))
def test_in_client_hello(group: NamedGroup, share: bytes) -> None:
    def change(hello: ClientHello) -> None:
        hello.extensions[ExtensionType.KEY_SHARE] = (KeyShareEntry(group, share),)

    alter = on_message(ClientHello, change)
    refused("server", IllegalParameter, alter=alter, client=client_config(**only(group)),
            server=server_config(**only(group)))  # fmt: skip


@pytest.mark.parametrize(("group", "share"), cases(to_server=True))
def test_in_the_second_client_hello(group: NamedGroup, share: bytes) -> None:
    """RFC 8446 §4.1.4: what was asked for is checked as closely."""
    other = G.X25519 if group != G.X25519 else G.SECP256R1
    settings = {"minimum_version": 0x0304, "groups": (other, group), "key_shares": (other,)}

    def change(hello: ClientHello) -> None:
        shares = hello.extensions[ExtensionType.KEY_SHARE]
        if shares[0].group == group:
            hello.extensions[ExtensionType.KEY_SHARE] = (KeyShareEntry(group, share),)

    pair = Pair(client_config(**settings), server_config(**only(group)), client_alters=on_message(ClientHello, change))
    expect(pair, pair.server, IllegalParameter, pair.run)


@pytest.mark.parametrize(("group", "share"), cases(to_server=False))
def test_in_server_hello(group: NamedGroup, share: bytes) -> None:
    def change(hello: ServerHello) -> None:
        hello.extensions[ExtensionType.KEY_SHARE] = KeyShareEntry(group, share)

    alter = on_message(ServerHello, change)
    refused("client", IllegalParameter, alter=alter, client=client_config(**only(group)),
            server=server_config(**only(group)))  # fmt: skip


@pytest.mark.parametrize("place", ["first byte", "last byte", "everything"])
def test_a_ciphertext_that_is_not_for_this_key(place: str) -> None:
    """FIPS 203 §6.3: decapsulation rejects implicitly, with another secret: nothing that follows decrypts."""

    def change(hello: ServerHello) -> None:
        entry = hello.extensions[ExtensionType.KEY_SHARE]
        kem, ecdh = bytearray(entry.key_exchange[:1088]), entry.key_exchange[1088:]
        if place == "everything":
            kem = bytearray(bytes(1088))
        else:
            kem[0 if place == "first byte" else -1] ^= 1
        hello.extensions[ExtensionType.KEY_SHARE] = KeyShareEntry(entry.group, bytes(kem) + ecdh)

    alter = on_message(ServerHello, change)
    settings = only(G.X25519MLKEM768)
    refused("client", BadRecordMac, alter=alter, client=client_config(**settings), server=server_config(**settings),
            readable=False)  # fmt: skip


@pytest.mark.parametrize("group", list(CLIENT_SIZE), ids=lambda group: group.name)
def test_a_share_for_another_group_than_hello_retry_request_named(group: NamedGroup) -> None:
    """RFC 8446 §4.2.8: the ServerHello's group is the one that was asked for."""
    other = G.X25519 if group != G.X25519 else G.SECP256R1
    settings = {"minimum_version": 0x0304, "groups": (other, group), "key_shares": (other,)}

    def change(hello: ServerHello) -> None:
        public = GROUPS[other].offer(None).public
        hello.extensions[ExtensionType.KEY_SHARE] = KeyShareEntry(other, public)

    pair = Pair(client_config(**settings), server_config(**only(group)), server_alters=on_message(ServerHello, change))
    expect(pair, pair.client, IllegalParameter, pair.run, "BAD_KEY_SHARE")
    assert isinstance(pair.client._machine.state, WaitSecondServerHello)


@pytest.mark.parametrize("group", list(CLIENT_SIZE), ids=lambda group: group.name)
def test_the_group_works_when_nobody_meddles(group: NamedGroup) -> None:
    pair = Pair(client_config(**only(group)), server_config(**only(group))).connect()
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.group == group
