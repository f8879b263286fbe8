"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.events cimport Negotiated
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked
from fasttls.handshake.state cimport State
from fasttls.wire.messages cimport ClientHello, Finished
from fasttls.wire.messages12 cimport ChangeCipherSpec


cdef class Found:
    cdef readonly object session
    cdef readonly PeerIdentity peer
    cdef readonly bint renew
cpdef find(config, ClientHello hello, Asked asked)
cpdef offer(config, ClientHello hello, dict extensions)
cpdef resume(config, ClientHello hello, Flight flight, Asked asked, Found found, extensions_of)


cdef class _State(State):
    pass


cdef class WaitChangeCipherSpec(_State):
    cdef readonly object master
    cdef readonly object read_keys
    cdef readonly Negotiated negotiated
    cpdef on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitFinished(_State):
    cdef readonly object master
    cdef readonly Negotiated negotiated
    cpdef on_finished(self, Finished finished, Flight flight)
