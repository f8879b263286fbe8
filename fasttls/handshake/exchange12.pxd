"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.suites12 cimport Suite12
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.config cimport Config
from fasttls.native._secret cimport Secret
from fasttls.wire.messages12 cimport ClientKeyExchange, read_ecdhe, read_public, write_public


cdef class Agreed:
    cdef readonly ClientKeyExchange message
    cdef readonly Secret premaster
    cdef readonly object group


cpdef tuple read_server_params(Suite12 suite, bytes body)
cpdef Agreed agree(Config config, Suite12 suite, params, PeerIdentity identity)


cdef class _Ecdhe:
    cdef readonly object group
    cdef readonly object offer
    cpdef Secret finish(self, ClientKeyExchange message)


cdef class _Dhe:
    cdef readonly object group
    cdef readonly object private
    cpdef Secret finish(self, ClientKeyExchange message)


cdef class _Transport:
    cdef readonly Config config
    cdef readonly object decrypt
    cdef readonly object size
    cdef readonly object version
    cpdef Secret finish(self, ClientKeyExchange message)


cpdef server_exchange(Config config, key_exchange, group, decrypt, public_key, client_version=*)
