"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._secret cimport Secret


cdef class TrafficSecrets:
    cdef readonly Secret client
    cdef readonly Secret server


cdef class EarlySecret:
    cdef public str hash_name
    cdef public object _secret
    cpdef _derive(self, bytes label, bytes transcript_hash)
    cpdef binder_key(self, bytes label)
    cpdef client_traffic(self, bytes client_hello)
    cpdef exporter(self, bytes client_hello)
    cpdef into_handshake(self, Secret shared)


cdef class HandshakeSecret:
    cdef public str hash_name
    cdef public Secret _secret
    cpdef traffic(self, bytes hellos)
    cpdef into_master(self)


cdef class MasterSecret:
    cdef public str hash_name
    cdef public Secret _secret
    cpdef traffic(self, bytes to_server_finished)
    cpdef exporter(self, bytes to_server_finished)
    cpdef into_resumption(self, bytes to_client_finished)


cdef class Exporter:
    cdef public str hash_name
    cdef public Secret secret
    cpdef export(self, bytes label, size, bytes context=*)
cpdef next_traffic_secret(str hash_name, Secret secret)
cpdef ticket_key(str hash_name, Secret resumption, bytes nonce)
