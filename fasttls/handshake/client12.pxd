"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule12 cimport MasterSecret, master_secret
from fasttls.events cimport HandshakeCompleted, Negotiated
from fasttls.handshake.auth cimport PeerIdentity, identify_peer, with_staple
from fasttls.handshake.auth12 cimport (
    check_key,
    choose_client_credential,
    send_certificate_verify,
    verify,
)
from fasttls.handshake.client12_common cimport (
    Client12State,
    Session,
    tell_new_session,
)
from fasttls.handshake.client12_resumed cimport Resumable, WaitTicketOrChange, resume
from fasttls.handshake.config cimport Config
from fasttls.handshake.connected12 cimport ClientConnected
from fasttls.handshake.exchange12 cimport Agreed, agree, read_server_params
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.psk12 cimport PskParams, agree_psk
from fasttls.handshake.state cimport readers_of
from fasttls.native._secret cimport Secret
from fasttls.wire.messages cimport ClientHello, Finished, ServerHello
from fasttls.wire.messages12 cimport (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    ChangeCipherSpec,
    NewSessionTicket,
    ServerHelloDone,
    ServerKeyExchange,
)


cpdef begin(Config config, str host, ClientHello hello, ServerHello answer, Flight flight, Resumable resumable=*)
cpdef _check_safety(Config config, ServerHello answer)


cdef class WaitCertificate(Client12State):
    cdef readonly Session session
    cpdef on_certificate(self, Certificate message, Flight flight)


cdef class Server:
    cdef readonly Session session
    cdef readonly PeerIdentity identity
    cpdef Server with_status(self, CertificateStatus status)


cdef class WaitServerKeyExchange(Client12State):
    cdef readonly Server server
    cpdef WaitCertificateRequest on_server_key_exchange(self, ServerKeyExchange message, Flight flight)


cdef class WaitCertificateRequest(Client12State):
    cdef readonly Server server
    cdef readonly object params
    cdef readonly object peer_signature_algorithm
    cpdef WaitServerHelloDone on_certificate_request(self, CertificateRequest message, Flight flight)
    cpdef on_server_hello_done(self, ServerHelloDone message, Flight flight)


cdef class WaitServerHelloDone(Client12State):
    cdef readonly Server server
    cdef readonly object params
    cdef readonly object peer_signature_algorithm
    cdef readonly CertificateRequest request
    cpdef on_server_hello_done(self, ServerHelloDone message, Flight flight)


cdef class WaitStatusOrServerKeyExchange(Client12State):
    cdef readonly Server server
    cpdef WaitServerKeyExchange on_certificate_status(self, CertificateStatus message, Flight flight)
    cpdef WaitCertificateRequest on_server_key_exchange(self, ServerKeyExchange message, Flight flight)


cdef class WaitStatusOrServerHelloDone(Client12State):
    cdef readonly Server server
    cpdef WaitCertificateRequest on_certificate_status(self, CertificateStatus message, Flight flight)
    cpdef WaitServerHelloDone on_certificate_request(self, CertificateRequest message, Flight flight)
    cpdef on_server_hello_done(self, ServerHelloDone message, Flight flight)


cpdef _send_flight(Server server, params, peer_signature_algorithm, CertificateRequest request, Flight flight)
cpdef MasterSecret _master(Session session, Secret premaster, Flight flight)
cpdef _finish(Session session, MasterSecret master, Negotiated negotiated, Flight flight)


cdef class WaitPskServerKeyExchange(Client12State):
    cdef readonly Session session
    cpdef WaitPskServerHelloDone on_server_key_exchange(self, ServerKeyExchange message, Flight flight)


cdef class WaitPskServerHelloDone(Client12State):
    cdef readonly Session session
    cdef readonly PskParams params
    cpdef on_server_hello_done(self, ServerHelloDone message, Flight flight)


cdef class WaitNewSessionTicket(Client12State):
    cdef readonly Config config
    cdef readonly MasterSecret master
    cdef readonly object read_keys
    cdef readonly Negotiated negotiated
    cpdef WaitChangeCipherSpec on_new_session_ticket(self, NewSessionTicket ticket, Flight flight)


cdef class WaitChangeCipherSpec(Client12State):
    cdef readonly Config config
    cdef readonly MasterSecret master
    cdef readonly object read_keys
    cdef readonly Negotiated negotiated
    cdef readonly NewSessionTicket ticket
    cpdef WaitFinished on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitFinished(Client12State):
    cdef readonly Config config
    cdef readonly MasterSecret master
    cdef readonly Negotiated negotiated
    cdef readonly NewSessionTicket ticket
    cpdef ClientConnected on_finished(self, Finished finished, Flight flight)
