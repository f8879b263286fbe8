"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule12 cimport MasterSecret
from fasttls.events cimport HandshakeCompleted, Negotiated
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.client12_common cimport (
    Client12State,
    Session,
    tell_new_session,
)
from fasttls.handshake.config cimport Config
from fasttls.handshake.connected12 cimport ClientConnected
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.resume cimport usable_session
from fasttls.handshake.state cimport readers_of
from fasttls.native._secret cimport Secret
from fasttls.wire.messages cimport ClientHello, Finished
from fasttls.wire.messages12 cimport ChangeCipherSpec, NewSessionTicket


cdef class Resumable:
    cdef readonly object session
    cdef readonly PeerIdentity peer


cpdef Resumable offer_session(Config config, session, str host, ClientHello hello)
cpdef WaitTicketOrChange resume(Session session, Resumable resumable, Flight flight)


cdef class WaitTicketOrChange(Client12State):
    cdef readonly Config config
    cdef readonly MasterSecret master
    cdef readonly Negotiated negotiated
    cdef readonly bytes promised
    cpdef WaitResumedChange on_new_session_ticket(self, NewSessionTicket ticket, Flight flight)
    cpdef WaitResumedFinished on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitResumedChange(Client12State):
    cdef readonly Config config
    cdef readonly MasterSecret master
    cdef readonly Negotiated negotiated
    cdef readonly NewSessionTicket ticket
    cpdef WaitResumedFinished on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitResumedFinished(Client12State):
    cdef readonly Config config
    cdef readonly MasterSecret master
    cdef readonly object write_keys
    cdef readonly Negotiated negotiated
    cdef readonly NewSessionTicket ticket
    cpdef ClientConnected on_finished(self, Finished finished, Flight flight)
