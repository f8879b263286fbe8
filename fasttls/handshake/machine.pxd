"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython

from fasttls.handshake.config cimport Limits
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.state cimport State
from fasttls.native._hash cimport Transcript
from fasttls.native._wire cimport reader_of

cdef int _HEADER_SIZE
cdef int _TYPE_CERTIFICATE


cdef class Machine:
    cdef public State state
    cdef public Transcript transcript
    cdef public Limits _limits
    cdef public object _observer
    cdef public bint _logs_secrets
    cdef public object _pieces
    cdef public Py_ssize_t _needed
    cdef public Py_ssize_t _fragments
    cdef public dict _in_a_row

    @cython.locals(start=Py_ssize_t, end=Py_ssize_t, size=Py_ssize_t)
    cpdef list receive(self, bytes data)
    cpdef change_cipher_spec(self)
    cpdef data_came(self)
    cpdef Flight _new_flight(self)
    cpdef _count(self, message_type)

    @cython.locals(code=cython.int, high=cython.int, middle=cython.int, low=cython.int, size=Py_ssize_t)
    cpdef Py_ssize_t _size(self, bytes data, Py_ssize_t start) except -1
    cpdef _step(self, bytes raw, Flight flight)
