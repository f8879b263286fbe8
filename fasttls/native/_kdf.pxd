"""The C declarations of ft_hkdf.h and ft_prf12.h."""

from libc.stdint cimport uint8_t

from fasttls.native._sha2 cimport ft_hash_id


cdef extern from "ft_hkdf.h" nogil:
    void ft_hkdf_extract(ft_hash_id id, const uint8_t *salt, size_t salt_size, const uint8_t *input,
                         size_t input_size, uint8_t *out)
    int ft_hkdf_expand(ft_hash_id id, const uint8_t *secret, size_t secret_size, const uint8_t *info,
                       size_t info_size, uint8_t *out, size_t out_size)
    int ft_hkdf_expand_label(ft_hash_id id, const uint8_t *secret, size_t secret_size, const char *label,
                             size_t label_size, const uint8_t *context, size_t context_size,
                             uint8_t *out, size_t out_size)


cdef extern from "ft_prf12.h" nogil:
    void ft_prf12(ft_hash_id id, const uint8_t *secret, size_t secret_size, const uint8_t *label,
                  size_t label_size, const uint8_t *seed, size_t seed_size, uint8_t *out, size_t out_size)
