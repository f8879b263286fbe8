"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.events cimport Negotiated
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.client12_common cimport Client12State, Session
from fasttls.handshake.flight cimport Flight
from fasttls.wire.messages cimport ClientHello, Finished
from fasttls.wire.messages12 cimport ChangeCipherSpec, NewSessionTicket


cdef class Resumable:
    cdef readonly object session
    cdef readonly PeerIdentity peer
cpdef offer_session(config, session, str host, ClientHello hello)
cpdef resume(Session session, Resumable resumable, Flight flight)


cdef class WaitTicketOrChange(Client12State):
    cdef readonly object config
    cdef readonly object master
    cdef readonly Negotiated negotiated
    cdef readonly bytes promised
    cpdef on_new_session_ticket(self, NewSessionTicket ticket, Flight flight)
    cpdef on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitResumedChange(Client12State):
    cdef readonly object config
    cdef readonly object master
    cdef readonly Negotiated negotiated
    cdef readonly NewSessionTicket ticket
    cpdef on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitResumedFinished(Client12State):
    cdef readonly object config
    cdef readonly object master
    cdef readonly object write_keys
    cdef readonly Negotiated negotiated
    cdef readonly NewSessionTicket ticket
    cpdef on_finished(self, Finished finished, Flight flight)
