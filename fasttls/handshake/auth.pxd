"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.signatures cimport PublicKey
from fasttls.handshake.config cimport Config, Credential
from fasttls.trust.path cimport verify_chain


cdef class PeerIdentity:
    cdef readonly tuple chain
    cdef readonly PublicKey public_key
    cdef readonly tuple path
    cdef readonly bytes ocsp_response


cpdef bytes sign(Credential credential, scheme, bytes content)
cpdef PeerIdentity identify_peer(Config config, tuple chain, purpose, str host, use=*)
cpdef PeerIdentity with_staple(Config config, PeerIdentity identity, bytes response)
cpdef _public_key(bytes der, use, asked)
