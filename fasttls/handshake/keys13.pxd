"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.finished cimport FinishedKey
from fasttls.crypto.key_schedule cimport (
    EarlySecret,
    Exporter,
    HandshakeSecret,
    MasterSecret,
    TrafficSecrets,
)
from fasttls.crypto.suites cimport Suite
from fasttls.handshake.flight cimport Flight
from fasttls.native._secret cimport Secret


cdef class ApplicationKeys:
    cdef readonly TrafficSecrets traffic
    cdef readonly Exporter exporter
    cdef readonly MasterSecret master


cdef class HandshakeKeys:
    cdef readonly Suite suite
    cdef readonly bytes client_random
    cdef readonly HandshakeSecret secret
    cdef readonly TrafficSecrets traffic
    cpdef FinishedKey client_finished(self)
    cpdef FinishedKey server_finished(self)
    cpdef wipe(self)
    cpdef ApplicationKeys into_application(self, bytes to_server_finished, Flight flight)


cpdef HandshakeKeys handshake_keys(Suite suite, Secret shared, bytes client_random, Flight flight, EarlySecret early=*)
