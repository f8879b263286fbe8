"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._protection cimport Opener, Sealer
from fasttls.native._record cimport Deframer

cdef int _TYPE_HANDSHAKE


cdef class RecordLayer:
    cdef public bint close_sent
    cdef public object _record_observer
    cdef public Deframer _deframer
    cdef public Opener _opener
    cdef public Sealer _sealer
    cdef public list _output
    cdef public bytes _handshake_out
    cdef public object _padding
    cdef public Py_ssize_t _max_fragment
    cpdef take_output(self)
    cpdef _open_with(self, Opener opener)
    cpdef _seal_with(self, Sealer sealer)
    cpdef _flush_handshake(self)
    cpdef _seal(self, int content_type, content)
    cpdef _send_change_cipher_spec(self)
