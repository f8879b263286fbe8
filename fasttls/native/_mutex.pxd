"""C declarations of the module beside."""

cimport cython
from cpython.pythread cimport PyThread_type_lock


@cython.final
cdef class Mutex:
    cdef PyThread_type_lock _lock
    cdef object _patched
    cdef bint _held
    cpdef bint acquire(self) except -1
    cpdef bint acquire_now(self) except -1
    cpdef bint acquire_within(self, double seconds) except -1
    cpdef release(self)
    cdef bint _wait(self, double seconds) except -1
