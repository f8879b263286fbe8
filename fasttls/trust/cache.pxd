"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cdef class _Kept:
    cdef object __weakref__
    cdef public Py_ssize_t _size
    cdef public Py_ssize_t _room
    cdef public Py_ssize_t _used
    cdef public dict _kept
    cdef public object _lock
    cdef public Py_ssize_t _hits
    cdef public Py_ssize_t _misses
    cdef public bint enabled
    cpdef find(self, key)
    cpdef _touch(self, key)
    cpdef keep(self, key, value)
    cpdef _drop(self, Py_ssize_t count)
    cpdef clear(self)
