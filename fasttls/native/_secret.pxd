from libc.stdint cimport uint8_t

from fasttls.native._sha2 cimport ft_hash_id, ft_hmac_key


cdef class Secret:
    cdef uint8_t *_data
    cdef Py_ssize_t _size  # bytes; -1 once wiped
    cdef Py_ssize_t _capacity  # bytes that _data points at
    cdef uint8_t _inline[72]
    cdef ft_hmac_key *_keyed[3]  # as the key of HMAC with each hash, once it was one

    cdef int _allocate(self, Py_ssize_t size) except -1
    cdef const uint8_t *_lend(self) except NULL
    cdef const ft_hmac_key *hmac_key(self, ft_hash_id id) except NULL
    cpdef settle(self)
    cpdef wipe(self)


cdef Secret new_secret(Py_ssize_t size)
