"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.auth cimport PeerIdentity

cpdef usable_session(config, session, str host, version)


cdef class MayResume:
    cdef readonly PeerIdentity peer
cpdef server_may_resume(config, session, str server_name)
