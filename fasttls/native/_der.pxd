"""DER, as far as certificates have it: elements, and what is in the primitive ones (X.690).

These are functions of C, and part of each module that cimports them. Every read passes through element(), the one
bounds check. All raise ValueError for what is no DER.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t

cdef enum:
    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    OBJECT_IDENTIFIER = 0x06
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    SEQUENCE = 0x30
    SET = 0x31
    CONTEXT_0 = 0xA0
    CONTEXT_1 = 0xA1
    CONTEXT_2 = 0xA2
    CONTEXT_3 = 0xA3
    ANY = -1


cdef struct Span:
    const uint8_t *next
    const uint8_t *end


cdef inline int element(Span *outer, int tag, Span *inner) except -1:
    """Step over one element of a tag, and put its contents into inner. Returns the tag.

    Lengths are DER's: definite, in as few bytes as they need. Raises ValueError.
    """
    cdef const uint8_t *at = outer.next
    cdef Py_ssize_t left = outer.end - at
    cdef Py_ssize_t size
    cdef int count, i
    if left < 2:
        raise ValueError("DER that is cut short")
    if tag != ANY and at[0] != tag:
        raise ValueError(f"a DER element with the tag 0x{at[0]:02x} where 0x{tag:02x} belongs")
    if at[0] & 0x1F == 0x1F:
        raise ValueError("a DER element with a long tag")
    tag = at[0]
    size = at[1]
    at += 2
    left -= 2
    if size >= 0x80:
        count = <int>size - 0x80
        if count < 1 or count > 4 or count > left:
            raise ValueError("a DER element with a length that is none")
        size = 0
        for i in range(count):
            size = size << 8 | at[i]
        if size < 0x80 or size >> 8 * (count - 1) == 0:
            raise ValueError("a DER element with a length that is not minimal")
        at += count
        left -= count
    if size > left:
        raise ValueError("DER that is cut short")
    inner.next = at
    inner.end = at + size
    outer.next = at + size
    return tag


cdef inline bint is_next(Span *span, int tag) noexcept:
    """Whether the next element has a tag."""
    return span.next < span.end and span.next[0] == tag


cdef inline int well_formed(Span *span, int depth) except -1:
    """Step over elements that are taken whole, and refuse what is no DER in them."""
    cdef Span inner
    if depth > 8:
        raise ValueError("DER that is nested too deep")
    while span.next < span.end:
        if element(span, ANY, &inner) & 0x20:
            well_formed(&inner, depth + 1)
    return 0


cdef inline int end_of(Span *span) except -1:
    if span.next != span.end:
        raise ValueError("DER with bytes left over")
    return 0


cdef inline bytes bytes_of(const uint8_t *start, const uint8_t *end):
    return PyBytes_FromStringAndSize(<const char *>start, end - start)


cdef inline Span reader_over(bytes data) except *:
    if data is None:
        raise ValueError("nothing to read")
    cdef Span span
    span.next = <const uint8_t *>PyBytes_AS_STRING(data)
    span.end = span.next + PyBytes_GET_SIZE(data)
    return span


cdef inline bytes raw(Span *outer, int tag):
    """Step over one element and return all of it, header included."""
    cdef Span inner
    cdef const uint8_t *start = outer.next
    element(outer, tag, &inner)
    return bytes_of(start, inner.end)


cdef inline bytes contents_of(Span *outer, int tag):
    cdef Span inner
    element(outer, tag, &inner)
    return bytes_of(inner.next, inner.end)


cdef inline int boolean(Span *outer) except -1:
    cdef Span inner
    element(outer, BOOLEAN, &inner)
    if inner.end - inner.next != 1 or inner.next[0] not in (0, 0xFF):
        raise ValueError("a BOOLEAN that is neither")
    return inner.next[0] != 0


cdef inline object small_integer(Span *outer):
    """A non-negative INTEGER; one of more than seven bytes is as good as the largest of those."""
    cdef Span inner
    cdef int64_t value = 0
    element(outer, INTEGER, &inner)
    if inner.next == inner.end or inner.next[0] & 0x80:
        raise ValueError("an INTEGER that is negative or empty")
    if inner.end - inner.next > 1 and inner.next[0] == 0 and not inner.next[1] & 0x80:
        raise ValueError("an INTEGER that is not minimal")
    if inner.end - inner.next > 7:
        return (1 << 56) - 1
    while inner.next < inner.end:
        value = value << 8 | inner.next[0]
        inner.next += 1
    return value


cdef inline int bit_length(uint8_t byte) noexcept:
    cdef int count = 0
    while byte:
        byte >>= 1
        count += 1
    return count


cdef inline int digits(const uint8_t *at, int count) except -1:
    cdef int value = 0
    cdef int i
    for i in range(count):
        if at[i] < 48 or at[i] > 57:
            raise ValueError("a time that is none")
        value = 10 * value + at[i] - 48
    return value


cdef inline object time_of(Span *outer):
    """A UTCTime or GeneralizedTime as seconds since the epoch (RFC 5280 section 4.1.2.5)."""
    cdef Span inner
    cdef int tag = element(outer, ANY, &inner)
    cdef const uint8_t *at = inner.next
    cdef Py_ssize_t size = inner.end - at
    cdef int64_t year, month, day, era, day_of_era
    cdef int hour, minute, second
    if tag == UTC_TIME and size == 13:
        year = digits(at, 2)
        year += 1900 if year >= 50 else 2000
        at += 2
    elif tag == GENERALIZED_TIME and size == 15:
        year = digits(at, 4)
        at += 4
    else:
        raise ValueError("a time that is none")
    month, day = digits(at, 2), digits(at + 2, 2)
    hour, minute, second = digits(at + 4, 2), digits(at + 6, 2), digits(at + 8, 2)
    if at[10] != 90 or not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60):
        raise ValueError("a time that is none")
    # Days since 1970-01-01 in the proleptic Gregorian calendar, whose year begins in March for the sum.
    year -= month <= 2
    era = (year if year >= 0 else year - 399) // 400
    day_of_era = year - era * 400
    day_of_era = day_of_era * 365 + day_of_era // 4 - day_of_era // 100
    day_of_era += (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return float((era * 146097 + day_of_era - 719468) * 86400 + hour * 3600 + minute * 60 + second)
