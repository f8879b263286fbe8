"""Reader and Writer: the presentation language of RFC 8446 section 3, and the only bounds checks."""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from fasttls.wire.alerts import DecodeError


cdef extern from "ft_wire.h" nogil:
    uint32_t ft_load16(const uint8_t *p)
    uint32_t ft_load24(const uint8_t *p)
    uint32_t ft_load32(const uint8_t *p)
    void ft_store16(uint8_t *p, uint32_t value)
    void ft_store24(uint8_t *p, uint32_t value)
    void ft_store32(uint8_t *p, uint32_t value)


cdef int begin(Reader reader, bytes data, Py_ssize_t start) except -1:
    """Let a reader stand at a place in data."""
    if start < 0 or start > PyBytes_GET_SIZE(data):
        raise DecodeError(f"need {start} bytes, got {PyBytes_GET_SIZE(data)}")
    reader._owner = data
    reader._next = <const uint8_t *>PyBytes_AS_STRING(data) + start
    reader._end = <const uint8_t *>PyBytes_AS_STRING(data) + PyBytes_GET_SIZE(data)
    return 0


@cython.final
@cython.freelist(8)
cdef class Reader:
    """Reads one TLS structure from bytes, in order.

    Whatever the bytes do not hold raises DecodeError; end() raises it when bytes are left over.
    """

    def __cinit__(self):
        # Whatever is not initialised holds nothing, and says so.
        self._next = self._end = <const uint8_t *>PyBytes_AS_STRING(b"")

    def __init__(self, bytes data not None, Py_ssize_t start=0):
        """Read data from start on. Raises DecodeError when start is not inside data."""
        begin(self, data, start)

    def __reduce__(self):
        raise TypeError("a Reader cannot be pickled or copied")

    cdef const uint8_t *_take(self, Py_ssize_t size) except NULL:
        """Advance by size bytes. Every read passes through this check."""
        cdef const uint8_t *start = self._next
        if size < 0 or size > self._end - start:
            raise DecodeError(f"need {size} bytes, {self._end - start} left")
        self._next = start + size
        return start

    cdef Py_ssize_t _length(self, int size_bytes, Py_ssize_t at_least, Py_ssize_t at_most) except -1:
        """Read a vector's length, and hold it to the bounds that its declaration gives."""
        cdef Py_ssize_t size
        cdef const uint8_t *p = self._take(size_bytes)
        if size_bytes == 1:
            size = p[0]
        elif size_bytes == 2:
            size = <Py_ssize_t>ft_load16(p)
        elif size_bytes == 3:
            size = <Py_ssize_t>ft_load24(p)
        else:
            raise ValueError("a vector's length takes 1, 2 or 3 bytes")
        if size < at_least or (at_most >= 0 and size > at_most):
            raise DecodeError(f"a vector of {size} bytes, which must have {at_least} to "
                              f"{at_most if at_most >= 0 else (1 << 8 * size_bytes) - 1}")
        return size

    @property
    def left(self):
        """How many bytes are still to be read."""
        return <Py_ssize_t>(self._end - self._next)

    cpdef bint more(self):
        """Whether anything is still to be read."""
        return self._next != self._end

    cpdef uint32_t u8(self) except? 0xFFFFFFFF:
        """Read a uint8."""
        return self._take(1)[0]

    cpdef uint32_t u16(self) except? 0xFFFFFFFF:
        """Read a uint16."""
        return ft_load16(self._take(2))

    cpdef uint32_t u24(self) except? 0xFFFFFFFF:
        """Read a uint24."""
        return ft_load24(self._take(3))

    cpdef uint32_t u32(self) except? 0xFFFFFFFF:
        """Read a uint32."""
        return ft_load32(self._take(4))

    cpdef bytes raw(self, Py_ssize_t size):
        """Read exactly size bytes."""
        cdef const uint8_t *start = self._take(size)
        return PyBytes_FromStringAndSize(<const char *>start, size)

    cpdef bytes rest(self):
        """Read all that is left, which may be nothing."""
        cdef Py_ssize_t size = self._end - self._next
        return PyBytes_FromStringAndSize(<const char *>self._take(size), size)

    cpdef bytes vector(self, int size_bytes, Py_ssize_t at_least=0, Py_ssize_t at_most=-1):
        """Read an opaque vector whose length takes size_bytes; the bounds are bytes."""
        cdef Py_ssize_t size = self._length(size_bytes, at_least, at_most)
        return PyBytes_FromStringAndSize(<const char *>self._take(size), size)

    cpdef Reader sub(self, int size_bytes, Py_ssize_t at_least=0, Py_ssize_t at_most=-1):
        """Return a reader over a vector's bytes; this reader goes on behind them."""
        cdef Py_ssize_t size = self._length(size_bytes, at_least, at_most)
        cdef Reader inner = Reader.__new__(Reader)
        inner._owner = self._owner
        inner._next = self._take(size)
        inner._end = inner._next + size
        return inner

    cpdef tuple u16_vector(self, int size_bytes, Py_ssize_t at_least=2):
        """Read a vector of uint16 as a tuple; at_least is bytes. Half an integer is a DecodeError."""
        cdef Py_ssize_t size = self._length(size_bytes, at_least, -1)
        cdef const uint8_t *p = self._take(size)
        cdef Py_ssize_t i
        cdef tuple values
        cdef object value
        if size & 1:
            raise DecodeError(f"a vector of uint16 with {size} bytes")
        values = PyTuple_New(size // 2)
        for i in range(size // 2):
            value = ft_load16(p + 2 * i)
            Py_INCREF(value)
            PyTuple_SET_ITEM(values, i, value)
        return values

    cpdef end(self):
        """Raise DecodeError unless everything was read (RFC 8446 section 3)."""
        if self._next != self._end:
            raise DecodeError(f"{self._end - self._next} bytes left over")


cpdef Reader reader_of(bytes data, Py_ssize_t start):
    """Return Reader(data, start), sooner."""
    cdef Reader reader = Reader.__new__(Reader)
    if data is None:
        raise TypeError("a Reader needs bytes")
    begin(reader, data, start)
    return reader


@cython.final
@cython.freelist(4)
cdef class Writer:
    """Writes one TLS structure. Vectors are opened and closed; the length is filled in on closing."""

    def __cinit__(self):
        self._data = NULL
        self._size = 0
        self._room = 0
        self._depth = 0

    def __dealloc__(self):
        free(self._data)

    cdef uint8_t *_grow(self, Py_ssize_t size) except NULL:
        """Make room for size more bytes, count them as written, and return where they go."""
        cdef Py_ssize_t room
        cdef uint8_t *moved
        if size > self._room - self._size:
            room = max(256, 2 * self._room, self._size + size)
            moved = <uint8_t *>realloc(self._data, <size_t>room)
            if moved == NULL:
                raise MemoryError()
            self._data = moved
            self._room = room
        self._size += size
        return self._data + self._size - size

    cdef int _put(self, uint32_t value, int size_bytes) except -1:
        cdef uint8_t *p
        if size_bytes < 4 and value >> (8 * size_bytes):
            raise OverflowError(f"{value} does not fit {size_bytes} bytes")
        p = self._grow(size_bytes)
        if size_bytes == 1:
            p[0] = <uint8_t>value
        elif size_bytes == 2:
            ft_store16(p, value)
        elif size_bytes == 3:
            ft_store24(p, value)
        else:
            ft_store32(p, value)
        return 0

    cpdef u8(self, uint32_t value):
        """Write a uint8. Raises OverflowError when the value does not fit, as all of these do."""
        self._put(value, 1)

    cpdef u16(self, uint32_t value):
        """Write a uint16."""
        self._put(value, 2)

    cpdef u24(self, uint32_t value):
        """Write a uint24."""
        self._put(value, 3)

    cpdef u32(self, uint32_t value):
        """Write a uint32."""
        self._put(value, 4)

    cpdef raw(self, data):
        """Write the bytes of any readable buffer."""
        cdef Py_buffer view
        cdef uint8_t *out
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if view.len:
                out = self._grow(view.len)
                memcpy(out, view.buf, <size_t>view.len)
        finally:
            PyBuffer_Release(&view)

    cpdef vector(self, int size_bytes, data):
        """Write an opaque vector whose length takes size_bytes."""
        self.open(size_bytes)
        self.raw(data)
        self.close()

    cpdef u16_vector(self, int size_bytes, values):
        """Write a vector of uint16."""
        self.open(size_bytes)
        for value in values:
            self._put(value, 2)
        self.close()

    cpdef open(self, int size_bytes):
        """Begin a vector whose length takes size_bytes (1, 2 or 3)."""
        if not 1 <= size_bytes <= 3:
            raise ValueError("a vector's length takes 1, 2 or 3 bytes")
        if self._depth == 8:
            raise ValueError("vectors nest at most 8 deep")
        self._open_at[self._depth] = self._size
        self._open_size[self._depth] = size_bytes
        self._depth += 1
        self._put(0, size_bytes)

    cpdef close(self):
        """End the vector opened last. Raises OverflowError when it is too long for its length."""
        cdef Py_ssize_t at, size
        cdef int size_bytes
        if self._depth == 0:
            raise ValueError("no vector is open")
        self._depth -= 1
        at = self._open_at[self._depth]
        size_bytes = self._open_size[self._depth]
        size = self._size - at - size_bytes
        if size >> (8 * size_bytes):
            raise OverflowError(f"a vector of {size} bytes does not fit a {size_bytes}-byte length")
        if size_bytes == 1:
            self._data[at] = <uint8_t>size
        elif size_bytes == 2:
            ft_store16(self._data + at, <uint32_t>size)
        else:
            ft_store24(self._data + at, <uint32_t>size)

    @property
    def size(self):
        """How many bytes are written."""
        return self._size

    cpdef bytes finish(self):
        """Return what was written. Raises ValueError while a vector is open."""
        if self._depth:
            raise ValueError("a vector is still open")
        return PyBytes_FromStringAndSize(<char *>self._data, self._size)
