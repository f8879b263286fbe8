from libc.stdint cimport uint8_t


cdef class Deframer:
    cdef uint8_t *_data
    cdef Py_ssize_t _start  # of the record that comes next
    cdef Py_ssize_t _end
    cdef Py_ssize_t _room
    cdef bytes _header  # of the record that comes next, and its body, where they came whole; the buffer is empty then
    cdef bytes _body
    cdef public Py_ssize_t max_body

    cdef Py_ssize_t missing(self) noexcept
    cpdef feed(self, data)
    cpdef Py_ssize_t take_header(self, data)
    cdef bint _is_header(self, const uint8_t *header) noexcept
    cdef bint _keep_whole(self, bytes data) noexcept
    cdef int _spill(self) except -1
    cdef int _append(self, const uint8_t *data, Py_ssize_t size) except -1
    cdef int _check(self, const uint8_t *header, Py_ssize_t have) except -1
    cpdef tuple next(self)
