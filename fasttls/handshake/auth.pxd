"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.trust.path cimport verify_chain


cdef class PeerIdentity:
    cdef readonly tuple chain
    cdef readonly object public_key
    cdef readonly tuple path
    cdef readonly bytes ocsp_response


cpdef bytes sign(credential, scheme, bytes content)
cpdef PeerIdentity identify_peer(config, tuple chain, purpose, str host, use=*)
cpdef PeerIdentity with_staple(config, PeerIdentity identity, bytes response)
cpdef _public_key(bytes der, use)
