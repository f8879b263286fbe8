"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.connection cimport Connection


cdef class Agreed:
    cdef public Connection _connection
    cpdef getpeercert(self, bint binary_form=*)
    cpdef get_unverified_chain(self)
    cpdef get_verified_chain(self)
    cpdef tuple cipher(self)
    cpdef shared_ciphers(self)
    cpdef str version(self)
    cpdef str group(self)
    cpdef hello_retried(self)
    cpdef tuple signature_algorithms(self)
    cpdef compression(self)
    cpdef str selected_alpn_protocol(self)
    cpdef bytes get_channel_binding(self, cb_type=*)
    cpdef bytes export_keying_material(self, bytes label, size, bytes context=*)
