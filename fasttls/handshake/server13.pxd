"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.events cimport Negotiated
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.choose13 cimport Chosen
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked
from fasttls.handshake.keys13 cimport ApplicationKeys, HandshakeKeys
from fasttls.handshake.psk13 cimport ChosenPsk
from fasttls.handshake.state cimport State
from fasttls.wire.messages cimport Certificate, CertificateRequest, CertificateVerify, ClientHello, EndOfEarlyData, Finished

cpdef answer(config, ClientHello hello, Flight flight, Asked asked)
cpdef _send_retry(config, ClientHello hello, Chosen chosen, Flight flight, Asked asked)
cpdef _agree(config, ClientHello hello, Chosen chosen, ChosenPsk psk, dict extensions)
cpdef _tickets(config, ClientHello hello, ChosenPsk psk)
cpdef _may_be_skipped(config, ChosenPsk psk)


cdef class _EarlyData:
    cdef object _config
    cdef ChosenPsk _psk
    cdef object _random
    cdef object _offered
    cdef object _reason
    cdef readonly object accepted
    cdef object _secret
    cpdef begin(self, Flight flight, HandshakeKeys keys)
cpdef _certificate_request(config)
cpdef _without_changeable(ClientHello hello)


cdef class WaitSecondClientHello(State):
    cdef readonly object config
    cdef readonly ClientHello first
    cdef readonly Chosen chosen
    cdef readonly bytes cookie
    cdef readonly Asked asked
    cpdef on_client_hello(self, ClientHello hello, Flight flight)


cdef class Done:
    cdef readonly object config
    cdef readonly HandshakeKeys keys
    cdef readonly ApplicationKeys application
    cdef readonly Negotiated negotiated
    cdef readonly object tickets


cdef class WaitEndOfEarlyData(State):
    cdef readonly Done done
    cpdef on_end_of_early_data(self, EndOfEarlyData message, Flight flight)


cdef class WaitCertificate(State):
    cdef readonly Done done
    cdef readonly CertificateRequest request
    cpdef on_certificate(self, Certificate message, Flight flight)


cdef class WaitCertificateVerify(State):
    cdef readonly Done done
    cdef readonly PeerIdentity identity
    cpdef on_certificate_verify(self, CertificateVerify message, Flight flight)


cdef class WaitFinished(State):
    cdef readonly Done done
    cpdef on_finished(self, Finished finished, Flight flight)
