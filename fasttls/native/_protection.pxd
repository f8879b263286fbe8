from libc.stdint cimport uint8_t, uint32_t, uint64_t

from fasttls.native._secret cimport Secret


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
