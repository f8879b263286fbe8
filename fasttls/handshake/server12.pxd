"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule12 cimport MasterSecret, master_secret
from fasttls.crypto.suites12 cimport Suite12
from fasttls.events cimport HandshakeCompleted, Negotiated
from fasttls.handshake.alpn cimport choose_alpn
from fasttls.handshake.auth cimport PeerIdentity, identify_peer, sign
from fasttls.handshake.auth12 cimport check_certificate_verify
from fasttls.handshake.choose12 cimport Chosen, check_hello, choose
from fasttls.handshake.config cimport Config, Credential
from fasttls.handshake.connected12 cimport ServerConnected
from fasttls.handshake.exchange12 cimport server_exchange
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked, is_grease, is_signal, server_random
from fasttls.handshake.psk12 cimport PskKeyExchange, PskParams, psk_premaster
from fasttls.handshake.state cimport State, readers_of
from fasttls.wire.messages cimport CertificateVerify, ClientHello, Finished, ServerHello
from fasttls.wire.messages12 cimport (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    ChangeCipherSpec,
    ClientKeyExchange,
    ServerHelloDone,
    ServerKeyExchange,
)


cdef class _State(State):
    pass


cpdef answer(Config config, ClientHello hello, Flight flight, Asked asked)
cpdef dict _extensions(ClientHello hello, Suite12 suite, Asked asked, bytes alpn)
cpdef WaitPskKeyExchange _answer_with_psk(Config config, ClientHello hello, tuple chosen, Flight flight, Asked asked)


cdef class WaitPskKeyExchange(_State):
    cdef readonly Config config
    cdef readonly object offer
    cdef readonly Negotiated negotiated
    cpdef WaitChangeCipherSpec on_client_key_exchange(self, ClientKeyExchange message, Flight flight)


cdef class Session:
    cdef readonly Config config
    cdef readonly Suite12 suite
    cdef readonly object exchange
    cdef readonly Negotiated negotiated
    cdef readonly bint ticket


cdef class WaitCertificate(_State):
    cdef readonly Session session
    cpdef WaitClientKeyExchange on_certificate(self, Certificate message, Flight flight)


cdef class WaitClientKeyExchange(_State):
    cdef readonly Session session
    cdef readonly PeerIdentity identity
    cpdef on_client_key_exchange(self, ClientKeyExchange message, Flight flight)


cdef class WaitCertificateVerify(_State):
    cdef readonly Session session
    cdef readonly MasterSecret master
    cdef readonly Negotiated negotiated
    cdef readonly PeerIdentity identity
    cpdef WaitChangeCipherSpec on_certificate_verify(self, CertificateVerify message, Flight flight)


cdef class WaitChangeCipherSpec(_State):
    cdef readonly Session session
    cdef readonly MasterSecret master
    cdef readonly Negotiated negotiated
    cpdef WaitFinished on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitFinished(_State):
    cdef readonly Session session
    cdef readonly MasterSecret master
    cdef readonly object write_keys
    cdef readonly Negotiated negotiated
    cpdef ServerConnected on_finished(self, Finished finished, Flight flight)
