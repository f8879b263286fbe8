"""Reader and Writer: what is written is read, and nothing is read past an end."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fasttls.native._wire import Reader, Writer
from fasttls.wire.alerts import DecodeError

INTEGERS = {"u8": 1, "u16": 2, "u24": 3, "u32": 4}


@settings(derandomize=True, max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted(INTEGERS)), value=st.integers(0, 2**32 - 1))
def test_integers(kind: str, value: int) -> None:
    size = INTEGERS[kind]
    value &= (1 << 8 * size) - 1
    writer = Writer()
    getattr(writer, kind)(value)
    encoded = writer.finish()
    assert encoded == value.to_bytes(size, "big")
    reader = Reader(encoded)
    assert getattr(reader, kind)() == value
    reader.end()
    with pytest.raises(DecodeError):
        getattr(Reader(encoded[:-1]), kind)()


@pytest.mark.parametrize("kind", INTEGERS)
def test_an_integer_that_does_not_fit_is_an_overflow(kind: str) -> None:
    for value in (1 << 8 * INTEGERS[kind], -1, 2**70):
        with pytest.raises(OverflowError):
            getattr(Writer(), kind)(value)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(size_bytes=st.integers(1, 3), content=st.binary(max_size=300), cut=st.integers(0, 303))
def test_vectors(size_bytes: int, content: bytes, cut: int) -> None:
    if size_bytes == 1:
        content = content[:255]
    writer = Writer()
    writer.vector(size_bytes, content)
    encoded = writer.finish()
    assert encoded == len(content).to_bytes(size_bytes, "big") + content
    reader = Reader(encoded + b"rest")
    assert reader.vector(size_bytes) == content
    assert reader.rest() == b"rest"
    assert Reader(encoded).sub(size_bytes).rest() == content
    if cut < len(encoded):
        for read in (Reader.vector, Reader.sub):
            with pytest.raises(DecodeError):
                read(Reader(encoded[:cut]), size_bytes)


def test_the_bounds_of_a_vector() -> None:
    encoded = b"\x03abc"
    assert Reader(encoded).vector(1, at_least=3, at_most=3) == b"abc"
    for bounds in ({"at_least": 4}, {"at_most": 2}):
        with pytest.raises(DecodeError, match="3 bytes"):
            Reader(encoded).vector(1, **bounds)
        with pytest.raises(DecodeError, match="3 bytes"):
            Reader(encoded).sub(1, **bounds)


@pytest.mark.parametrize("size_bytes", [0, 4, -1])
def test_the_length_of_a_vector_takes_one_to_three_bytes(size_bytes: int) -> None:
    with pytest.raises((ValueError, DecodeError)):
        Reader(bytes(8)).vector(size_bytes)
    with pytest.raises(ValueError, match="1, 2 or 3"):
        Writer().open(size_bytes)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(values=st.lists(st.integers(0, 65535), min_size=1, max_size=100))
def test_vectors_of_uint16(values: list[int]) -> None:
    writer = Writer()
    writer.u16_vector(2, values)
    encoded = writer.finish()
    assert Reader(encoded).u16_vector(2) == tuple(values)
    odd = (len(encoded) - 1).to_bytes(2, "big") + encoded[2:] + b"\0"
    with pytest.raises(DecodeError, match="uint16"):
        Reader(odd).u16_vector(2)


def test_an_empty_vector_of_uint16_is_refused() -> None:
    with pytest.raises(DecodeError):
        Reader(b"\0\0").u16_vector(2)
    assert Reader(b"\0\0").u16_vector(2, at_least=0) == ()


def test_end_wants_nothing_left() -> None:
    reader = Reader(b"\0")
    with pytest.raises(DecodeError, match="1 bytes left over"):
        reader.end()
    assert reader.u8() == 0
    reader.end()


@pytest.mark.parametrize("size", [-1, -(2**62), 5, 2**62])
def test_raw_reads_no_more_and_no_less_than_there_is(size: int) -> None:
    with pytest.raises(DecodeError):
        Reader(b"1234").raw(size)


def test_a_start_outside_the_data_is_refused() -> None:
    assert Reader(b"1234", 4).rest() == b""
    for start in (5, -1):
        with pytest.raises(DecodeError):
            Reader(b"1234", start)


def test_a_sub_reader_keeps_its_bytes_alive() -> None:
    inner = Reader(bytes([200]) + bytes(range(200))).sub(1)
    assert inner.rest() == bytes(range(200))


def test_nested_vectors() -> None:
    writer = Writer()
    for _ in range(8):
        writer.open(2)
    with pytest.raises(ValueError, match="8 deep"):
        writer.open(1)
    writer.u8(7)
    with pytest.raises(ValueError, match="open"):
        writer.finish()
    for _ in range(8):
        writer.close()
    with pytest.raises(ValueError, match="no vector"):
        writer.close()
    reader = Reader(writer.finish())
    for _ in range(8):
        outer, reader = reader, reader.sub(2)
        outer.end()
    assert reader.rest() == b"\x07"


def test_a_vector_that_grew_too_long_is_an_overflow() -> None:
    writer = Writer()
    writer.open(1)
    writer.raw(bytes(256))
    with pytest.raises(OverflowError):
        writer.close()


def test_a_writer_grows() -> None:
    writer, draw = Writer(), random.Random(5)
    expected = b""
    for _ in range(200):
        piece = draw.randbytes(draw.randrange(2000))
        writer.raw(memoryview(piece))
        expected += piece
        assert writer.size == len(expected)
    assert writer.finish() == expected


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    data=st.binary(max_size=60),
    calls=st.lists(
        st.tuples(st.sampled_from(["u8", "u16", "u24", "u32", "raw", "vector", "sub", "rest"]), st.integers(1, 3))
    ),
)
def test_any_reading_stays_inside(data: bytes, calls: list[tuple[str, int]]) -> None:
    reader: Any = Reader(data)
    for name, number in calls:
        before = reader.left
        try:
            found = getattr(reader, name)(*([number] if name in ("raw", "vector", "sub") else []))
        except DecodeError:
            assert reader.left <= before
            continue
        if name == "sub":
            assert reader.left + found.left <= before
            reader = found
        assert 0 <= reader.left <= before
