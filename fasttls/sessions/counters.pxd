"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cdef class Counters:
    cdef object __weakref__
    cdef public object _lock
    cdef public dict _counts
    cpdef add(self, str name, str another=*)
    cpdef dict read(self)
