"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked
from fasttls.wire.messages cimport ClientHello


cdef class Chosen:
    cdef readonly object suite
    cdef readonly object group
    cdef readonly object share
cpdef check_offer(ClientHello hello)
cpdef choose(config, ClientHello hello, Asked asked, Flight flight)
cpdef _choose_group(config, ClientHello hello, suite)
cpdef _psk_alone(config, ClientHello hello)
