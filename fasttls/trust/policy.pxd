"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cdef class Strength:
    cdef readonly int rsa_bits
    cdef readonly int ec_bits
    cdef readonly frozenset refused_digests


cdef class Policy:
    cdef readonly object purpose
    cdef readonly double now
    cdef readonly str host
    cdef readonly bint partial_chain
    cdef readonly bint strict
    cdef readonly Strength strength
    cdef readonly object crl_check
    cdef readonly Py_ssize_t most_intermediates
    cdef readonly bint web_pki
    cdef readonly bint common_name
