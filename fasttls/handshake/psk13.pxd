"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.finished cimport FinishedKey
from fasttls.crypto.key_schedule cimport EarlySecret
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.resume cimport server_may_resume, usable_session
from fasttls.native._hash cimport Transcript
from fasttls.sessions.keys cimport open_ticket
from fasttls.sessions.session cimport Session
from fasttls.wire.messages cimport ClientHello


cdef class PskOffer:
    cdef readonly bytes identity
    cdef readonly EarlySecret secret
    cdef readonly bytes label
    cdef readonly Session session
    cdef readonly PeerIdentity peer


cpdef tuple client_offers(config, Session session, str host)
cpdef bytes _binder(PskOffer offer, bytes digest)
cpdef PskOffer selected_offer(tuple offers, selected, suite)


cdef class ChosenPsk:
    cdef readonly object position
    cdef readonly object suite
    cdef readonly EarlySecret secret
    cdef readonly Session session
    cdef readonly PeerIdentity peer
    cdef readonly bytes identity
    cdef readonly bytes binder
    cdef readonly object told_age


cdef class _Known:
    cdef readonly EarlySecret secret
    cdef readonly bytes label
    cdef readonly Session session
    cdef readonly PeerIdentity peer


cpdef ChosenPsk choose_psk(config, ClientHello hello, suites, str server_name, Transcript transcript)
cpdef Session _session_of(config, bytes ticket)
cpdef _Known _known(config, bytes identity, str server_name)
cpdef ChosenPsk use_up(config, ChosenPsk chosen)
cpdef str early_data_refusal(config, ChosenPsk chosen, suite, bytes alpn)
