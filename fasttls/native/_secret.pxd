from libc.stdint cimport uint8_t


cdef class Secret:
    cdef uint8_t *_data
    cdef Py_ssize_t _size  # bytes; -1 once wiped
    cdef Py_ssize_t _capacity  # bytes that _data points at
    cdef uint8_t _inline[72]

    cdef int _allocate(self, Py_ssize_t size) except -1
    cdef const uint8_t *_lend(self) except NULL


cdef Secret new_secret(Py_ssize_t size)
