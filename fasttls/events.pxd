"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.sessions.session cimport Session


cdef class Negotiated:
    cdef readonly object version
    cdef readonly object suite
    cdef readonly object group
    cdef readonly bint retried
    cdef readonly str server_name
    cdef readonly bytes alpn
    cdef readonly bytes client_random
    cdef readonly bytes server_random
    cdef readonly bytes legacy_session_id
    cdef readonly tuple client_suites
    cdef readonly tuple own_suites
    cdef readonly tuple peer_chain
    cdef readonly tuple verified_path
    cdef readonly object peer_signature_algorithm
    cdef readonly object own_signature_algorithm
    cdef readonly bint client_certificate_requested
    cdef readonly bint extended_master_secret
    cdef readonly bytes tls_unique
    cdef readonly bytes ocsp_response
    cdef readonly tuple peer_authorities
    cdef readonly bytes own_certificate
    cdef readonly bint may_authenticate
    cdef readonly Session session
    cdef readonly bytes psk_identity
    cpdef Negotiated with_tls_unique(self, bytes value)


cdef class HandshakeCompleted:
    cdef readonly Negotiated negotiated


cdef class PeerAuthenticated:
    cdef readonly Negotiated negotiated


cdef class ApplicationData:
    cdef readonly bytes data


cdef class PeerClosed:
    pass


cdef class KeysUpdated:
    cdef readonly bint requested


cdef class TicketReceived:
    cdef readonly object lifetime_seconds
    cdef readonly Session session


cdef class EarlyData:
    cdef readonly bytes data


cdef class EarlyDataAnswered:
    cdef readonly bint accepted
    cdef readonly str reason
