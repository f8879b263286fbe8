"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule12 cimport MasterSecret
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.state cimport ConnectedState, readers_of
from fasttls.wire.messages cimport ClientHello
from fasttls.wire.messages12 cimport HelloRequest


cdef class _Connected(ConnectedState):
    cdef readonly MasterSecret master
    cpdef settle(self)
    cpdef bytes export(self, bytes label, size, bytes context)


cdef class ClientConnected(_Connected):
    cpdef ClientConnected on_hello_request(self, HelloRequest message, Flight flight)


cdef class ServerConnected(_Connected):
    cpdef ServerConnected on_client_hello(self, ClientHello message, Flight flight)
