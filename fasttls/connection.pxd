"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.exchange cimport Exchange
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.state cimport State
from fasttls.native._protection cimport PlainSealer

cdef int _TYPE_HANDSHAKE
cdef int _TYPE_APPLICATION_DATA


cdef class Connection(Exchange):
    cdef object __weakref__
    cdef public object session
    cdef public tuple undelivered
    cdef public bint _started
    cpdef start(self)
    cpdef Py_ssize_t take_header(self, data)
    cpdef receive(self, data)
    cpdef receive_eof(self)
    cpdef request_certificate(self)
    cpdef send(self, data)
    cpdef send_early(self, data)
    cpdef close(self)
    cpdef abort(self, description)
    cpdef export_keying_material(self, bytes label, size, bytes context=*)
