from libc.stdint cimport uint8_t

from fasttls.native._der cimport Span


cdef class CertificateFields:
    cdef readonly bytes der
    cdef readonly bytes tbs
    cdef readonly bytes serial
    cdef readonly bytes issuer_der
    cdef readonly bytes subject_der
    cdef readonly tuple issuer
    cdef readonly tuple subject
    cdef readonly bint self_issued
    cdef readonly bytes spki
    cdef readonly str key_kind
    cdef readonly int key_bits
    cdef readonly tuple pss_parameters
    cdef readonly bytes signature_algorithm
    cdef readonly bytes signature
    cdef readonly object not_before
    cdef readonly object not_after
    cdef readonly int version
    cdef readonly int unused_bits
    cdef readonly dict extension_values
    cdef readonly tuple unhandled
    cdef readonly object fault
    cdef readonly bint has_basic_constraints
    cdef readonly bint ca
    cdef readonly object path_length
    cdef readonly int key_usage
    cdef readonly object extended_key_usage
    cdef readonly object alternative_names
    cdef readonly object subject_key_identifier
    cdef readonly object authority_key_identifier
    cdef readonly object authority_serial
    cdef readonly tuple authority_issuers

    cdef int _read_tbs(self, Span *tbs) except -1
    cdef tuple _name(self, bytes der)
    cdef int _read_key(self) except -1
    cdef int _read_extensions(self, Span *outer) except -1
    cdef int _read_extension(self, const uint8_t *oid, Py_ssize_t size, Span *value) except -1
