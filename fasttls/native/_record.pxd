from libc.stdint cimport uint8_t, uint32_t, uint64_t

from fasttls.native._secret cimport Secret


cdef class Deframer:
    cdef uint8_t *_data
    cdef Py_ssize_t _start  # of the record that comes next
    cdef Py_ssize_t _end
    cdef Py_ssize_t _room
    cdef public Py_ssize_t max_body

    cdef Py_ssize_t missing(self) noexcept
    cpdef feed(self, data)
    cdef int _make_room(self, Py_ssize_t size) except -1
    cpdef tuple next(self)


cdef class Numbered:
    cdef object _aead
    cdef uint8_t _iv[12]
    cdef readonly uint64_t sequence

    cdef int _take_keys(self, aead, Secret iv) except -1
    cdef bytes _nonce(self)
    cdef int _advance(self) except -1


cdef class Sealer(Numbered):
    cpdef bytes protect(self, uint8_t content_type, content, Py_ssize_t padding)


cdef class Opener(Numbered):
    cdef readonly Py_ssize_t max_body
    cdef readonly bint hides_type

    cpdef tuple open(self, bytes header, bytes body)


cdef class PlainSealer(Sealer):
    cdef public uint32_t version


cdef class PlainOpener(Opener):
    pass


cdef class Sealer13(Sealer):
    cdef Py_ssize_t _tag_size


cdef class Opener13(Opener):
    cdef object _failure


cdef class Sealer12(Sealer):
    cdef bint _explicit
    cdef Py_ssize_t _tag_size


cdef class Opener12(Opener):
    cdef bint _explicit
    cdef Py_ssize_t _tag_size
    cdef object _failure
