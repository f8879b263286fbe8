"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython

from fasttls.native._kdf cimport hkdf_expand_label, hkdf_extract
from fasttls.native._secret cimport Secret
from fasttls.sessions.session cimport Session


cdef class TicketKey:
    cdef readonly bytes name
    cdef readonly Secret secret
    cdef public object _aead


cpdef Secret _extracted(Secret material)


@cython.locals(key=TicketKey)
cpdef bytes seal_ticket(keys, Session session)


@cython.locals(key=TicketKey)
cpdef Session open_ticket(keys, bytes ticket)
