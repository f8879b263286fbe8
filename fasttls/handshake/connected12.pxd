"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.flight cimport Flight
from fasttls.handshake.state cimport ConnectedState
from fasttls.wire.messages cimport ClientHello
from fasttls.wire.messages12 cimport HelloRequest


cdef class _Connected(ConnectedState):
    cdef readonly object master
    cpdef export(self, bytes label, size, bytes context)


cdef class ClientConnected(_Connected):
    cpdef on_hello_request(self, HelloRequest message, Flight flight)


cdef class ServerConnected(_Connected):
    cpdef on_client_hello(self, ClientHello message, Flight flight)
