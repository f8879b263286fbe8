"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython

from fasttls.crypto.finished cimport FinishedKey
from fasttls.crypto.key_schedule cimport EarlySecret
from fasttls.crypto.suites cimport Suite
from fasttls.handshake.auth cimport PeerIdentity
from fasttls.handshake.config cimport Config
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.resume cimport server_may_resume, usable_session
from fasttls.native._hash cimport Transcript
from fasttls.sessions.keys cimport open_ticket
from fasttls.sessions.session cimport Session
from fasttls.wire.extensions cimport OfferedPsks, PskIdentity
from fasttls.wire.messages cimport ClientHello, Encoded


cdef class PskOffer:
    cdef readonly bytes identity
    cdef readonly EarlySecret secret
    cdef readonly bytes label
    cdef readonly Session session
    cdef readonly PeerIdentity peer


cpdef tuple client_offers(Config config, Session session, str host)
cpdef send_with_binders(ClientHello hello, tuple offers, Config config, Transcript transcript, Flight flight)
cpdef bytes _binder(PskOffer offer, bytes digest)
cpdef PskOffer selected_offer(tuple offers, selected, Suite suite)


cdef class ChosenPsk:
    cdef readonly object position
    cdef readonly Suite suite
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


@cython.locals(offered=OfferedPsks, one=PskIdentity)
cpdef ChosenPsk choose_psk(Config config, ClientHello hello, suites, str server_name, Transcript transcript)
cpdef Session _session_of(Config config, bytes ticket)
cpdef _Known _known(Config config, bytes identity, str server_name)
cpdef ChosenPsk use_up(Config config, ChosenPsk chosen)
cpdef str early_data_refusal(Config config, ChosenPsk chosen, Suite suite, bytes alpn)
