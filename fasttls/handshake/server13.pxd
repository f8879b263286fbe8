"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.events cimport EarlyDataAnswered, HandshakeCompleted, Negotiated
from fasttls.handshake.alpn cimport choose_alpn
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.auth13 cimport (
    certificate_request,
    check_certificate,
    check_certificate_verify,
    send_certificate,
    send_certificate_verify,
)
from fasttls.handshake.choose13 cimport Chosen, check_offer, choose, credential_for
from fasttls.handshake.config cimport Config
from fasttls.handshake.connected13 cimport ServerConnected
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked, server_random
from fasttls.handshake.keys13 cimport ApplicationKeys, HandshakeKeys, handshake_keys
from fasttls.handshake.psk13 cimport ChosenPsk, choose_psk, early_data_refusal, use_up
from fasttls.handshake.state cimport State, readers_of
from fasttls.native._secret cimport Secret
from fasttls.wire.messages cimport (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    EndOfEarlyData,
    Finished,
    HelloRetryRequest,
    ServerHello,
)


cpdef answer(Config config, ClientHello hello, Flight flight, Asked asked)
cpdef WaitSecondClientHello _send_retry(Config config, ClientHello hello, Chosen chosen, Flight flight, Asked asked)
cpdef _send_flight(Config config, ClientHello hello, Chosen chosen, ChosenPsk psk, Flight flight, Asked asked,
                   bint retried)
cpdef tuple _agree(Config config, ClientHello hello, Chosen chosen, ChosenPsk psk, dict extensions)
cpdef _tickets(Config config, ClientHello hello, ChosenPsk psk)
cpdef _may_be_skipped(Config config, ChosenPsk psk)


cdef class _EarlyData:
    cdef public Config _config
    cdef public ChosenPsk _psk
    cdef public object _random
    cdef public object _offered
    cdef public object _reason
    cdef public object accepted
    cdef public object _secret
    cpdef begin(self, Flight flight, HandshakeKeys keys)


cpdef CertificateRequest _certificate_request(Config config)
cpdef ClientHello _without_changeable(ClientHello hello)


cdef class WaitSecondClientHello(State):
    cdef readonly Config config
    cdef readonly ClientHello first
    cdef readonly Chosen chosen
    cdef readonly bytes cookie
    cdef readonly Asked asked
    cpdef on_client_hello(self, ClientHello hello, Flight flight)


cdef class Done:
    cdef readonly Config config
    cdef readonly HandshakeKeys keys
    cdef readonly ApplicationKeys application
    cdef readonly Negotiated negotiated
    cdef readonly object tickets
    cdef readonly bytes finished


cdef class WaitEndOfEarlyData(State):
    cdef readonly Done done
    cpdef WaitFinished on_end_of_early_data(self, EndOfEarlyData message, Flight flight)


cdef class WaitCertificate(State):
    cdef readonly Done done
    cdef readonly CertificateRequest request
    cpdef on_certificate(self, Certificate message, Flight flight)


cdef class WaitCertificateVerify(State):
    cdef readonly Done done
    cdef readonly PeerIdentity identity
    cpdef WaitFinished on_certificate_verify(self, CertificateVerify message, Flight flight)


cdef class WaitFinished(State):
    cdef readonly Done done
    cpdef ServerConnected on_finished(self, Finished finished, Flight flight)
