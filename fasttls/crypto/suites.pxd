"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from libc.stdint cimport uint64_t


cdef class Suite:
    cdef readonly object code
    cdef readonly str hash_name
    cdef readonly Py_ssize_t hash_size
    cdef readonly Py_ssize_t key_size
    cdef readonly Py_ssize_t tag_size
    cdef readonly object aead
    cdef readonly uint64_t record_limit
