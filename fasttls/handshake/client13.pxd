"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython

from fasttls.events cimport EarlyDataAnswered, HandshakeCompleted, Negotiated
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.auth13 cimport (
    check_certificate,
    check_certificate_verify,
    choose_credential,
    send_certificate,
    send_certificate_verify,
)
from fasttls.handshake.config cimport Config
from fasttls.handshake.connected13 cimport ClientConnected
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.keys13 cimport HandshakeKeys, handshake_keys
from fasttls.handshake.post_auth13 cimport ClientMayAuthenticate
from fasttls.handshake.psk13 cimport PskOffer, selected_offer
from fasttls.handshake.state cimport State, readers_of
from fasttls.native._secret cimport Secret
from fasttls.wire.extensions cimport KeyShareEntry, unsolicited
from fasttls.wire.messages cimport (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    EndOfEarlyData,
    Finished,
    ServerHello,
)


cdef class Opening:
    cdef readonly Config config
    cdef readonly str host
    cdef readonly ClientHello hello
    cdef readonly dict shares
    cdef readonly tuple psks


cdef class Session:
    cdef readonly Config config
    cdef readonly str host
    cdef readonly ClientHello hello
    cdef readonly ServerHello answer
    cdef readonly object group
    cdef readonly bint retried
    cdef readonly PskOffer psk
    cdef readonly bint early


cpdef WaitEncryptedExtensions begin(Opening opening, ServerHello answer, Flight flight, bint retried, bint early=*)


@cython.locals(share=KeyShareEntry)
cpdef tuple _agreed(Opening opening, ServerHello answer, PskOffer psk)


cdef class WaitEncryptedExtensions(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cpdef on_encrypted_extensions(self, EncryptedExtensions message, Flight flight)
    cpdef _answer_early(self, bint accepted, bytes alpn, Flight flight)


cpdef WaitCertificateVerify _on_certificate(state, Certificate message, CertificateRequest request)


cdef class WaitCertificateOrRequest(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cdef readonly bytes alpn
    cpdef WaitCertificate on_certificate_request(self, CertificateRequest request, Flight flight)
    cpdef WaitCertificateVerify on_certificate(self, Certificate message, Flight flight)


cdef class WaitCertificate(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cdef readonly bytes alpn
    cdef readonly CertificateRequest request
    cpdef WaitCertificateVerify on_certificate(self, Certificate message, Flight flight)


cdef class WaitCertificateVerify(State):
    cdef readonly Session session
    cdef readonly HandshakeKeys keys
    cdef readonly bytes alpn
    cdef readonly CertificateRequest request
    cdef readonly PeerIdentity identity
    cpdef WaitFinished on_certificate_verify(self, CertificateVerify message, Flight flight)


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
    cpdef Negotiated _negotiated(self, own_algorithm)
