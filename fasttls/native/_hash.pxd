from libc.stdint cimport uint8_t

from fasttls.native._sha2 cimport ft_hash, ft_hash_id, ft_hmac_key


cdef class Transcript:
    cdef ft_hash _now
    cdef ft_hash _before  # _now as it was before the last message
    cdef str _name
    cdef list _waiting
    cdef list _kept  # every message, when they are kept; else None
    cdef bytes _last  # the last message

    cpdef choose(self, str name, bint retried=*, bint keep=*)
    cpdef add(self, bytes message)
    cpdef bytes digest(self)
    cpdef bytes digest_before(self)
    cpdef bytes digest_without_tail(self, str name, Py_ssize_t tail)
    cpdef replace_with_message_hash(self)
    cpdef Transcript copy(self)
    cdef int _check(self) except -1


# The C functions of these names, for the other modules: the code of SHA-2 is linked here alone.
cdef size_t c_hash_digest_size(ft_hash_id id) noexcept nogil
cdef void c_hmac_key_init(ft_hmac_key *key, ft_hash_id id, const uint8_t *secret, size_t size) noexcept nogil
cdef void c_hmac_key_wipe(ft_hmac_key *key) noexcept nogil
cdef void c_hmac(ft_hash_id id, const uint8_t *secret, size_t secret_size, const uint8_t *data, size_t size,
                 uint8_t *mac) noexcept nogil
cdef void c_hkdf_extract(const ft_hmac_key *salt, const uint8_t *input, size_t input_size,
                         uint8_t *out) noexcept nogil
cdef int c_hkdf_expand(const ft_hmac_key *secret, const uint8_t *info, size_t info_size, uint8_t *out,
                       size_t out_size) noexcept nogil
cdef int c_hkdf_expand_label(const ft_hmac_key *secret, const char *label, size_t label_size,
                             const uint8_t *context, size_t context_size, uint8_t *out,
                             size_t out_size) noexcept nogil
cdef void c_prf12(const ft_hmac_key *secret, const uint8_t *label, size_t label_size, const uint8_t *seed,
                  size_t seed_size, uint8_t *out, size_t out_size) noexcept nogil
