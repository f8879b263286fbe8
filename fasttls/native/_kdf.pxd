"""The C declarations of ft_hkdf.h and ft_prf12.h, and of the module beside."""

from libc.stdint cimport uint8_t

from fasttls.native._secret cimport Secret
from fasttls.native._sha2 cimport ft_hmac_key


cdef extern from "ft_hkdf.h" nogil:
    void ft_hkdf_extract(const ft_hmac_key *salt, const uint8_t *input, size_t input_size, uint8_t *out)
    int ft_hkdf_expand(const ft_hmac_key *secret, const uint8_t *info, size_t info_size, uint8_t *out,
                       size_t out_size)
    int ft_hkdf_expand_label(const ft_hmac_key *secret, const char *label, size_t label_size,
                             const uint8_t *context, size_t context_size, uint8_t *out, size_t out_size)


cdef extern from "ft_prf12.h" nogil:
    void ft_prf12(const ft_hmac_key *secret, const uint8_t *label, size_t label_size, const uint8_t *seed,
                  size_t seed_size, uint8_t *out, size_t out_size)


cpdef Secret hkdf_extract(str hash_name, Secret salt, Secret input_key)
cpdef Secret hkdf_expand_label(str hash_name, Secret secret, bytes label, bytes context, Py_ssize_t size)
cpdef Secret derive_secret(str hash_name, Secret secret, bytes label, bytes transcript_hash)
cpdef tuple traffic_keys(str hash_name, Secret secret, Py_ssize_t key_size, Py_ssize_t iv_size=*)
cpdef Secret prf12(str hash_name, Secret secret, bytes label, bytes seed, Py_ssize_t size)
