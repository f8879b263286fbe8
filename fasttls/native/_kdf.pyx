"""Key derivation: HKDF and its TLS 1.3 labels (RFC 8446 section 7.1), and TLS 1.2's PRF."""

from libc.stdint cimport uint8_t

from fasttls.native._secret cimport Secret, new_secret
from fasttls.native._sha2 cimport ft_hash_digest_size, ft_hash_id, ft_sha2_select, hash_id

ft_sha2_select()

cdef enum:
    MAX_OUTPUT = 65535  # bytes


cdef Secret expand_label(ft_hash_id id, Secret secret, bytes label, bytes context, Py_ssize_t size):
    cdef const uint8_t *key = secret._lend()
    if size < 0 or size > MAX_OUTPUT:
        raise ValueError("the output size does not fit HKDF-Expand-Label")
    cdef Secret out = new_secret(size)
    if ft_hkdf_expand_label(id, key, <size_t>secret._size, label, <size_t>len(label), context,
                            <size_t>len(context), out._data, <size_t>size) != 0:
        raise ValueError("a label, context or output size does not fit HKDF-Expand-Label")
    return out


def hkdf_extract(str hash_name, Secret salt, Secret input_key not None):
    """HKDF-Extract (RFC 5869 section 2.2). A salt of None is a digest of zeros."""
    cdef ft_hash_id id = hash_id(hash_name)
    cdef Secret out = new_secret(<Py_ssize_t>ft_hash_digest_size(id))
    cdef const uint8_t *salt_data = NULL
    cdef size_t salt_size = 0
    if salt is not None:
        salt_data = salt._lend()
        salt_size = <size_t>salt._size
    ft_hkdf_extract(id, salt_data, salt_size, input_key._lend(), <size_t>input_key._size, out._data)
    return out


def hkdf_expand(str hash_name, Secret secret not None, bytes info not None, Py_ssize_t size):
    """HKDF-Expand (RFC 5869 section 2.3), size bytes. Raises ValueError over 255 digests."""
    cdef const uint8_t *key = secret._lend()
    if size < 0 or size > MAX_OUTPUT:
        raise ValueError("the output size does not fit HKDF-Expand")
    cdef Secret out = new_secret(size)
    if ft_hkdf_expand(hash_id(hash_name), key, <size_t>secret._size, info, <size_t>len(info),
                      out._data, <size_t>size) != 0:
        raise ValueError("the output size does not fit HKDF-Expand")
    return out


def hkdf_expand_label(str hash_name, Secret secret not None, bytes label not None, bytes context not None,
                      Py_ssize_t size):
    """HKDF-Expand-Label (RFC 8446 section 7.1); the label comes without its "tls13 " prefix.

    Raises ValueError when the label is over 249 bytes, the context over 255, or size over 255 digests.
    """
    return expand_label(hash_id(hash_name), secret, label, context, size)


def derive_secret(str hash_name, Secret secret not None, bytes label not None, bytes transcript_hash not None):
    """Derive-Secret (RFC 8446 section 7.1), given the digest of its Messages."""
    cdef ft_hash_id id = hash_id(hash_name)
    return expand_label(id, secret, label, transcript_hash, <Py_ssize_t>ft_hash_digest_size(id))


def traffic_keys(str hash_name, Secret secret not None, Py_ssize_t key_size, Py_ssize_t iv_size=12):
    """The write key and iv of a traffic secret (RFC 8446 section 7.3), sizes in bytes."""
    cdef ft_hash_id id = hash_id(hash_name)
    return expand_label(id, secret, b"key", b"", key_size), expand_label(id, secret, b"iv", b"", iv_size)


def prf12(str hash_name, Secret secret not None, bytes label not None, bytes seed not None, Py_ssize_t size):
    """TLS 1.2's PRF (RFC 5246 section 5), size bytes."""
    cdef const uint8_t *key = secret._lend()
    if size < 0 or size > MAX_OUTPUT:
        raise ValueError("the output size does not fit")
    cdef Secret out = new_secret(size)
    ft_prf12(hash_id(hash_name), key, <size_t>secret._size, label, <size_t>len(label), seed,
             <size_t>len(seed), out._data, <size_t>size)
    return out
