"""Records: framing, and protection as TLS 1.3 and TLS 1.2 have it, against `cryptography` used by hand."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from fasttls.native._protection import Later, Opener12, Opener13, PlainOpener, PlainSealer, Sealer12, Sealer13
from fasttls.native._record import HEADER_SIZE, MAX_PLAINTEXT, Deframer
from fasttls.native._secret import Secret
from fasttls.wire.alerts import BadRecordMac, ProtocolVersionAlert, RecordOverflow, UnexpectedMessage

IV = bytes(range(100, 112))
AEADS: dict[str, tuple[Callable[[bytes], Any], int, int, bool]] = {
    # The AEAD, its key's and tag's sizes in bytes, and whether TLS 1.2 has a part of the nonce in the record.
    "gcm128": (AESGCM, 16, 16, True),
    "gcm256": (AESGCM, 32, 16, True),
    "chacha": (ChaCha20Poly1305, 32, 16, False),
    "ccm": (AESCCM, 16, 16, True),
    "ccm8": (partial(AESCCM, tag_length=8), 16, 8, True),
}
every_aead = pytest.mark.parametrize("name", AEADS)


def nonce(iv: bytes, sequence: int) -> bytes:
    """The nonce of RFC 8446 §5.3."""
    return bytes(a ^ b for a, b in zip(iv, sequence.to_bytes(12, "big"), strict=True))


def pair13(name: str) -> tuple[Sealer13, Opener13, Any]:
    """Return both ends of one direction of TLS 1.3, and the AEAD."""
    make, key_size, tag, _ = AEADS[name]
    aead = make(bytes(key_size))
    return Sealer13(aead, Secret(IV), tag), Opener13(aead, Secret(IV), InvalidTag, tag), aead


def pair12(name: str) -> tuple[Sealer12, Opener12, Any, bytes]:
    """Return both ends of one direction of TLS 1.2, the AEAD, and the iv."""
    make, key_size, tag, explicit = AEADS[name]
    aead, iv = make(bytes(key_size)), IV[:4] + bytes(8) if explicit else IV
    return Sealer12(aead, Secret(iv), explicit, tag), Opener12(aead, Secret(iv), explicit, tag, InvalidTag), aead, iv


@every_aead
def test_tls13_records_are_those_of_the_rfc(name: str) -> None:
    sealer, opener, aead = pair13(name)
    tag = AEADS[name][2]
    for sequence, (content, padding) in enumerate([(b"hello", 0), (b"", 7), (b"x" * 16384, 0), (b"y", 16383)]):
        record = sealer.seal(22, content, padding)
        inner = content + b"\x16" + bytes(padding)
        header = b"\x17\x03\x03" + (len(inner) + tag).to_bytes(2, "big")
        assert record == header + aead.encrypt(nonce(IV, sequence), inner, header)
        assert opener.open(record[:5], record[5:]) == (22, content)
        assert sealer.sequence == opener.sequence == sequence + 1


@every_aead
def test_tls12_records_are_those_of_the_rfc(name: str) -> None:
    sealer, opener, aead, iv = pair12(name)
    explicit, tag = AEADS[name][3], AEADS[name][2]
    for sequence, content in enumerate([b"hello", b"", b"x" * 16384]):
        record = sealer.seal(23, memoryview(content))
        number = sequence.to_bytes(8, "big")
        additional = number + b"\x17\x03\x03" + len(content).to_bytes(2, "big")
        used = iv[:4] + number if explicit else nonce(iv, sequence)
        body = (number if explicit else b"") + aead.encrypt(used, content, additional)
        assert record == b"\x17\x03\x03" + (len(content) + tag + 8 * explicit).to_bytes(2, "big") + body
        assert opener.open(record[:5], record[5:]) == (23, content)


@pytest.mark.parametrize("name", ["gcm128", "ccm8"])
def test_a_tls12_peer_may_choose_its_explicit_nonce(name: str) -> None:
    _, opener, aead, iv = pair12(name)
    own = b"anything"
    body = own + aead.encrypt(iv[:4] + own, b"content", bytes(8) + b"\x16\x03\x03\0\x07")
    assert opener.open(b"\x16\x03\x03" + len(body).to_bytes(2, "big"), body) == (22, b"content")


@every_aead
def test_every_flipped_bit_is_bad_record_mac(name: str) -> None:
    make: list[Callable[[], tuple[Any, ...]]] = [lambda: pair13(name), lambda: pair12(name)]
    for pair in make:
        record = pair()[0].seal(23, b"content")
        for bit in range(8 * len(record)):
            altered = bytearray(record)
            altered[bit // 8] ^= 1 << bit % 8
            header, body = bytes(altered[:5]), bytes(altered[5:])
            opener = pair()[1]
            if 3 <= bit // 8 < 5 and isinstance(opener, Opener12):
                # TLS 1.2 authenticates the length of the content, which the body itself has.
                assert opener.open(header, body) == (23, b"content")
                continue
            with pytest.raises(BadRecordMac):
                opener.open(header, body)
            assert opener.sequence == 0


@every_aead
def test_records_out_of_order_are_bad_record_mac(name: str) -> None:
    for sealer, opener, *_ in (pair13(name), pair12(name)):
        first, second = sealer.seal(23, b"1"), sealer.seal(23, b"2")
        with pytest.raises(BadRecordMac):
            opener.open(second[:5], second[5:])
        assert opener.open(first[:5], first[5:]) == (23, b"1")
        with pytest.raises(BadRecordMac):
            opener.open(first[:5], first[5:])


@every_aead
def test_bodies_that_are_too_short_are_bad_record_mac(name: str) -> None:
    for pair in (pair13, pair12):
        opener = pair(name)[1]
        for size in range(AEADS[name][2] + 8):
            with pytest.raises(BadRecordMac):
                opener.open(b"\x17\x03\x03" + size.to_bytes(2, "big"), bytes(size))


def sealed13(aead: Any, inner: bytes) -> tuple[bytes, bytes]:
    """Protect an inner plaintext that Sealer13 would not make."""
    header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
    return header, aead.encrypt(nonce(IV, 0), inner, header)


@pytest.mark.parametrize("inner", [b"", b"\0", bytes(500), bytes(16384)])
def test_an_inner_plaintext_without_a_type_is_unexpected_message(inner: bytes) -> None:
    """RFC 8446 §5.4."""
    _, opener, aead = pair13("gcm128")
    with pytest.raises(UnexpectedMessage):
        opener.open(*sealed13(aead, inner))


def test_an_inner_plaintext_that_is_too_long_is_record_overflow() -> None:
    """RFC 8446 §5.4: no more than 2^14 + 1 bytes, padding included."""
    _, opener, aead = pair13("gcm128")
    assert opener.open(*sealed13(aead, b"x" * MAX_PLAINTEXT + b"\x17")) == (23, b"x" * MAX_PLAINTEXT)
    for inner in (b"x" * (MAX_PLAINTEXT + 1) + b"\x17", b"\x17" + bytes(MAX_PLAINTEXT + 1)):
        _, opener, aead = pair13("gcm128")
        with pytest.raises(RecordOverflow):
            opener.open(*sealed13(aead, inner))


def test_a_tls12_plaintext_that_is_too_long_is_record_overflow() -> None:
    _, opener, aead, iv = pair12("chacha")
    content = bytes(MAX_PLAINTEXT + 1)
    body = aead.encrypt(iv, content, bytes(8) + b"\x17\x03\x03" + len(content).to_bytes(2, "big"))
    with pytest.raises(RecordOverflow):
        opener.open(b"\x17\x03\x03" + len(body).to_bytes(2, "big"), body)


def test_what_does_not_fit_one_record_is_a_value_error() -> None:
    for sealer in (pair13("gcm128")[0], pair12("gcm128")[0], PlainSealer()):
        with pytest.raises(ValueError, match="fit"):
            sealer.seal(23, bytes(MAX_PLAINTEXT + 1))
    for sealer in (pair12("gcm128")[0], PlainSealer()):
        with pytest.raises(ValueError, match="padded"):
            sealer.seal(23, b"x", 1)
    for padding in (-1, MAX_PLAINTEXT):
        with pytest.raises(ValueError, match="padding"):
            pair13("gcm128")[0].seal(23, b"x", padding)


@pytest.mark.parametrize("size", [0, 11, 13])
def test_an_iv_of_another_size_is_a_value_error(size: int) -> None:
    aead = AESGCM(bytes(16))
    for make in (
        lambda iv: Sealer13(aead, iv),
        lambda iv: Opener13(aead, iv, InvalidTag),
        lambda iv: Sealer12(aead, iv, True),
        lambda iv: Opener12(aead, iv, True, 16, InvalidTag),
    ):
        with pytest.raises(ValueError, match="iv"):
            make(Secret(bytes(size)))


@pytest.mark.parametrize("duplicate", [copy.copy, pickle.dumps])
def test_protection_is_not_copied(duplicate: Callable[[object], object]) -> None:
    for part in (*pair13("gcm128")[:2], *pair12("gcm128")[:2]):
        with pytest.raises(TypeError, match="pickled or copied"):
            duplicate(part)


def test_an_aead_is_made_when_it_is_first_used() -> None:
    key = bytes(32)
    made: list[int] = []

    def make(secret: Secret) -> AESGCM:
        made.append(len(secret))
        if len(made) == 1:
            raise MemoryError
        return AESGCM(bytes(secret))

    for direction in ("sealer", "opener"):
        made.clear()
        later = Later(make, Secret(key))
        sealer = Sealer13(later if direction == "sealer" else AESGCM(key), Secret(IV))
        opener = Opener13(later if direction == "opener" else AESGCM(key), Secret(IV), InvalidTag)
        assert not made
        if direction == "sealer":
            with pytest.raises(MemoryError):
                sealer.seal(23, b"content")
        records = [sealer.seal(23, b"content") for _ in range(2)]
        if direction == "opener":
            with pytest.raises(MemoryError):
                opener.open(records[0][:HEADER_SIZE], records[0][HEADER_SIZE:])
        for record in records:
            assert opener.open(record[:HEADER_SIZE], record[HEADER_SIZE:]) == (23, b"content")
        assert made == [len(key)] * 2  # once, after the failure
        for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="pickled or copied"):
                duplicate(later)


class TestDeframer:
    """Records from a stream."""

    @settings(derandomize=True, max_examples=100, deadline=None)
    @given(
        bodies=st.lists(st.binary(max_size=400), max_size=6),
        cuts=st.lists(st.integers(0, 2000), max_size=8),
        trailing=st.binary(max_size=4),
    )
    def test_any_split_gives_the_same_records(self, bodies: list[bytes], cuts: list[int], trailing: bytes) -> None:
        sealer, deframer = PlainSealer(), Deframer()
        stream = b"".join(sealer.seal(22, body) for body in bodies) + b"\x16\x03\x03\0"[: len(trailing)]
        found, at = [], 0
        for cut in [*sorted(min(cut, len(stream)) for cut in cuts), len(stream)]:
            deframer.feed(stream[at:cut])
            at = cut
            while (record := deframer.next()) is not None:
                found.append(record[1])
        assert found == bodies
        assert deframer.waiting == len(stream) - sum(len(body) + HEADER_SIZE for body in bodies)

    def test_wanted_leads_to_the_end_of_the_record_and_never_past_it(self) -> None:
        deframer, stream = Deframer(), PlainSealer().seal(23, b"x" * 1000) * 2
        for _ in range(2):
            assert deframer.wanted == HEADER_SIZE
            deframer.feed(stream[:HEADER_SIZE])
            assert deframer.wanted == 1000
            deframer.feed(stream[HEADER_SIZE : HEADER_SIZE + 1000])
            assert deframer.wanted == 0
            assert deframer.next() is not None

    def test_what_was_kept_whole_is_joined_by_what_comes_in_pieces(self) -> None:
        header, body = b"\x17\x03\x03\0\x05", b"hello"
        for pieces in (
            [header, body, header, body],
            [header, body + header, body],
            [header, b"he", b"llo", header, body],
            [header, bytearray(body), header, body],
            [header, b"he", b"llo" + header + b"hell", b"o"],
            [header + b"h", b"ello", header, body],
            [header[:3], header[3:], body, header, body],
        ):
            for at_the_end in (True, False):
                deframer, found = Deframer(), []
                for piece in pieces:
                    deframer.feed(piece)
                    while not at_the_end and (record := deframer.next()) is not None:
                        found.append(record)
                assert deframer.waiting == (20 if at_the_end else 0)
                while (record := deframer.next()) is not None:
                    found.append(record)
                assert found == [(header, body)] * 2
                assert (deframer.waiting, deframer.wanted) == (0, HEADER_SIZE)

    def test_a_header_is_taken_when_it_is_one_and_its_body_is_to_come(self) -> None:
        header = b"\x17\x03\x03\0\x05"
        deframer = Deframer()
        for other in (
            b"",
            header[:4],
            header + b"h",
            bytearray(header),
            b"\x17\x03\x03\0\0",
            b"GET /",
            b"\x19\x03\x03\0\x01",
        ):
            assert deframer.take_header(other) == 0
        assert deframer.take_header(b"\x17\x03\x03\x40\x01") == 0  # more than max_body
        assert deframer.waiting == 0
        assert deframer.take_header(header) == deframer.wanted == 5
        assert deframer.take_header(header) == 0  # this much is a body, or part of one
        assert deframer.next() is None
        deframer.feed(b"hello")
        assert deframer.next() == (header, b"hello")
        deframer.feed(header[:2])
        assert deframer.take_header(header) == 0

    @pytest.mark.parametrize(
        ("start", "reason"),
        [
            (b"GET / HTTP/1.1\r\n", "HTTP_REQUEST"),
            (b"POST / HTTP/1.1\r\n", "HTTP_REQUEST"),
            (b"CONNECT a:443 HTTP/1.1\r\n", "HTTPS_PROXY_REQUEST"),
            (b"SSH-2.0-OpenSSH\r\n", "WRONG_VERSION_NUMBER"),
            (b"\x16\x02\x03\0\0", "WRONG_VERSION_NUMBER"),
        ],
    )
    def test_what_is_no_tls_is_told_by_its_start(self, start: bytes, reason: str) -> None:
        deframer = Deframer()
        deframer.feed(start)
        with pytest.raises(ProtocolVersionAlert) as caught:
            deframer.next()
        assert caught.value.reason == reason

    @pytest.mark.parametrize("content_type", [0, 19, 25, 255])
    def test_an_unknown_content_type_is_unexpected_message(self, content_type: int) -> None:
        deframer = Deframer()
        deframer.feed(bytes([content_type]) + b"\x03\x03\0\0")
        with pytest.raises(UnexpectedMessage):
            deframer.next()

    def test_an_oversized_record_is_refused_by_its_header(self) -> None:
        deframer = Deframer()
        deframer.feed(b"\x16\x03\x03" + (MAX_PLAINTEXT + 1).to_bytes(2, "big"))
        with pytest.raises(RecordOverflow):
            deframer.next()
        deframer = Deframer()
        deframer.max_body = MAX_PLAINTEXT + 256
        deframer.feed(b"\x17\x03\x03" + (MAX_PLAINTEXT + 256).to_bytes(2, "big"))
        assert deframer.next() is None

    def test_plain_records(self) -> None:
        record = PlainSealer(0x0301).seal(22, bytearray(b"hello"))
        assert record == b"\x16\x03\x01\0\x05hello"
        assert PlainOpener().open(record[:5], record[5:]) == (22, b"hello")


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"HTTP/", "http://"),
        (b"<html", "http://"),
        (b"220 m", "STARTTLS"),
        (b"* OK ", "STARTTLS"),
        (b"+OK P", "STLS"),
        (b"SSH-2", "SSH"),
        (b"GET /", "https://"),
        (b"PRI *", "https://"),
        (b"CONNE", "proxy"),
        (b"PROXY", "PROXY protocol"),
        (b"\r\n\r\n\0", "PROXY protocol"),
    ],
)
def test_whoever_speaks_without_tls_is_named(start: bytes, words: str) -> None:
    deframer = Deframer()
    deframer.feed(start)
    with pytest.raises(ProtocolVersionAlert, match=re.escape(words)):
        deframer.next()
