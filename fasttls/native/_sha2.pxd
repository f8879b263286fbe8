"""The C declarations of ft_sha2.h, ft_hmac.h, ft_hkdf.h and ft_prf12.h. Their code is linked with `_hash` alone."""

from libc.stdint cimport uint8_t


cdef extern from "ft_sha2.h" nogil:
    ctypedef enum ft_hash_id:
        FT_SHA256
        FT_SHA384
        FT_SHA512
    ctypedef struct ft_hash:
        ft_hash_id id
    enum:
        FT_MAX_DIGEST
    void ft_sha2_select()
    size_t ft_hash_digest_size(ft_hash_id id)
    void ft_hash_init(ft_hash *hash, ft_hash_id id)
    void ft_hash_update(ft_hash *hash, const uint8_t *data, size_t size)
    void ft_hash_final(ft_hash *hash, uint8_t *digest)
    size_t ft_sha256_implementation_count()
    size_t ft_sha512_implementation_count()
    const char *ft_sha256_implementation_name(size_t index)
    const char *ft_sha512_implementation_name(size_t index)
    int ft_hash_with(ft_hash_id id, size_t index, const uint8_t *data, size_t size, uint8_t *digest)


cdef extern from "ft_hmac.h" nogil:
    ctypedef struct ft_hmac_key:
        pass
    void ft_hmac_key_init(ft_hmac_key *key, ft_hash_id id, const uint8_t *secret, size_t size)
    void ft_hmac_key_wipe(ft_hmac_key *key)
    void ft_hmac_begin(ft_hash *running, const ft_hmac_key *key)
    void ft_hmac_finish(ft_hash *running, const ft_hmac_key *key, uint8_t *mac)
    void ft_hmac(ft_hash_id id, const uint8_t *secret, size_t secret_size, const uint8_t *data,
                 size_t size, uint8_t *mac)


cdef extern from "ft_hkdf.h" nogil:
    void ft_hkdf_extract(const ft_hmac_key *salt, const uint8_t *input, size_t input_size, uint8_t *out)
    int ft_hkdf_expand(const ft_hmac_key *secret, const uint8_t *info, size_t info_size, uint8_t *out,
                       size_t out_size)
    int ft_hkdf_expand_label(const ft_hmac_key *secret, const char *label, size_t label_size,
                             const uint8_t *context, size_t context_size, uint8_t *out, size_t out_size)


cdef extern from "ft_prf12.h" nogil:
    void ft_prf12(const ft_hmac_key *secret, const uint8_t *label, size_t label_size, const uint8_t *seed,
                  size_t seed_size, uint8_t *out, size_t out_size)


cdef inline ft_hash_id hash_id(str name) except? FT_SHA512:
    """The C enum of "sha256", "sha384" or "sha512". Raises ValueError for any other name."""
    if name == "sha256":
        return FT_SHA256
    if name == "sha384":
        return FT_SHA384
    if name == "sha512":
        return FT_SHA512
    raise ValueError(f"no such hash: {name!r}")
