"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cdef class Suite12:
    cdef readonly object code
    cdef readonly object key_exchange
    cdef readonly str hash_name
    cdef readonly Py_ssize_t key_size
    cdef readonly Py_ssize_t fixed_iv_size
    cdef readonly Py_ssize_t tag_size
    cdef readonly object aead
    cdef readonly str openssl_name
