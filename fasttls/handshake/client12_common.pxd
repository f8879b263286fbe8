"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule12 cimport MasterSecret
from fasttls.crypto.suites12 cimport Suite12
from fasttls.events cimport Negotiated, TicketReceived
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.config cimport Config
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.state cimport State
from fasttls.native._secret cimport Secret
from fasttls.wire.messages cimport ClientHello, ServerHello
from fasttls.sessions.session cimport Session as Resumption
from fasttls.wire.messages12 cimport CertificateRequest, NewSessionTicket


cdef class Client12State(State):
    pass


cdef class Session:
    cdef readonly Config config
    cdef readonly str host
    cdef readonly ClientHello hello
    cdef readonly ServerHello answer
    cdef readonly Suite12 suite


cpdef Negotiated negotiated_of(Session session, PeerIdentity identity, peer_signature_algorithm, group=*,
                               own_signature_algorithm=*, CertificateRequest request=*, Resumption resumed=*,
                               bytes psk_identity=*)
cpdef tell_new_session(Config config, MasterSecret master, Negotiated negotiated, NewSessionTicket ticket,
                       Flight flight)
