"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._finished cimport finished13, finished13_matches
from fasttls.native._secret cimport Secret


cdef class FinishedKey:
    cdef readonly str hash_name
    cdef readonly Secret base_key
    cpdef bytes mac(self, bytes transcript_hash)
    cpdef bint verify(self, bytes verify_data, bytes transcript_hash)
