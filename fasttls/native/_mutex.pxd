"""C declarations of the module beside."""

cimport cython
from cpython.pythread cimport PyThread_type_lock


@cython.final
cdef class Mutex:
    cdef object _patched
    cdef PyThread_type_lock _gate  # made for the first that waits; closed but while _open
    cdef bint _open
    cdef Py_ssize_t _waiting
    cdef bint _held
    cdef unsigned long _owner
    cpdef bint acquire(self) except -1
    cpdef bint acquire_now(self) except -1
    cpdef bint acquire_within(self, double seconds) except -1
    cpdef release(self)
    cpdef bint is_mine(self) except -1
    cdef unsigned long _this_thread(self) except? 0
    cdef bint _taken(self) except -1
    cdef bint _wait(self, double seconds) except -1
