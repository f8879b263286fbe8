"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule cimport EarlySecret
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.native._hash cimport Transcript
from fasttls.wire.messages cimport ClientHello


cdef class PskOffer:
    cdef readonly bytes identity
    cdef readonly EarlySecret secret
    cdef readonly bytes label
    cdef readonly object session
    cdef readonly PeerIdentity peer
cpdef client_offers(config, session, str host)
cpdef _binder(PskOffer offer, bytes digest)
cpdef selected_offer(tuple offers, selected, suite)


cdef class ChosenPsk:
    cdef readonly object position
    cdef readonly object suite
    cdef readonly EarlySecret secret
    cdef readonly object session
    cdef readonly PeerIdentity peer
    cdef readonly bytes identity
    cdef readonly bytes binder
    cdef readonly object told_age


cdef class _Known:
    cdef readonly EarlySecret secret
    cdef readonly bytes label
    cdef readonly object session
    cdef readonly PeerIdentity peer
cpdef choose_psk(config, ClientHello hello, suites, str server_name, Transcript transcript)
cpdef _session_of(config, bytes ticket)
cpdef _known(config, bytes identity, str server_name)
cpdef use_up(config, ChosenPsk chosen)
cpdef early_data_refusal(config, ChosenPsk chosen, suite, bytes alpn)
