"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.signatures cimport curve_of
from fasttls.crypto.suites12 cimport Suite12
from fasttls.handshake.auth12 cimport choose_scheme
from fasttls.handshake.config cimport Config, Credential
from fasttls.handshake.wanted cimport Wanted
from fasttls.wire.messages cimport ClientHello


cdef class Chosen:
    cdef readonly Suite12 suite
    cdef readonly Credential credential
    cdef readonly object scheme
    cdef readonly object group


cpdef list _common_suites(dict ours, ClientHello hello, bint prefer_ours)
cpdef frozenset _groups_of(ClientHello hello)
cpdef _group(Config config, Suite12 suite, frozenset offered)
cpdef _first(groups, frozenset offered)
cpdef bint _curve_is_offered(Credential credential, frozenset offered) except -1
cpdef check_hello(Config config, ClientHello hello)
cpdef tuple _credential(Config config, Suite12 suite, Wanted wanted, frozenset groups)
cpdef Chosen choose(Config config, ClientHello hello)
