"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.suites cimport Suite
from fasttls.handshake.auth13 cimport choose_credential
from fasttls.handshake.config cimport Config
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked
from fasttls.handshake.psk13 cimport ChosenPsk, choose_psk
from fasttls.wire.extensions cimport KeyShareEntry
from fasttls.wire.messages cimport ClientHello


cdef class Chosen:
    cdef readonly Suite suite
    cdef readonly object group
    cdef readonly KeyShareEntry share


cpdef check_offer(ClientHello hello)
cpdef list _common_suites(Config config, ClientHello hello)
cpdef tuple choose(Config config, ClientHello hello, Asked asked, Flight flight)
cpdef Chosen _choose_group(Config config, ClientHello hello, Suite suite)
cpdef _psk_alone(Config config, ClientHello hello)
cpdef tuple credential_for(Config config, ClientHello hello)
