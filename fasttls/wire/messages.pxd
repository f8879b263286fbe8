"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython

from fasttls.native._wire cimport Reader, Writer


cdef class Message:
    cpdef write(self, Writer writer)
    cpdef encode(self)


cdef class Encoded(Message):
    cdef readonly bytes _encoded
    cpdef encode(self)


cdef class ClientHello(Message):
    cdef public bytes random
    cdef public bytes legacy_session_id
    cdef public tuple cipher_suites
    cdef public dict extensions
    cdef public object legacy_version
    cdef public bytes legacy_compression_methods
    cpdef write(self, Writer writer)


cdef class ServerHello(Message):
    cdef public bytes random
    cdef public bytes legacy_session_id_echo
    cdef public object cipher_suite
    cdef public dict extensions
    cdef public object legacy_version
    cdef public object legacy_compression_method
    cpdef write(self, Writer writer)


cdef class HelloRetryRequest(Message):
    cdef public bytes legacy_session_id_echo
    cdef public object cipher_suite
    cdef public dict extensions
    cdef public object legacy_version
    cdef public object legacy_compression_method
    cpdef write(self, Writer writer)


cdef class EncryptedExtensions(Message):
    cdef public dict extensions
    cpdef write(self, Writer writer)


cdef class CertificateRequest(Message):
    cdef public bytes certificate_request_context
    cdef public dict extensions
    cpdef write(self, Writer writer)


cdef class CertificateEntry:
    cdef readonly bytes cert_data
    cdef readonly dict extensions


cdef class Certificate(Message):
    cdef public bytes certificate_request_context
    cdef public tuple certificate_list

    @cython.locals(entry=CertificateEntry)
    cpdef write(self, Writer writer)


cdef class CertificateVerify(Message):
    cdef public object algorithm
    cdef public bytes signature
    cpdef write(self, Writer writer)


cdef class Finished(Message):
    cdef public bytes verify_data
    cpdef write(self, Writer writer)


cdef class NewSessionTicket(Message):
    cdef public object ticket_lifetime
    cdef public object ticket_age_add
    cdef public bytes ticket_nonce
    cdef public bytes ticket
    cdef public dict extensions
    cpdef write(self, Writer writer)


cdef class KeyUpdate(Message):
    cdef public bint request_update
    cpdef write(self, Writer writer)


cdef class EmptyMessage(Message):
    cpdef write(self, Writer writer)


cdef class EndOfEarlyData(EmptyMessage):
    pass
