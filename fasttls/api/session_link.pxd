"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.api.channel cimport Channel
from fasttls.connection cimport Connection
from fasttls.events cimport Negotiated, TicketReceived
from fasttls.native._secret cimport Secret
from fasttls.sessions.counters cimport Counters
from fasttls.sessions.session cimport Session


cdef class SessionLink:
    cdef public object _context
    cdef public Connection _connection
    cdef public Channel _channel
    cdef public Counters _counters
    cdef public bint begun
    cdef public object _place
    cdef public bint _received
    cdef public Session _session
    cdef public Negotiated _completed
    cdef public double _completed_at
    cdef public object _shown
    cpdef go_on_with(self, Connection connection)
    cpdef give(self, session)
    cpdef begin(self)
    cpdef _port(self)
    cpdef completed(self, Negotiated negotiated)
    cpdef received(self, TicketReceived ticket)
    cpdef failed(self)


cpdef Py_ssize_t _weight(Session session) except -1
cpdef Session _without_ticket(Negotiated negotiated, now)
