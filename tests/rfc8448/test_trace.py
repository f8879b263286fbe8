"""The reader of RFC 8448: what it finds is what is there, so that no step goes untested."""

from __future__ import annotations

import pytest
from rfc8448.trace import (
    CLIENT_AUTHENTICATION,
    COMPATIBILITY,
    RESUMED,
    RETRY,
    SECTIONS,
    SIMPLE,
    messages,
    records,
    steps,
)
from vectors import require


def test_every_byte_string_of_the_traces_is_read() -> None:
    text = require("rfc/rfc8448.txt").read_text()
    body = text[text.index("\n3.  Simple 1-RTT") : text.index("\n8.  Security Considerations")]
    # "0 (all zero octets)" and the like are no byte strings of a length.
    assert sum(len(step.values) for section in SECTIONS for step in steps(section)) >= body.count(" octets):") - 20
    assert sum(len(steps(section)) for section in SECTIONS) == body.count("{client}") + body.count("{server}")


@pytest.mark.parametrize(
    ("section", "client", "server"),
    [
        (SIMPLE, [1, 20], [2, 8, 11, 15, 20, 4]),
        (RESUMED, [1, 5, 20], [2, 8, 20]),
        (RETRY, [1, 1, 20], [2, 2, 8, 11, 15, 20]),
        (CLIENT_AUTHENTICATION, [1, 11, 15, 20], [2, 8, 13, 11, 15, 20]),
        (COMPATIBILITY, [1, 20], [2, 8, 11, 15, 20]),
    ],
)
def test_the_messages_are_those_of_the_handshake(section: int, client: list[int], server: list[int]) -> None:
    assert [raw[0] for raw in messages(section, "client")] == client
    assert [raw[0] for raw in messages(section, "server")] == server


def test_compatibility_mode_has_both_change_cipher_specs() -> None:
    for side in ("client", "server"):
        (record,) = records(COMPATIBILITY, side, "change_cipher_spec")
        assert record["complete record"] == bytes.fromhex("140303000101")
