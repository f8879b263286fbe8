"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._wire cimport Reader, Writer
from fasttls.wire.messages cimport EmptyMessage, Message


cdef class HelloRequest(EmptyMessage):
    pass


cdef class Certificate(Message):
    cdef public tuple certificate_list
    cpdef write(self, Writer writer)


cdef class CertificateStatus(Message):
    cdef public bytes response
    cpdef write(self, Writer writer)


cdef class ServerKeyExchange(Message):
    cdef public bytes body
    cpdef write(self, Writer writer)


cdef class CertificateRequest(Message):
    cdef public bytes certificate_types
    cdef public tuple supported_signature_algorithms
    cdef public tuple certificate_authorities
    cpdef write(self, Writer writer)


cdef class ServerHelloDone(EmptyMessage):
    pass


cdef class NewSessionTicket(Message):
    cdef public object ticket_lifetime_hint
    cdef public bytes ticket
    cpdef write(self, Writer writer)


cdef class ClientKeyExchange(Message):
    cdef public bytes body
    cpdef write(self, Writer writer)


cpdef tuple read_ecdhe(bytes body)
cpdef _signed(Reader reader, bytes body, bytes params)
cpdef bytes read_public(bytes body, width)
cpdef ClientKeyExchange write_public(bytes public, width)


cdef class ChangeCipherSpec:
    pass
