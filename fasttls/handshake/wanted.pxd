"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.config cimport Config, Credential


cdef class Wanted:
    cdef readonly list schemes
    cdef readonly tuple _accepted_cert
    cdef public frozenset _for_chains
    cdef readonly frozenset _names
    cpdef tuple rank(self, Credential credential)


cpdef frozenset names_of(tuple authorities)
