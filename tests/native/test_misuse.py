"""Misuse of the compiled modules raises, and never reads what is not there: wiped secrets, wrong types, copies."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fasttls.native import _finished as finished
from fasttls.native import _kdf as kdf
from fasttls.native._hash import Hash, Hmac, Transcript, digest_with, implementations
from fasttls.native._protection import Opener12, Opener13, PlainOpener, PlainSealer, Sealer12, Sealer13
from fasttls.native._record import Deframer
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader, Writer

KEY = b"\xa5" * 16


def live(size: int = 32) -> Secret:
    return Secret(bytes(size))


# Every function that takes a Secret, with that one left to be filled in.
TAKES_A_SECRET: dict[str, Callable[[Any], object]] = {
    "hkdf_extract, salt": lambda s: kdf.hkdf_extract("sha256", s, live()),
    "hkdf_extract, input": lambda s: kdf.hkdf_extract("sha256", None, s),
    "hkdf_expand": lambda s: kdf.hkdf_expand("sha256", s, b"", 32),
    "hkdf_expand_label": lambda s: kdf.hkdf_expand_label("sha256", s, b"key", b"", 16),
    "derive_secret": lambda s: kdf.derive_secret("sha256", s, b"derived", bytes(32)),
    "traffic_keys": lambda s: kdf.traffic_keys("sha256", s, 16),
    "prf12": lambda s: kdf.prf12("sha256", s, b"label", b"seed", 12),
    "key_block12": lambda s: kdf.key_block12("sha256", s, bytes(32), bytes(32), 16, 4),
    "choose_premaster": lambda s: kdf.choose_premaster(b"", s, 0x0303),
    "finished13": lambda s: finished.finished13("sha256", s, bytes(32)),
    "finished13_matches": lambda s: finished.finished13_matches("sha256", s, bytes(32), bytes(32)),
    "finished12": lambda s: finished.finished12("sha256", s, b"client finished", bytes(32)),
    "finished12_matches": lambda s: finished.finished12_matches("sha256", s, b"client finished", bytes(32), bytes(12)),
    "Sealer13": lambda s: Sealer13(AESGCM(KEY), s),
    "Opener13": lambda s: Opener13(AESGCM(KEY), s, InvalidTag),
    "Sealer12": lambda s: Sealer12(AESGCM(KEY), s, True),
    "Opener12": lambda s: Opener12(AESGCM(KEY), s, True, 16, InvalidTag),
}
takes_a_secret = pytest.mark.parametrize("call", TAKES_A_SECRET.values(), ids=TAKES_A_SECRET)

PROTECTION: dict[str, Callable[[], Any]] = {
    "Sealer13": lambda: Sealer13(AESGCM(KEY), Secret(bytes(12))),
    "Opener13": lambda: Opener13(AESGCM(KEY), Secret(bytes(12)), InvalidTag),
    "Sealer12": lambda: Sealer12(AESGCM(KEY), Secret(bytes(12)), True),
    "Opener12": lambda: Opener12(AESGCM(KEY), Secret(bytes(12)), True, 16, InvalidTag),
}
OBJECTS: dict[str, Callable[[], Any]] = {
    **PROTECTION,
    "Secret": lambda: Secret(KEY),
    "Hmac": lambda: Hmac("sha256", KEY),
    "Hash": lambda: Hash("sha256", KEY),
    "Transcript": Transcript,
    "Deframer": Deframer,
    "Reader": lambda: Reader(b"\x05hello"),
    "Writer": Writer,
}
DUPLICATES: dict[str, Callable[[Any], object]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {protocol}": partial(pickle.dumps, protocol=protocol) for protocol in range(6)},
}


@takes_a_secret
def test_a_wiped_secret_is_of_no_use(call: Callable[[Any], object]) -> None:
    gone = Secret(bytes(48))
    gone.wipe()
    with pytest.raises(ValueError, match="wiped"):
        call(gone)


@takes_a_secret
@pytest.mark.parametrize("other", [bytes(32), bytearray(32), "secret", 7])
def test_only_a_secret_is_taken_for_one(call: Callable[[Any], object], other: object) -> None:
    with pytest.raises(TypeError):
        call(other)


@pytest.mark.parametrize(
    "call",
    [call for name, call in TAKES_A_SECRET.items() if name != "hkdf_extract, salt"],
    ids=[name for name in TAKES_A_SECRET if name != "hkdf_extract, salt"],
)
def test_none_is_no_secret(call: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError):
        call(None)


@pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES)
@pytest.mark.parametrize("make", OBJECTS.values(), ids=OBJECTS)
def test_what_holds_secrets_or_pointers_is_not_copied(
    make: Callable[[], Any], duplicate: Callable[[Any], object]
) -> None:
    """A copy of a key would outlive its wiping; a copied pointer leads to memory that is somebody else's."""
    with pytest.raises(TypeError):
        duplicate(make())


