"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""



cdef class PeerIdentity:
    cdef readonly tuple chain
    cdef readonly object public_key
    cdef readonly tuple path
    cdef readonly bytes ocsp_response
cpdef sign(credential, scheme, bytes content)
cpdef identify_peer(config, tuple chain, purpose, str host, use=*)
cpdef with_staple(config, PeerIdentity identity, bytes response)
cpdef _public_key(bytes der, use)
