from libc.stdint cimport uint8_t, uint32_t, uint64_t

from fasttls.native._secret cimport Secret


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


cdef class Window:
    cdef bytes _target
    cdef Py_ssize_t _start
    cdef Py_ssize_t _size
    cdef bint _lent
    cdef bint _read_only


cdef class Later:
    cdef object _make
    cdef Secret _key


cdef class Numbered:
    cdef object _aead
    cdef uint8_t _iv[12]
    cdef readonly uint64_t sequence

    cdef int _take_keys(self, aead, str method, Secret iv) except -1
    cdef int _make_aead(self, str method) except -1
    cdef bytes _nonce(self)
    cdef int _advance(self) except -1


cdef class Sealer(Numbered):
    cpdef bytes protect(self, uint8_t content_type, content, Py_ssize_t padding)
    cdef int _encrypt(self, bytes nonce, content, bytes additional, bytes record, Py_ssize_t start) except -1


cdef class Opener(Numbered):
    cdef readonly Py_ssize_t max_body
    cdef readonly bint hides_type
    cdef Py_ssize_t _tag_size
    cdef object _failure

    cpdef tuple open(self, bytes header, bytes body)
    cdef bytes _decrypt(self, bytes nonce, body, bytes additional, Py_ssize_t size)


cdef class PlainSealer(Sealer):
    cdef public uint32_t version


cdef class PlainOpener(Opener):
    pass


cdef class Sealer13(Sealer):
    cdef Py_ssize_t _tag_size


cdef class Opener13(Opener):
    pass


cpdef Sealer13 sealer13_later(make, Secret key, Secret iv, Py_ssize_t tag_size)
cpdef Opener13 opener13_later(make, Secret key, Secret iv, failure, Py_ssize_t tag_size)


cdef class Sealer12(Sealer):
    cdef bint _explicit
    cdef Py_ssize_t _tag_size


cdef class Opener12(Opener):
    cdef bint _explicit