@pytest.mark.parametrize("make", OBJECTS.values(), ids=OBJECTS)
def test_what_is_shown_has_no_key_in_it(make: Callable[[], Any]) -> None:
    shown = repr(make()) + str(make())
    assert KEY.hex() not in shown
    assert repr(KEY)[2:-1] not in shown


@pytest.mark.parametrize("size", [0, 1])
def test_a_header_that_is_too_short_for_what_is_authenticated_is_a_value_error(size: int) -> None:
    """TLS 1.2 authenticates type and version as the header has them: three bytes, which must be there to be read."""
    with pytest.raises(ValueError, match="header"):
        PROTECTION["Opener12"]().open(b"\x17\x03"[:size], bytes(32))


@pytest.mark.parametrize("make", [*PROTECTION.values(), PlainSealer, PlainOpener])
def test_a_record_is_of_bytes(make: Callable[[], Any]) -> None:
    part = make()
    with pytest.raises(TypeError):
        part.seal(23, "text") if hasattr(part, "seal") else part.open(b"\x17\x03\x03\0\x05", "text!")


@pytest.mark.parametrize("content_type", [-1, 256])
@pytest.mark.parametrize("make", [PROTECTION["Sealer13"], PROTECTION["Sealer12"], PlainSealer])
def test_a_content_type_has_one_byte(make: Callable[[], Any], content_type: int) -> None:
    with pytest.raises(OverflowError):
        make().seal(content_type, b"content")


def test_nothing_is_sealed_or_numbered_when_sealing_fails() -> None:
    for name in ("Sealer13", "Sealer12"):
        sealer = PROTECTION[name]()
        with pytest.raises(ValueError, match="fit"):
            sealer.seal(23, bytes(16385))
        assert sealer.sequence == 0
        with pytest.raises(AttributeError):
            sealer.sequence = 5


def test_an_iv_is_copied_and_its_secret_may_go() -> None:
    iv = Secret(bytes(range(12)))
    sealer = Sealer13(AESGCM(KEY), iv)
    expected = Sealer13(AESGCM(KEY), Secret(bytes(range(12)))).seal(23, b"content")
    iv.wipe()
    assert sealer.seal(23, b"content") == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda data: Hash("sha256", data),
        lambda data: Hash("sha256").update(data),
        lambda data: Hmac("sha256", data),
        lambda data: Hmac("sha256", b"key").mac(data),
        lambda data: Secret(data),
        lambda data: Writer().raw(data),
        lambda data: Writer().vector(1, data),
        lambda data: Deframer().feed(data),
    ],
)
def test_what_is_no_contiguous_buffer_is_refused(call: Callable[[Any], object]) -> None:
    for wrong in (None, "text", 7, [1, 2]):
        with pytest.raises(TypeError):
            call(wrong)
    with pytest.raises(BufferError):
        call(memoryview(bytes(range(20)))[::2])


@pytest.mark.parametrize(
    "call",
    [
        lambda data: Transcript().add(data),
        lambda data: Reader(data),
        lambda data: digest_with("sha256", 0, data),
        lambda data: kdf.hkdf_expand("sha256", live(), data, 32),
        lambda data: kdf.hkdf_expand_label("sha256", live(), data, b"", 32),
        lambda data: kdf.hkdf_expand_label("sha256", live(), b"", data, 32),
        lambda data: kdf.choose_premaster(data, live(48), 0x0303),
        lambda data: finished.finished13("sha256", live(), data),
        lambda data: finished.finished13_matches("sha256", live(), bytes(32), data),
    ],
)
def test_what_must_be_bytes_is_nothing_else(call: Callable[[Any], object]) -> None:
    for wrong in (None, "text", bytearray(b"\0"), memoryview(b"\0")):
        with pytest.raises(TypeError):
            call(wrong)


@pytest.mark.parametrize("name", ["md5", "SHA256", "", "sha-256"])
@pytest.mark.parametrize(
    "call",
    [
        lambda name: Hmac(name, b"key"),
        implementations,
        lambda name: digest_with(name, 0, b""),
        lambda name: kdf.hkdf_extract(name, None, live()),
        lambda name: kdf.hkdf_expand(name, live(), b"", 32),
        lambda name: kdf.traffic_keys(name, live(), 16),
        lambda name: kdf.prf12(name, live(), b"", b"", 12),
        lambda name: kdf.key_block12(name, live(), bytes(32), bytes(32), 16, 4),
        lambda name: finished.finished13(name, live(), bytes(32)),
        lambda name: finished.finished12(name, live(), b"", bytes(32)),
    ],
)
def test_an_unknown_hash_is_a_value_error(call: Callable[[str], object], name: str) -> None:
    with pytest.raises(ValueError, match="hash"):
        call(name)


