"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.auth cimport PeerIdentity, identify_peer
from fasttls.handshake.config cimport Config
from fasttls.sessions.session cimport Session


cpdef tuple usable_session(Config config, Session session, str host, version)


cdef class MayResume:
    cdef readonly PeerIdentity peer


cpdef MayResume server_may_resume(Config config, Session session, str server_name)
