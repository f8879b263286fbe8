"""A peer may send long lists, and say the same again and again: what it costs to read them is bounded."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from harness import Pair, client_config, on_message, server_config

from fasttls.handshake.config import PeerCertificate
from fasttls.wire.alerts import TLSError
from fasttls.wire.iana import ExtensionType, ProtocolVersion
from fasttls.wire.messages import CertificateRequest, ClientHello

SECONDS = 2.0
"""What a message of 64 KiB may take; where the lists were gone through together, it took 100."""

Change = Callable[[Any], object]

TLS1_2, TLS1_3 = ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_3
SCHEMES, AUTHORITIES, GROUPS = (
    ExtensionType.SIGNATURE_ALGORITHMS,
    ExtensionType.CERTIFICATE_AUTHORITIES,
    ExtensionType.SUPPORTED_GROUPS,
)
NOT_A_NAME = (b"x",) * 10000
A_NAME = tuple(b"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02%02d" % (number % 100) for number in range(3000))


def long(suites: tuple[int, ...] = (), **lists: tuple[Any, ...]) -> Change:
    """Return what puts these lists in a message."""
    codes = {"schemes": SCHEMES, "authorities": AUTHORITIES, "groups": GROUPS}

    def change(message: Any) -> None:
        message.extensions = {**message.extensions, **{codes[name]: value for name, value in lists.items()}}
        if suites:
            message.cipher_suites = suites

    return change


HELLOS_13 = {
    "schemes and no names": long(schemes=(0x0403,) * 10000, authorities=NOT_A_NAME),
    "schemes and names": long(schemes=(0x0403,) * 5000, authorities=A_NAME),
    "every scheme and names": long(schemes=tuple(range(0x0200, 0x1200)), authorities=A_NAME),
    "groups": long(groups=(0x001D, *range(0x3000, 0xA000))),
    "suites": long(suites=(0x1301,) * 30000),
}

HELLOS_12 = {
    "suites and no names": long(suites=(0xC02B, 0xC02F) * 5000, authorities=NOT_A_NAME),
    "suites and schemes": long(suites=(0xC02B, 0xC02F) * 8000, schemes=(0x0203,) * 14000),
    "suites and groups": long(suites=(0xC02B, 0xC02F, 0x009E) * 5000, groups=(0x4A4A,) * 15000),
    "suites": long(suites=(*range(0x1000, 0x7000), 0xC02B)),
}


def cost(pair: Pair) -> float:
    """Return the CPU seconds of a handshake, whatever becomes of it."""
    began = time.process_time()
    with contextlib.suppress(TLSError):
        pair.run()
    return time.process_time() - began


@pytest.mark.parametrize("prefers", [True, False], ids=["server's order", "client's order"])
@pytest.mark.parametrize("change", HELLOS_13.values(), ids=HELLOS_13)
def test_client_hello_of_tls13(change: Change, prefers: bool) -> None:
    server = server_config(prefer_server_suites=prefers)
    pair = Pair(client_config(minimum_version=TLS1_3), server, client_alters=on_message(ClientHello, change))
    assert cost(pair) < SECONDS


@pytest.mark.parametrize("prefers", [True, False], ids=["server's order", "client's order"])
@pytest.mark.parametrize("change", HELLOS_12.values(), ids=HELLOS_12)
def test_client_hello_of_tls12(change: Change, prefers: bool) -> None:
    server = server_config(prefer_server_suites=prefers, maximum_version=TLS1_2)
    pair = Pair(client_config(maximum_version=TLS1_2), server, client_alters=on_message(ClientHello, change))
    assert cost(pair) < SECONDS


@pytest.mark.parametrize("names", [NOT_A_NAME, A_NAME], ids=["no names", "names"])
def test_certificate_request_of_tls13(names: tuple[bytes, ...]) -> None:
    change = long(schemes=(0x0403,) * 5000, authorities=names)
    server = server_config(peer_certificate=PeerCertificate.OPTIONAL)
    pair = Pair(client_config(), server, server_alters=on_message(CertificateRequest, change))
    assert cost(pair) < SECONDS