@pytest.mark.parametrize("size", [-1, -(2**62), 65536, 2**40])
def test_an_output_that_is_too_large_is_a_value_error(size: int) -> None:
    """Refused before anything of that size is allocated."""
    for call in (
        lambda: kdf.hkdf_expand("sha512", live(), b"", size),
        lambda: kdf.hkdf_expand_label("sha512", live(), b"", b"", size),
        lambda: kdf.traffic_keys("sha512", live(), size),
        lambda: kdf.traffic_keys("sha512", live(), 16, size),
        lambda: kdf.prf12("sha512", live(), b"", b"", size),
    ):
        with pytest.raises(ValueError, match="fit"):
            call()


@pytest.mark.parametrize("size", [-12, -1, 17, 2**62])
def test_a_tag_has_a_size(size: int) -> None:
    for make in (
        lambda: Sealer13(AESGCM(KEY), Secret(bytes(12)), size),
        lambda: Sealer12(AESGCM(KEY), Secret(bytes(12)), True, size),
        lambda: Opener12(AESGCM(KEY), Secret(bytes(12)), True, size, InvalidTag),
        lambda: Opener13(AESGCM(KEY), Secret(bytes(12)), InvalidTag, size),
    ):
        with pytest.raises(ValueError, match="a tag of"):
            make()


class _Aead:
    """An AEAD of somebody's own."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.kept: Any = None
        self.view: Any = None

    def decrypt_into(self, nonce: bytes, data: Any, associated_data: bytes, buf: Any) -> Any:
        self.kept = buf
        self.view = memoryview(buf)
        self.view[:8] = b"content\x17"
        return self.answer

    def encrypt_into(self, nonce: bytes, data: Any, associated_data: bytes, buf: Any) -> Any:
        self.kept = buf
        self.view = memoryview(buf)
        return self.answer


HEADER = b"\x17\x03\x03\0\x18"


@pytest.mark.parametrize("answer", [b"content\x17", "8", None])
def test_an_aead_that_returns_no_count_is_a_type_error(answer: object) -> None:
    with pytest.raises(TypeError):
        Opener13(_Aead(answer), Secret(bytes(12)), InvalidTag).open(HEADER, bytes(24))


@pytest.mark.parametrize("written", [-1, 0, 7, 9])
def test_an_aead_that_opens_less_or_more_than_the_record_is_refused(written: int) -> None:
    for opener in (
        Opener13(_Aead(written), Secret(bytes(12)), InvalidTag),
        Opener12(_Aead(written), Secret(bytes(12)), False, 16, InvalidTag),
    ):
        with pytest.raises(ValueError, match="the AEAD wrote"):
            opener.open(HEADER, bytes(24))


def test_what_an_aead_opens_and_keeps_is_not_cut() -> None:
    aead = _Aead(8)
    opener = Opener13(aead, Secret(bytes(12)), InvalidTag)
    assert opener.open(HEADER, bytes(24)) == (23, b"content")
    assert bytes(aead.view) == b"content\x17"
    with pytest.raises(BufferError):
        memoryview(aead.kept)


def test_an_aead_is_lent_what_it_reads_to_be_read() -> None:
    class Writes(_Aead):
        def decrypt_into(self, nonce: bytes, data: Any, associated_data: bytes, buf: Any) -> Any:
            memoryview(data)[0] = 1
            return super().decrypt_into(nonce, data, associated_data, buf)

    body = bytes(32)
    with pytest.raises(TypeError, match="read-only"):
        Opener12(Writes(8), Secret(bytes(12)), True, 16, InvalidTag).open(HEADER, body)
    assert body == bytes(32)


@pytest.mark.parametrize("written", [-1, 0, 23, 25])
def test_an_aead_that_fills_less_or_more_than_the_record_is_refused(written: int) -> None:
    aead = _Aead(written)
    with pytest.raises(ValueError, match="the AEAD wrote"):
        Sealer13(aead, Secret(bytes(12))).seal(23, b"content")


def test_what_was_lent_to_an_aead_is_taken_back() -> None:
    aead = _Aead(24)
    record = Sealer13(aead, Secret(bytes(12))).seal(23, b"content")
    expected = record[5:]
    del record
    assert bytes(aead.view) == expected  # what it kept of it stays good
    with pytest.raises(BufferError):
        memoryview(aead.kept)
    with pytest.raises(BufferError):
        memoryview(type(aead.kept)())


def test_an_object_that_was_never_filled_does_no_harm() -> None:
    assert Secret.__new__(Secret).wiped
    with pytest.raises(ValueError, match="wiped"):
        bytes(Secret.__new__(Secret))
    assert Reader.__new__(Reader).left == 0
    Reader.__new__(Reader).end()
    assert Writer.__new__(Writer).finish() == b""
    with pytest.raises(ValueError, match="without keys"):
        Sealer13.__new__(Sealer13).seal(23, b"")
    sealer = Sealer13(AESGCM(KEY), Secret(bytes(12)))
    with pytest.raises(ValueError, match="once"):
        sealer.__init__(AESGCM(KEY), Secret(bytes(12)))
