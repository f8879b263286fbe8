"""Where each message keeps its extension block, so that any block can be rewritten byte by byte."""

from __future__ import annotations

from collections.abc import Callable

from harness import Alter, extension_block, framed, read_block

from fasttls.wire.extensions import Carrier
from fasttls.wire.iana import HandshakeType
from fasttls.wire.messages import HELLO_RETRY_REQUEST_RANDOM

Block = list[tuple[int, bytes]]

MESSAGE_OF = {
    Carrier.CLIENT_HELLO: HandshakeType.CLIENT_HELLO,
    Carrier.SERVER_HELLO: HandshakeType.SERVER_HELLO,
    Carrier.HELLO_RETRY_REQUEST: HandshakeType.SERVER_HELLO,
    Carrier.ENCRYPTED_EXTENSIONS: HandshakeType.ENCRYPTED_EXTENSIONS,
    Carrier.CERTIFICATE: HandshakeType.CERTIFICATE,
    Carrier.CERTIFICATE_REQUEST: HandshakeType.CERTIFICATE_REQUEST,
    Carrier.NEW_SESSION_TICKET: HandshakeType.NEW_SESSION_TICKET,
}


def _skip(body: bytes, at: int, size_bytes: int) -> int:
    """Return where the vector at a place ends."""
    return at + size_bytes + int.from_bytes(body[at : at + size_bytes], "big")


def block_start(carrier: Carrier, body: bytes) -> int:
    """Return where the (first) extension block of a body begins (RFC 8446 §4.1 to §4.6)."""
    match carrier:
        case Carrier.CLIENT_HELLO:
            return _skip(body, _skip(body, _skip(body, 34, 1), 2), 1)
        case Carrier.SERVER_HELLO | Carrier.HELLO_RETRY_REQUEST:
            return _skip(body, 34, 1) + 3
        case Carrier.CERTIFICATE:
            return _skip(body, 1 + body[0] + 3, 3)
        case Carrier.CERTIFICATE_REQUEST:
            return 1 + body[0]
        case Carrier.NEW_SESSION_TICKET:
            return _skip(body, _skip(body, 8, 1), 2)
        case _:
            return 0


def rewrite(carrier: Carrier, body: bytes, change: Callable[[Block], Block]) -> bytes:
    """Return a body with another extension block, and lengths that fit it."""
    start = block_start(carrier, body)
    end = _skip(body, start, 2)
    changed = body[:start] + extension_block(change(read_block(body[start:end]))) + body[end:]
    if carrier is Carrier.CERTIFICATE:
        at = 1 + body[0]
        return changed[:at] + (len(changed) - at - 3).to_bytes(3, "big") + changed[at + 3 :]
    return changed


def in_block(carrier: Carrier, change: Callable[[Block], Block]) -> Alter:
    """Alter the extension block of the first message of that kind that carries one."""
    done: list[bool] = []

    def alter(message: bytes) -> tuple[bytes, ...]:
        body = message[4:]
        if message[0] != MESSAGE_OF[carrier] or done:
            return (message,)
        if carrier is Carrier.HELLO_RETRY_REQUEST and body[2:34] != HELLO_RETRY_REQUEST_RANDOM:
            return (message,)
        done.append(True)
        return (framed(message[0], rewrite(carrier, body, change)),)

    return alter
