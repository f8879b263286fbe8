"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule12 cimport MasterSecret
from fasttls.events cimport HandshakeCompleted, Negotiated
from fasttls.handshake.alpn cimport choose_alpn
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.config cimport Config
from fasttls.handshake.connected12 cimport ServerConnected
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport Asked, server_random
from fasttls.handshake.resume cimport server_may_resume
from fasttls.handshake.state cimport State, readers_of
from fasttls.native._secret cimport Secret
from fasttls.sessions.keys cimport open_ticket, seal_ticket
from fasttls.sessions.session cimport Session
from fasttls.wire.messages cimport ClientHello, Finished, ServerHello
from fasttls.wire.messages12 cimport ChangeCipherSpec, NewSessionTicket


cdef class Found:
    cdef readonly Session session
    cdef readonly PeerIdentity peer
    cdef readonly bint renew


cpdef Found find(Config config, ClientHello hello, Asked asked)
cpdef bytes offer(Config config, ClientHello hello, dict extensions)
cpdef WaitChangeCipherSpec resume(Config config, ClientHello hello, Flight flight, Asked asked, Found found,
                                  extensions_of)


cdef class _State(State):
    pass


cdef class WaitChangeCipherSpec(_State):
    cdef readonly MasterSecret master
    cdef readonly object read_keys
    cdef readonly Negotiated negotiated
    cpdef WaitFinished on_change_cipher_spec(self, ChangeCipherSpec message, Flight flight)


cdef class WaitFinished(_State):
    cdef readonly MasterSecret master
    cdef readonly Negotiated negotiated
    cpdef ServerConnected on_finished(self, Finished finished, Flight flight)
