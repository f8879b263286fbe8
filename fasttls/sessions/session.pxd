"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._secret cimport Secret
from fasttls.native._wire cimport Reader, Writer


cdef class Session:
    cdef readonly object version
    cdef readonly object suite
    cdef readonly Secret secret
    cdef readonly object created
    cdef readonly object lifetime
    cdef readonly str server_name
    cdef readonly bytes alpn
    cdef readonly tuple peer_chain
    cdef readonly object peer_signature_algorithm
    cdef readonly bint extended_master_secret
    cdef readonly bytes ticket
    cdef readonly bytes session_id
    cdef readonly object age_add
    cdef readonly object max_early_data
    cdef readonly bint verified
    cpdef expired(self, now)
    cpdef obfuscated_age(self, now)
    cpdef age(self, obfuscated)
    cpdef Session with_ticket(self, bytes ticket)
    cpdef bytes to_bytes(self)


cpdef Session _read(Reader reader)
