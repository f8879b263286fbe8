"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.suites12 cimport Suite12
from fasttls.native._finished cimport finished12, finished12_matches
from fasttls.native._kdf cimport key_block12, prf12
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
    cpdef bytes finished(self, bytes transcript_hash, bint of_client)
    cpdef bint finished_matches(self, bytes verify_data, bytes transcript_hash, bint of_client)
    cpdef bytes export(self, bytes label, size, bytes context=*)


cpdef MasterSecret master_secret(Suite12 suite, Secret premaster, bytes client_random, bytes server_random,
                                 bytes session_hash)
