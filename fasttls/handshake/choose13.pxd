"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.auth13 cimport choose_credential
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked
from fasttls.handshake.psk13 cimport ChosenPsk, choose_psk
from fasttls.wire.messages cimport ClientHello


cdef class Chosen:
    cdef readonly object suite
    cdef readonly object group
    cdef readonly object share


cpdef check_offer(ClientHello hello)
cpdef tuple choose(config, ClientHello hello, Asked asked, Flight flight)
cpdef Chosen _choose_group(config, ClientHello hello, suite)
cpdef _psk_alone(config, ClientHello hello)
