from libc.stdint cimport uint8_t, uint32_t


cdef class Reader:
    cdef object _owner  # keeps the bytes alive
    cdef const uint8_t *_next
    cdef const uint8_t *_end

    cdef const uint8_t *_take(self, Py_ssize_t size) except NULL
    cdef Py_ssize_t _length(self, int size_bytes, Py_ssize_t at_least, Py_ssize_t at_most) except -1
    cpdef bint more(self)
    cpdef uint32_t u8(self) except? 0xFFFFFFFF
    cpdef uint32_t u16(self) except? 0xFFFFFFFF
    cpdef uint32_t u24(self) except? 0xFFFFFFFF
    cpdef uint32_t u32(self) except? 0xFFFFFFFF
    cpdef bytes raw(self, Py_ssize_t size)
    cpdef bytes rest(self)
    cpdef bytes vector(self, int size_bytes, Py_ssize_t at_least=*, Py_ssize_t at_most=*)
    cpdef Reader sub(self, int size_bytes, Py_ssize_t at_least=*, Py_ssize_t at_most=*)
    cpdef tuple u16_vector(self, int size_bytes, Py_ssize_t at_least=*)
    cpdef end(self)


cpdef Reader reader_of(bytes data, Py_ssize_t start)


cdef class Writer:
    cdef uint8_t *_data
    cdef Py_ssize_t _size  # bytes written
    cdef Py_ssize_t _room  # bytes that _data points at
    cdef Py_ssize_t _open_at[8]  # where each open vector's length is
    cdef int _open_size[8]
    cdef int _depth

    cdef uint8_t *_grow(self, Py_ssize_t size) except NULL
    cdef int _put(self, uint32_t value, int size_bytes) except -1
    cpdef u8(self, uint32_t value)
    cpdef u16(self, uint32_t value)
    cpdef u24(self, uint32_t value)
    cpdef u32(self, uint32_t value)
    cpdef raw(self, data)
    cpdef vector(self, int size_bytes, data)
    cpdef u16_vector(self, int size_bytes, values)
    cpdef open(self, int size_bytes)
    cpdef close(self)
    cpdef bytes finish(self)
