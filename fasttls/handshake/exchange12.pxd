"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.auth cimport PeerIdentity
from fasttls.native._secret cimport Secret
from fasttls.wire.messages12 cimport ClientKeyExchange


cdef class Agreed:
    cdef readonly ClientKeyExchange message
    cdef readonly Secret premaster
    cdef readonly object group
cpdef read_server_params(suite, bytes body)
cpdef agree(config, suite, params, PeerIdentity identity)


cdef class _Ecdhe:
    cdef readonly object group
    cdef readonly object offer
    cpdef finish(self, ClientKeyExchange message)


cdef class _Dhe:
    cdef readonly object group
    cdef readonly object private
    cpdef finish(self, ClientKeyExchange message)


cdef class _Transport:
    cdef readonly object config
    cdef readonly object decrypt
    cdef readonly object size
    cdef readonly object version
    cpdef finish(self, ClientKeyExchange message)
cpdef server_exchange(config, key_exchange, group, decrypt, public_key, client_version=*)
