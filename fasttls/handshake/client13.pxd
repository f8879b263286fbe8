"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.keys13 cimport HandshakeKeys
from fasttls.handshake.psk13 cimport PskOffer
from fasttls.handshake.state cimport State
from fasttls.wire.messages cimport Certificate, CertificateRequest, CertificateVerify, ClientHello, EncryptedExtensions, Finished, ServerHello


cdef class Opening:
    cdef readonly object config
    cdef readonly str host
    cdef readonly ClientHello hello
    cdef readonly dict shares
    cdef readonly tuple psks


cdef class Session:
    cdef readonly object config
    cdef readonly str host
    cdef readonly ClientHello hello
    cdef readonly ServerHello answer
    cdef readonly object group
    cdef readonly bint retried
    cdef readonly PskOffer psk
    cdef readonly bint early
cpdef _agreed(Opening opening, ServerHello answer, PskOffer psk)


cdef class WaitEncryptedExtensions(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cpdef on_encrypted_extensions(self, EncryptedExtensions message, Flight flight)
    cpdef _answer_early(self, bint accepted, bytes alpn, Flight flight)
cpdef _on_certificate(state, Certificate message, CertificateRequest request)


cdef class WaitCertificateOrRequest(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cdef readonly bytes alpn
    cpdef on_certificate_request(self, CertificateRequest request, Flight flight)
    cpdef on_certificate(self, Certificate message, Flight flight)


cdef class WaitCertificate(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cdef readonly bytes alpn
    cdef readonly CertificateRequest request
    cpdef on_certificate(self, Certificate message, Flight flight)


cdef class WaitCertificateVerify(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cdef readonly bytes alpn
    cdef readonly CertificateRequest request
    cdef readonly PeerIdentity identity
    cpdef on_certificate_verify(self, CertificateVerify message, Flight flight)


cdef class WaitFinished(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cdef readonly bytes alpn
    cdef readonly CertificateRequest request
    cdef readonly PeerIdentity identity
    cdef readonly object peer_signature_algorithm
    cdef readonly bint early
    cpdef on_finished(self, Finished finished, Flight flight)
    cpdef _authenticate(self, Flight flight)
    cpdef _negotiated(self, own_algorithm)
