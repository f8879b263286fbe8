"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.config cimport Config
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked, version_label, version_range
from fasttls.handshake.state cimport State, readers_of
from fasttls.wire.messages cimport ClientHello


cpdef State start(Config config)
cpdef str server_name(ClientHello hello)
cpdef tuple _versions(ClientHello hello)
cpdef choose_version(Config config, ClientHello hello)
cpdef hello_info(ClientHello hello)


cdef class WaitClientHello(State):
    cdef readonly Config config
    cpdef on_client_hello(self, ClientHello hello, Flight flight)
