"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.config cimport Config
from fasttls.native._secret cimport Secret
from fasttls.native._wire cimport Reader, Writer
from fasttls.wire.messages12 cimport ClientKeyExchange


cdef class PskParams:
    cdef readonly bytes hint
    cdef readonly object group
    cdef readonly bytes public
    cpdef bytes encode(self)


cdef class PskKeyExchange:
    cdef readonly bytes identity
    cdef readonly bytes public
    cpdef ClientKeyExchange message(self)


cdef class AgreedPsk:
    cdef readonly ClientKeyExchange message
    cdef readonly Secret premaster
    cdef readonly bytes identity


cpdef client_psk(Config config, bytes hint)
cpdef AgreedPsk agree_psk(Config config, PskParams params)
cpdef Secret psk_premaster(Secret shared, Secret key)
