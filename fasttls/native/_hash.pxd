from fasttls.native._sha2 cimport ft_hash


cdef class Transcript:
    cdef ft_hash _now
    cdef ft_hash _before  # _now as it was before the last message
    cdef str _name
    cdef list _waiting
    cdef list _kept  # every message, when they are kept; else None
    cdef bytes _last  # the last message

    cpdef choose(self, str name, bint retried=*, bint keep=*)
    cpdef add(self, bytes message)
    cpdef bytes digest(self)
    cpdef bytes digest_before(self)
    cpdef bytes digest_without_tail(self, str name, Py_ssize_t tail)
    cpdef replace_with_message_hash(self)
    cpdef Transcript copy(self)
    cdef int _check(self) except -1
