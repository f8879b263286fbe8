"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.events cimport Negotiated
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.client12_common cimport Client12State, Session
from fasttls.handshake.client12_resumed cimport Resumable
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.psk12 cimport PskParams
from fasttls.native._secret cimport Secret
from fasttls.wire.messages cimport ClientHello, Finished, ServerHello
from fasttls.wire.messages12 cimport Certificate, CertificateRequest, CertificateStatus, ChangeCipherSpec, NewSessionTicket, ServerHelloDone, ServerKeyExchange

cpdef begin(config, str host, ClientHello hello, ServerHello answer, Flight flight, Resumable resumable=*)
cpdef _check_safety(config, ServerHello answer)


cdef class WaitCertificate(Client12State):
    cdef readonly Session session
    cpdef on_certificate(self, Certificate message, Flight flight)


cdef class Server:
    cdef readonly Session session
    cdef readonly PeerIdentity identity
    cpdef with_status(self, CertificateStatus status)


cdef class WaitServerKeyExchange(Client12State):
    cdef readonly Server server
    cpdef on_server_key_exchange(self, ServerKeyExchange message, Flight flight)


cdef class WaitCertificateRequest(Client12State):
    cdef readonly Server server
    cdef readonly object params
    cdef readonly object peer_signature_algorithm
    cpdef on_certificate_request(self, CertificateRequest message, Flight flight)
    cpdef on_server_hello_done(self, ServerHelloDone message, Flight flight)


cdef class WaitServerHelloDone(Client12State):
    cdef readonly Server server
    cdef readonly object params
    cdef readonly object peer_signature_algorithm
    cdef readonly CertificateRequest request
    cpdef on_server_hello_done(self, ServerHelloDone message, Flight flight)


cdef class WaitStatusOrServerKeyExchange(Client12State):
    cdef readonly Server server
    cpdef on_certificate_status(self, CertificateStatus message, Flight flight)
    cpdef on_server_key_exchange(self, ServerKeyExchange message, Flight flight)


cdef class WaitStatusOrServerHelloDone(Client12State):
    cdef readonly Server server
    cpdef on_certificate_status(self, CertificateStatus message, Flight flight)
    cpdef on_certificate_request(self, CertificateRequest message, Flight flight)
    cpdef on_server_hello_done(self, ServerHelloDone message, Flight flight)
cpdef _send_flight(Server server, params, peer_signature_algorithm, CertificateRequest request, Flight flight)
cpdef _master(Session session, Secret premaster, Flight flight)
cpdef _finish(Session session, master, Negotiated negotiated, Flight flight)


cdef class WaitPskServerKeyExchange(Client12State):
    cdef readonly Session session
    cpdef on_server_key_exchange(self, ServerKeyExchange message, Flight flight)


cdef class WaitPskServerHelloDone(Client12State):
    cdef readonly Session session
    cdef readonly PskParams params
    cpdef on_server_hello_done(self, ServerHelloDone message, Flight flight)


cdef class WaitNewSessionTicket(Client12State):
    cdef readonly object config
    cdef readonly object master
    cdef readonly object read_keys
    cdef readonly Negotiated negotiated
    cpdef on_new_session_ticket(self, NewSessionTicket ticket, Flight flight)


cdef class WaitChangeCipherSpec(Client12State):
    cdef readonly object config
    cdef readonly object master
    cdef readonly object read_keys
    cdef readonly Negotiated negotiated
    cdef readonly NewSessionTicket ticket
    cpdef on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitFinished(Client12State):
    cdef readonly object config
    cdef readonly object master
    cdef readonly Negotiated negotiated
    cdef readonly NewSessionTicket ticket
    cpdef on_finished(self, Finished finished, Flight flight)
