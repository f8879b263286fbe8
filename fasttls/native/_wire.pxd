from libc.stdint cimport uint8_t, uint32_t


cdef class Reader:
    cdef object _owner  # keeps the bytes alive
    cdef const uint8_t *_next
    cdef const uint8_t *_end

    cdef const uint8_t *_take(self, Py_ssize_t size) except NULL
    cdef Py_ssize_t _length(self, int size_bytes, Py_ssize_t at_least, Py_ssize_t at_most) except -1


cdef class Writer:
    cdef uint8_t *_data
    cdef Py_ssize_t _size  # bytes written
    cdef Py_ssize_t _room  # bytes that _data points at
    cdef Py_ssize_t _open_at[8]  # where each open vector's length is
    cdef int _open_size[8]
    cdef int _depth

    cdef uint8_t *_grow(self, Py_ssize_t size) except NULL
    cdef int _put(self, uint32_t value, int size_bytes) except -1
