"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._mutex cimport Mutex


cdef class Counters:
    cdef object __weakref__
    cdef public Mutex _lock
    cdef public dict _counts
    cpdef add(self, str name, str another=*)
    cpdef dict read(self)
