"""Key derivation: HKDF and its TLS 1.3 labels (RFC 8446 section 7.1), and TLS 1.2's PRF."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from fasttls.native._hash cimport c_hash_digest_size, c_hkdf_expand, c_hkdf_expand_label, c_hkdf_extract, c_prf12
from fasttls.native._secret cimport Secret, new_secret
from fasttls.native._sha2 cimport ft_hash_id, ft_hmac_key, hash_id

cdef extern from "ft_premaster.h" nogil:
    enum:
        FT_PREMASTER
    void ft_premaster_choose(uint8_t *out, const uint8_t *decrypted, size_t size, const uint8_t *fallback,
                             uint32_t version)

cdef enum:
    NONCE = 12  # bytes
    MAX_OUTPUT = 65535  # bytes


cdef Secret _NO_SALT = Secret(b"")  # a salt of zeros, which HMAC pads to the same block as no key at all


cdef Secret expand_label(ft_hash_id id, Secret secret, bytes label, bytes context, Py_ssize_t size):
    cdef const ft_hmac_key *key
    if secret is None or label is None or context is None:
        raise TypeError("HKDF-Expand-Label needs a secret, a label and a context")
    key = secret.hmac_key(id)
    if size < 0 or size > MAX_OUTPUT:
        raise ValueError("the output size does not fit HKDF-Expand-Label")
    cdef Secret out = new_secret(size)
    if c_hkdf_expand_label(key, label, <size_t>len(label), context, <size_t>len(context), out._data,
                           <size_t>size) != 0:
        raise ValueError("a label, context or output size does not fit HKDF-Expand-Label")
    return out


cpdef Secret hkdf_extract(str hash_name, Secret salt, Secret input_key):
    """HKDF-Extract (RFC 5869 section 2.2). A salt of None is a digest of zeros."""
    cdef ft_hash_id id = hash_id(hash_name)
    cdef Secret out = new_secret(<Py_ssize_t>c_hash_digest_size(id))
    if input_key is None:
        raise TypeError("HKDF-Extract needs an input key")
    c_hkdf_extract((_NO_SALT if salt is None else salt).hmac_key(id), input_key._lend(), <size_t>input_key._size,
                   out._data)
    return out


def hkdf_expand(str hash_name, Secret secret not None, bytes info not None, Py_ssize_t size):
    """HKDF-Expand (RFC 5869 section 2.3), size bytes. Raises ValueError over 255 digests."""
    cdef const ft_hmac_key *key = secret.hmac_key(hash_id(hash_name))
    if size < 0 or size > MAX_OUTPUT:
        raise ValueError("the output size does not fit HKDF-Expand")
    cdef Secret out = new_secret(size)
    if c_hkdf_expand(key, info, <size_t>len(info), out._data, <size_t>size) != 0:
        raise ValueError("the output size does not fit HKDF-Expand")
    return out


cpdef Secret hkdf_expand_label(str hash_name, Secret secret, bytes label, bytes context, Py_ssize_t size):
    """HKDF-Expand-Label (RFC 8446 section 7.1); the label comes without its "tls13 " prefix.

    Raises ValueError when the label is over 249 bytes, the context over 255, or size over 255 digests.
    """
    return expand_label(hash_id(hash_name), secret, label, context, size)


cpdef Secret derive_secret(str hash_name, Secret secret, bytes label, bytes transcript_hash):
    """Derive-Secret (RFC 8446 section 7.1), given the digest of its Messages."""
    cdef ft_hash_id id = hash_id(hash_name)
    return expand_label(id, secret, label, transcript_hash, <Py_ssize_t>c_hash_digest_size(id))


cpdef tuple traffic_keys(str hash_name, Secret secret, Py_ssize_t key_size, Py_ssize_t iv_size=12):
    """The write key and iv of a traffic secret (RFC 8446 section 7.3), sizes in bytes."""
    cdef ft_hash_id id = hash_id(hash_name)
    return expand_label(id, secret, b"key", b"", key_size), expand_label(id, secret, b"iv", b"", iv_size)


cpdef Secret prf12(str hash_name, Secret secret, bytes label, bytes seed, Py_ssize_t size):
    """TLS 1.2's PRF (RFC 5246 section 5), size bytes."""
    cdef const ft_hmac_key *key
    if secret is None or label is None or seed is None:
        raise TypeError("the PRF needs a secret, a label and a seed")
    key = secret.hmac_key(hash_id(hash_name))
    if size < 0 or size > MAX_OUTPUT:
        raise ValueError("the output size does not fit")
    cdef Secret out = new_secret(size)
    c_prf12(key, label, <size_t>len(label), seed, <size_t>len(seed), out._data, <size_t>size)
    return out


cdef Secret part_of(Secret block, Py_ssize_t start, Py_ssize_t size, Py_ssize_t room):
    """size bytes of a key block, with zeros behind up to room."""
    cdef Secret out = new_secret(room)
    cdef Py_ssize_t i
    memcpy(out._data, block._data + start, <size_t>size)
    for i in range(size, room):
        out._data[i] = 0
    return out


cpdef tuple key_block12(str hash_name, Secret master_secret, bytes client_random, bytes server_random,
                        Py_ssize_t key_size, Py_ssize_t fixed_iv_size):
    """TLS 1.2's (client key, server key, client iv, server iv) of an AEAD suite (RFC 5246 section 6.3).

    Sizes are in bytes. An iv is as long as a nonce, with zeros where a record's explicit part goes.
    """
    if master_secret is None or client_random is None or server_random is None:
        raise TypeError("a key block needs a master secret and both randoms")
    if not 0 < key_size <= 64 or not 0 < fixed_iv_size <= NONCE:
        raise ValueError("the sizes are those of no AEAD suite")
    cdef Secret block = prf12(hash_name, master_secret, b"key expansion", server_random + client_random,
                              2 * (key_size + fixed_iv_size))
    parts = (
        part_of(block, 0, key_size, key_size),
        part_of(block, key_size, key_size, key_size),
        part_of(block, 2 * key_size, fixed_iv_size, NONCE),
        part_of(block, 2 * key_size + fixed_iv_size, fixed_iv_size, NONCE),
    )
    block.wipe()
    return parts


def choose_premaster(bytes decrypted not None, Secret fallback not None, uint32_t version):
    """The premaster secret of RSA key transport: decrypted if it is one of version, else fallback.

    The choice is made in constant time (RFC 5246 section 7.4.7.1). fallback has 48 random bytes.
    """
    if len(fallback) != FT_PREMASTER:
        raise ValueError(f"a premaster secret has {FT_PREMASTER} bytes")
    cdef Secret out = new_secret(FT_PREMASTER)
    ft_premaster_choose(out._data, decrypted, <size_t>len(decrypted), fallback._lend(), version)
    return out
