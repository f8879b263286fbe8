"""What a handshake agreed on, read from the server's bytes: version, suite, group, and whether it was resumed.

It is read from the wire, since not every library tells its group and each tells the rest in its own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fasttls.wire.iana import CipherSuite, ContentType, ExtensionType, HandshakeType, NamedGroup, name_of

_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446 section 4.1.3
_NAMED_CURVE = 3


class Agreed(NamedTuple):
    """What a server chose."""

    version: str
    suite: str
    group: str | None
    resumed: bool


def agreed(stream: bytes) -> Agreed:
    """Read what a server sent. Raises ValueError when there is no ServerHello, or a HelloRetryRequest before it."""
    messages = list(_messages(stream))
    if not messages or messages[0][0] != HandshakeType.SERVER_HELLO:
        raise ValueError("the server sent no ServerHello")
    hello = messages[0][1]
    if hello[2:34] == _RETRY:
        raise ValueError("the server asked for another ClientHello")
    after_id = 35 + hello[34]
    suite = name_of(CipherSuite, int.from_bytes(hello[after_id : after_id + 2], "big"))
    extensions = dict(_extensions(hello[after_id + 3 :]))
    share = extensions.get(ExtensionType.KEY_SHARE)
    if ExtensionType.SUPPORTED_VERSIONS in extensions:
        group = None if share is None else _group(share)
        return Agreed("TLSv1.3", suite, group, ExtensionType.PRE_SHARED_KEY in extensions)
    exchanges = [body for kind, body in messages if kind == HandshakeType.SERVER_KEY_EXCHANGE]
    group = _group(exchanges[0][1:]) if exchanges and exchanges[0][0] == _NAMED_CURVE else None
    return Agreed("TLSv1.2", suite, group, all(kind != HandshakeType.CERTIFICATE for kind, _ in messages))


def _group(data: bytes) -> str:
    return name_of(NamedGroup, int.from_bytes(data[:2], "big"))


def _messages(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and body of each handshake message before encryption begins."""
    plain, position = bytearray(), 0
    while position + 5 <= len(stream) and stream[position] == ContentType.HANDSHAKE:
        size = int.from_bytes(stream[position + 3 : position + 5], "big")
        plain += stream[position + 5 : position + 5 + size]
        position += 5 + size
    while len(plain) >= 4:
        size = int.from_bytes(plain[1:4], "big")
        yield plain[0], bytes(plain[4 : 4 + size])
        del plain[: 4 + size]


def _extensions(block: bytes) -> Iterator[tuple[int, bytes]]:
    position, end = 2, 2 + int.from_bytes(block[:2], "big")
    while position < end:
        kind, size = (int.from_bytes(block[position + at : position + at + 2], "big") for at in (0, 2))
        yield kind, block[position + 4 : position + 4 + size]
        position += 4 + size
