"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.flight cimport Flight
from fasttls.handshake.state cimport State
from fasttls.wire.messages cimport ClientHello

cpdef start(config)
cpdef server_name(ClientHello hello)
cpdef _versions(ClientHello hello)
cpdef hello_info(ClientHello hello)


cdef class WaitClientHello(State):
    cdef readonly object config
    cpdef on_client_hello(self, ClientHello hello, Flight flight)
