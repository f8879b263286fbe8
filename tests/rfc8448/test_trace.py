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
    assert sum(len(step.values) for section in SECTIONS for step in steps(section)) == body.count(" octets):")
    assert sum(len(steps(section)) for section in SECTIONS) == body.count("{client}") + body.count("{server}")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_step_without_values_is_the_same_as_the_other_sides(section: int) -> None:
    """What the RFC does not print twice, the peer has: nothing is left out."""
    for step in steps(section):
        assert bool(step.values) is ("(same as " not in step.title), step.title


@pytest.mark.parametrize("section", SECTIONS)
def test_every_record_has_its_header(section: int) -> None:
    for side in ("client", "server"):
        found = records(section, side)
        assert found
        for step in found:
            record = step["complete record"]
            assert record[0] in (20, 21, 22, 23)
            assert int.from_bytes(record[3:5], "big") == len(record) - 5
            if record[0] in (20, 22):
                assert record[5:] == step["payload"]


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
