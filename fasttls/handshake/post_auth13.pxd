"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.events cimport Negotiated, PeerAuthenticated
from fasttls.handshake.auth cimport PeerIdentity, sign
from fasttls.handshake.auth13 cimport (
    certificate_request,
    check_certificate_verify,
    choose_credential,
)
from fasttls.handshake.connected13 cimport ClientConnected, ServerConnected
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.state cimport ConnectedState, readers_of
from fasttls.native._hash cimport Transcript
from fasttls.wire.messages cimport (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    Finished,
    KeyUpdate,
    NewSessionTicket,
)


cdef class ClientMayAuthenticate(ConnectedState):
    cdef readonly ClientConnected inner
    cpdef bytes export(self, bytes label, size, bytes context)
    cpdef ClientMayAuthenticate on_key_update(self, KeyUpdate update, Flight flight)
    cpdef ClientMayAuthenticate on_new_session_ticket(self, NewSessionTicket ticket, Flight flight)
    cpdef ClientMayAuthenticate on_certificate_request(self, CertificateRequest request, Flight flight)


cpdef _send(message, Transcript transcript, Flight flight)
cpdef WaitCertificate ask(ConnectedState state, Flight flight)


cdef class _Asking(ConnectedState):
    cdef readonly ServerConnected inner
    cdef readonly CertificateRequest request
    cdef readonly Transcript transcript
    cpdef bytes export(self, bytes label, size, bytes context)


cdef class WaitCertificate(_Asking):
    cpdef WaitCertificate on_key_update(self, KeyUpdate update, Flight flight)
    cpdef on_certificate(self, Certificate message, Flight flight)


cdef class WaitCertificateVerify(_Asking):
    cdef readonly PeerIdentity identity
    cpdef WaitFinished on_certificate_verify(self, CertificateVerify message, Flight flight)


cdef class WaitFinished(_Asking):
    cdef readonly Negotiated authenticated
    cpdef ServerConnected on_finished(self, Finished finished, Flight flight)
