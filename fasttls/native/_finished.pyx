"""The Finished MAC, made and checked (RFC 8446 section 4.4.4, RFC 5246 section 7.4.9)."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t

from fasttls.native._hash cimport c_hash_digest_size, c_hkdf_expand_label, c_hmac, c_prf12
from fasttls.native._secret cimport Secret
from fasttls.native._sha2 cimport FT_MAX_DIGEST, ft_hash_id, hash_id

cdef extern from "ft_memory.h" nogil:
    void ft_wipe(void *memory, size_t size)
    int ft_equal(const void *left, const void *right, size_t size)

cdef enum:
    VERIFY_DATA_12 = 12  # bytes, for every suite we speak


cdef size_t mac13(str hash_name, Secret base_key, bytes transcript_hash, uint8_t *out) except 0:
    cdef ft_hash_id id = hash_id(hash_name)
    cdef size_t size = c_hash_digest_size(id)
    cdef uint8_t key[FT_MAX_DIGEST]
    if base_key is None or transcript_hash is None:
        raise TypeError("a Finished needs a key and a transcript")
    c_hkdf_expand_label(base_key.hmac_key(id), b"finished", 8, NULL, 0, key, size)
    c_hmac(id, key, size, transcript_hash, <size_t>len(transcript_hash), out)
    ft_wipe(key, sizeof(key))
    return size


cpdef bytes finished13(str hash_name, Secret base_key, bytes transcript_hash):
    """TLS 1.3's verify_data under a handshake traffic secret (RFC 8446 section 4.4.4)."""
    cdef uint8_t out[FT_MAX_DIGEST]
    cdef size_t size = mac13(hash_name, base_key, transcript_hash, out)
    return PyBytes_FromStringAndSize(<char *>out, <Py_ssize_t>size)


cpdef bint finished13_matches(str hash_name, Secret base_key, bytes transcript_hash, bytes verify_data) except -1:
    """Whether verify_data is the right one, in constant time; a wrong length is never right."""
    cdef uint8_t out[FT_MAX_DIGEST]
    cdef size_t size = mac13(hash_name, base_key, transcript_hash, out)
    if verify_data is None:
        raise TypeError("a Finished has verify_data")
    if <size_t>len(verify_data) != size:
        return False
    return ft_equal(out, <const uint8_t *>verify_data, size) == 1


cdef int mac12(str hash_name, Secret master_secret, bytes label, bytes transcript_hash, uint8_t *out) except -1:
    if master_secret is None or label is None or transcript_hash is None:
        raise TypeError("a Finished needs a master secret, a label and a transcript")
    c_prf12(master_secret.hmac_key(hash_id(hash_name)), label, <size_t>len(label), transcript_hash,
            <size_t>len(transcript_hash), out, VERIFY_DATA_12)
    return 0


cpdef bytes finished12(str hash_name, Secret master_secret, bytes label, bytes transcript_hash):
    """TLS 1.2's verify_data; label is b"client finished" or b"server finished" (RFC 5246 section 7.4.9)."""
    cdef uint8_t out[VERIFY_DATA_12]
    mac12(hash_name, master_secret, label, transcript_hash, out)
    return PyBytes_FromStringAndSize(<char *>out, VERIFY_DATA_12)


cpdef bint finished12_matches(str hash_name, Secret master_secret, bytes label, bytes transcript_hash,
                              bytes verify_data) except -1:
    """Whether verify_data is the right one, in constant time; a wrong length is never right."""
    cdef uint8_t out[VERIFY_DATA_12]
    mac12(hash_name, master_secret, label, transcript_hash, out)
    if verify_data is None:
        raise TypeError("a Finished has verify_data")
    if len(verify_data) != VERIFY_DATA_12:
        return False
    return ft_equal(out, <const uint8_t *>verify_data, VERIFY_DATA_12) == 1
