"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._kdf cimport derive_secret, hkdf_expand_label, hkdf_extract
from fasttls.native._secret cimport Secret


cdef class TrafficSecrets:
    cdef readonly Secret client
    cdef readonly Secret server


cdef class EarlySecret:
    cdef public str hash_name
    cdef public object _secret
    cpdef Secret _derive(self, bytes label, bytes transcript_hash)
    cpdef Secret binder_key(self, bytes label)
    cpdef Secret client_traffic(self, bytes client_hello)
    cpdef Exporter exporter(self, bytes client_hello)
    cpdef HandshakeSecret into_handshake(self, Secret shared)


cdef class HandshakeSecret:
    cdef public str hash_name
    cdef public Secret _secret
    cpdef TrafficSecrets traffic(self, bytes hellos)
    cpdef MasterSecret into_master(self)


cdef class MasterSecret:
    cdef public str hash_name
    cdef public Secret _secret
    cpdef TrafficSecrets traffic(self, bytes to_server_finished)
    cpdef Exporter exporter(self, bytes to_server_finished)
    cpdef Secret into_resumption(self, bytes to_client_finished)


cdef class Exporter:
    cdef public str hash_name
    cdef public Secret secret
    cpdef bytes export(self, bytes label, size, bytes context=*)


cpdef Secret next_traffic_secret(str hash_name, Secret secret)
cpdef Secret ticket_key(str hash_name, Secret resumption, bytes nonce)
