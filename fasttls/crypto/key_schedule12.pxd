"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.suites12 cimport Suite12
from fasttls.native._kdf cimport prf12
from fasttls.native._secret cimport Secret


cdef class RecordKeys:
    cdef readonly Suite12 suite
    cdef readonly Secret key
    cdef readonly Secret iv


cdef class MasterSecret:
    cdef public Suite12 suite
    cdef public bint extended
    cdef public Secret _secret
    cdef public bytes _client_random
    cdef public bytes _server_random
    cpdef tuple keys(self)
    cpdef bytes export(self, bytes label, size, bytes context=*)


cpdef MasterSecret master_secret(Suite12 suite, Secret premaster, bytes client_random, bytes server_random,
                                 bytes session_hash)
