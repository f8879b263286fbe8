"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.events cimport Negotiated
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked
from fasttls.handshake.state cimport State
from fasttls.wire.messages cimport CertificateVerify, ClientHello, Finished
from fasttls.wire.messages12 cimport Certificate, ChangeCipherSpec, ClientKeyExchange


cdef class _State(State):
    pass


cdef class Chosen:
    cdef readonly object suite
    cdef readonly object credential
    cdef readonly object scheme
    cdef readonly object group
cpdef _check_hello(config, ClientHello hello)
cpdef _credential(config, suite, ClientHello hello, tuple accepted)
cpdef answer(config, ClientHello hello, Flight flight, Asked asked)
cpdef _extensions(ClientHello hello, suite, Asked asked, bytes alpn)
cpdef _answer_with_psk(config, ClientHello hello, tuple chosen, Flight flight, Asked asked)


cdef class WaitPskKeyExchange(_State):
    cdef readonly object config
    cdef readonly object offer
    cdef readonly Negotiated negotiated
    cpdef on_client_key_exchange(self, ClientKeyExchange message, Flight flight)


cdef class Session:
    cdef readonly object config
    cdef readonly object suite
    cdef readonly object exchange
    cdef readonly Negotiated negotiated
    cdef readonly bint ticket


cdef class WaitCertificate(_State):
    cdef readonly Session session
    cpdef on_certificate(self, Certificate message, Flight flight)


cdef class WaitClientKeyExchange(_State):
    cdef readonly Session session
    cdef readonly PeerIdentity identity
    cpdef on_client_key_exchange(self, ClientKeyExchange message, Flight flight)


cdef class WaitCertificateVerify(_State):
    cdef readonly Session session
    cdef readonly object master
    cdef readonly Negotiated negotiated
    cdef readonly PeerIdentity identity
    cpdef on_certificate_verify(self, CertificateVerify message, Flight flight)


cdef class WaitChangeCipherSpec(_State):
    cdef readonly Session session
    cdef readonly object master
    cdef readonly Negotiated negotiated
    cpdef on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitFinished(_State):
    cdef readonly Session session
    cdef readonly object master
    cdef readonly object write_keys
    cdef readonly Negotiated negotiated
    cpdef on_finished(self, Finished finished, Flight flight)
