"""Every handshake message of RFC 8448's traces is read, and written back byte for byte."""

from __future__ import annotations

import pytest
from rfc8448.trace import SECTIONS, messages

from fasttls.native._wire import Reader
from fasttls.wire.messages import HEADER_SIZE, MESSAGES, HelloRetryRequest, ServerHello

READERS = {int(message.handshake_type): message for message in MESSAGES}


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("section", SECTIONS)
def test_round_trip(section: int, side: str) -> None:
    found = messages(section, side)
    assert found
    for raw in found:
        assert int.from_bytes(raw[1:4], "big") == len(raw) - HEADER_SIZE
        message = READERS[raw[0]].read(Reader(raw, HEADER_SIZE))
        assert message.encode() == raw, type(message).__name__


def test_a_hello_retry_request_is_told_from_a_server_hello() -> None:
    retry, hello = (ServerHello.read(Reader(raw, HEADER_SIZE)) for raw in messages(5, "server")[:2])
    assert isinstance(retry, HelloRetryRequest)
    assert isinstance(hello, ServerHello)
