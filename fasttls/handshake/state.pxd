"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.flight cimport Flight
from fasttls.wire.messages cimport Message
from fasttls.wire.messages12 cimport ChangeCipherSpec


cpdef dict readers_of(handlers)


cdef class State:
    cpdef str explain_alert(self, description)


cdef class ConnectedState(State):
    cpdef settle(self)
    cpdef bytes export(self, bytes label, size, bytes context)
