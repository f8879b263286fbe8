"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.suites12 cimport Suite12
from fasttls.handshake.config cimport Config, Credential
from fasttls.handshake.wanted cimport Wanted
from fasttls.wire.messages cimport ClientHello


cdef class Chosen:
    cdef readonly Suite12 suite
    cdef readonly Credential credential
    cdef readonly object scheme
    cdef readonly object group


cpdef check_hello(Config config, ClientHello hello)
cpdef tuple _credential(Config config, Suite12 suite, Wanted wanted, frozenset groups)
cpdef Chosen choose(Config config, ClientHello hello)
