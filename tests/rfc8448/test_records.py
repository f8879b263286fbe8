"""Every protected record of RFC 8448's traces, sealed and opened byte for byte (RFC 8446 §5.2, §5.3).

The keys are made from the secrets that the trace derives, by the functions that a connection calls; records of one
key are taken in order, since the sequence number is in the nonce.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rfc8448.trace import CLIENT_AUTHENTICATION, COMPATIBILITY, RESUMED, RETRY, SECTIONS, SIMPLE, Step, records, secret

from fasttls.crypto.protection import opener13, sealer13
from fasttls.crypto.suites import SUITES
from fasttls.native._protection import Opener, PlainOpener, PlainSealer, Sealer
from fasttls.native._record import HEADER_SIZE
from fasttls.native._secret import Secret
from fasttls.wire.alerts import BadRecordMac
from fasttls.wire.iana import CipherSuite, ContentType, HandshakeType

SUITE = SUITES[CipherSuite.TLS_AES_128_GCM_SHA256]
TYPES = {
    "handshake": ContentType.HANDSHAKE,
    "application_data": ContentType.APPLICATION_DATA,
    "alert": ContentType.ALERT,
    "change_cipher_spec": ContentType.CHANGE_CIPHER_SPEC,
}
# How many records each side protects, so that none is passed over unseen.
PROTECTED = {
    (SIMPLE, "client"): 3,
    (SIMPLE, "server"): 4,
    (RESUMED, "client"): 5,
    (RESUMED, "server"): 3,
    (RETRY, "client"): 2,
    (RETRY, "server"): 2,
    (CLIENT_AUTHENTICATION, "client"): 2,
    (CLIENT_AUTHENTICATION, "server"): 2,
    (COMPATIBILITY, "client"): 2,
    (COMPATIBILITY, "server"): 2,
}
every_direction = pytest.mark.parametrize(("section", "side"), PROTECTED)


def content_type(step: Step) -> ContentType:
    """Return what the RFC says that a record has in it."""
    return TYPES[step.title.split()[1]]


def is_protected(step: Step) -> bool:
    """Whether a record shows something else than its payload."""
    return step["complete record"][HEADER_SIZE:] != step["payload"]


def label(section: int, side: str, step: Step, *, finished: bool) -> str:
    """Return the label of the secret that a record is under, given whether that side's Finished was before it."""
    letter = side[0]
    if finished:
        return f"{letter} ap traffic"
    if section == RESUMED and content_type(step) == ContentType.APPLICATION_DATA:
        return "c e traffic"
    if step["payload"][0] == HandshakeType.END_OF_EARLY_DATA:
        return "c e traffic"
    return f"{letter} hs traffic"


def protected(section: int, side: str) -> Iterator[tuple[str, Step]]:
    """Yield the protected records of one side, in order, each with the label of its secret."""
    finished = False
    for step in records(section, side):
        if is_protected(step):
            yield label(section, side, step, finished=finished), step
            # Finished is the last message of a record that has it, and 32 bytes of verify_data end it.
            last = step["payload"][-36:-32]
            finished = finished or last == bytes((HandshakeType.FINISHED, 0, 0, 32))


def key(section: int, name: str) -> Secret:
    """Return a traffic secret of the trace."""
    return Secret(secret(section, name)["expanded"])


def test_every_direction_is_there() -> None:
    assert set(PROTECTED) == {(section, side) for section in SECTIONS for side in ("client", "server")}


@every_direction
def test_sealing(section: int, side: str) -> None:
    sealers: dict[str, Sealer] = {}
    count = 0
    for name, step in protected(section, side):
        sealer = sealers.setdefault(name, sealer13(SUITE, key(section, name)))
        assert sealer.seal(content_type(step), step["payload"]) == step["complete record"], (name, step.title)
        count += 1
    assert count == PROTECTED[section, side]


@every_direction
def test_opening(section: int, side: str) -> None:
    openers: dict[str, Opener] = {}
    count = 0
    for name, step in protected(section, side):
        opener = openers.setdefault(name, opener13(SUITE, key(section, name)))
        record = step["complete record"]
        found = opener.open(record[:HEADER_SIZE], record[HEADER_SIZE:])
        assert found == (content_type(step), step["payload"]), (name, step.title)
        count += 1
    assert count == PROTECTED[section, side]


@every_direction
def test_no_record_opens_under_another_key_or_number(section: int, side: str) -> None:
    for name, step in protected(section, side):
        record = step["complete record"]
        header, body = record[:HEADER_SIZE], record[HEADER_SIZE:]
        for other in ("c hs traffic", "s hs traffic", "c ap traffic", "s ap traffic"):
            opener = opener13(SUITE, key(section, other))
            if other != name:
                with pytest.raises(BadRecordMac):
                    opener.open(header, body)
            else:
                # The same key, one record too late.
                first = next(found for label_, found in protected(section, side) if label_ == name)["complete record"]
                opener.open(first[:HEADER_SIZE], first[HEADER_SIZE:])
                if first == record:
                    with pytest.raises(BadRecordMac):
                        opener.open(header, body)


@every_direction
def test_records_in_the_clear(section: int, side: str) -> None:
    """RFC 8446 §5.1: the first ClientHello says TLS 1.0 in its header, everything else TLS 1.2."""
    plain = [step for step in records(section, side) if not is_protected(step)]
    assert plain
    for index, step in enumerate(plain):
        record = step["complete record"]
        version = 0x0301 if side == "client" and index == 0 else 0x0303
        assert PlainSealer(version).seal(content_type(step), step["payload"]) == record, step.title
        found = PlainOpener().open(record[:HEADER_SIZE], record[HEADER_SIZE:])
        assert found == (content_type(step), step["payload"])
