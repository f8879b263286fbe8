"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule cimport Exporter, next_traffic_secret, ticket_key
from fasttls.crypto.suites cimport Suite
from fasttls.events cimport KeysUpdated, Negotiated, TicketReceived
from fasttls.handshake.config cimport Config
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.state cimport ConnectedState, readers_of
from fasttls.native._secret cimport Secret
from fasttls.sessions.keys cimport seal_ticket
from fasttls.sessions.session cimport Session
from fasttls.wire.messages cimport KeyUpdate, NewSessionTicket


cdef class _Connected(ConnectedState):
    cdef readonly Suite suite
    cdef readonly Secret read_secret
    cdef readonly Secret write_secret
    cdef readonly Exporter exporter
    cdef readonly Secret resumption
    cdef readonly Config config
    cdef readonly Negotiated negotiated
    cdef readonly bytes finished
    cpdef settle(self)
    cpdef bytes export(self, bytes label, size, bytes context)


cdef class ClientConnected(_Connected):
    cpdef ClientConnected on_new_session_ticket(self, NewSessionTicket ticket, Flight flight)


cdef class ServerConnected(_Connected):
    cpdef issue_tickets(self, Flight flight, count)
