"""SHA-2 and the transcript hash, as C structs that are copied by assignment."""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t

from fasttls.native._sha2 cimport (
    FT_MAX_DIGEST,
    FT_SHA256,
    ft_hash,
    ft_hash_digest_size,
    ft_hash_final,
    ft_hash_id,
    ft_hash_init,
    ft_hash_update,
    ft_hash_with,
    ft_hkdf_expand,
    ft_hkdf_expand_label,
    ft_hkdf_extract,
    ft_hmac,
    ft_hmac_begin,
    ft_hmac_finish,
    ft_hmac_key,
    ft_hmac_key_init,
    ft_hmac_key_wipe,
    ft_prf12,
    ft_sha2_select,
    ft_sha256_implementation_count,
    ft_sha256_implementation_name,
    ft_sha512_implementation_count,
    ft_sha512_implementation_name,
    hash_id,
)


cdef extern from "ft_memory.h" nogil:
    void ft_wipe(void *memory, size_t size)

ft_sha2_select()


cdef size_t c_hash_digest_size(ft_hash_id id) noexcept nogil:
    return ft_hash_digest_size(id)


cdef void c_hmac_key_init(ft_hmac_key *key, ft_hash_id id, const uint8_t *secret, size_t size) noexcept nogil:
    ft_hmac_key_init(key, id, secret, size)


cdef void c_hmac_key_wipe(ft_hmac_key *key) noexcept nogil:
    ft_hmac_key_wipe(key)


cdef void c_hmac(ft_hash_id id, const uint8_t *secret, size_t secret_size, const uint8_t *data, size_t size,
                 uint8_t *mac) noexcept nogil:
    ft_hmac(id, secret, secret_size, data, size, mac)


cdef void c_hkdf_extract(const ft_hmac_key *salt, const uint8_t *input, size_t input_size,
                         uint8_t *out) noexcept nogil:
    ft_hkdf_extract(salt, input, input_size, out)


cdef int c_hkdf_expand(const ft_hmac_key *secret, const uint8_t *info, size_t info_size, uint8_t *out,
                       size_t out_size) noexcept nogil:
    return ft_hkdf_expand(secret, info, info_size, out, out_size)


cdef int c_hkdf_expand_label(const ft_hmac_key *secret, const char *label, size_t label_size,
                             const uint8_t *context, size_t context_size, uint8_t *out,
                             size_t out_size) noexcept nogil:
    return ft_hkdf_expand_label(secret, label, label_size, context, context_size, out, out_size)


cdef void c_prf12(const ft_hmac_key *secret, const uint8_t *label, size_t label_size, const uint8_t *seed,
                  size_t seed_size, uint8_t *out, size_t out_size) noexcept nogil:
    ft_prf12(secret, label, label_size, seed, seed_size, out, out_size)

# Below this many bytes, giving the GIL up costs more than the hashing.
cdef enum:
    RELEASE_GIL_FROM = 4096

# The handshake type of RFC 8446 section 4.4.1's synthetic message.
cdef enum:
    MESSAGE_HASH = 254


cdef int update_from(ft_hash *state, object data) except -1:
    """Hash data into state. Long data is hashed into a copy, which takes the state's place when it is done: a
    thread that looks at the state meanwhile sees one from before or after, and never one in between."""
    cdef Py_buffer view
    cdef ft_hash copy
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    if view.len >= RELEASE_GIL_FROM:
        copy = state[0]
        with nogil:
            ft_hash_update(&copy, <const uint8_t *>view.buf, <size_t>view.len)
        state[0] = copy
        ft_wipe(&copy, sizeof(copy))
    else:
        ft_hash_update(state, <const uint8_t *>view.buf, <size_t>view.len)
    PyBuffer_Release(&view)
    return 0


cdef bytes digest_of(ft_hash state):
    """The digest of a copy of the state: the original goes on hashing."""
    cdef uint8_t out[FT_MAX_DIGEST]
    cdef size_t size = ft_hash_digest_size(state.id)
    ft_hash_final(&state, out)
    return PyBytes_FromStringAndSize(<char *>out, <Py_ssize_t>size)


@cython.final
cdef class Hash:
    """A running SHA-256, SHA-384 or SHA-512 (FIPS 180-4). Not for use by two threads at once."""

    cdef ft_hash _state

    def __init__(self, str name, data=b""):
        """Start the hash called name. Raises ValueError when there is none of that name."""
        ft_hash_init(&self._state, hash_id(name))
        update_from(&self._state, data)

    @property
    def digest_size(self):
        """The size of the digest, in bytes."""
        return <Py_ssize_t>ft_hash_digest_size(self._state.id)

    def update(self, data):
        """Hash more bytes, from any readable buffer."""
        update_from(&self._state, data)

    def digest(self):
        """Return the digest of everything so far; hashing may go on."""
        return digest_of(self._state)

    def copy(self):
        """Return an independent hash in the same state."""
        cdef Hash twin = Hash.__new__(Hash)
        twin._state = self._state
        return twin


@cython.final
cdef class Hmac:
    """HMAC (RFC 2104) with a kept key: each mac() starts from copied states."""

    cdef ft_hmac_key _key
    cdef ft_hash_id _id

    def __init__(self, str name, key):
        """Take the key in once. Raises ValueError when there is no hash called name."""
        cdef Py_buffer view
        self._id = hash_id(name)
        PyObject_GetBuffer(key, &view, PyBUF_SIMPLE)
        ft_hmac_key_init(&self._key, self._id, <const uint8_t *>view.buf, <size_t>view.len)
        PyBuffer_Release(&view)

    def __dealloc__(self):
        ft_hmac_key_wipe(&self._key)

    def mac(self, *parts):
        """Return the MAC of the parts, one after another."""
        cdef ft_hash running
        cdef uint8_t out[FT_MAX_DIGEST]
        ft_hmac_begin(&running, &self._key)
        for part in parts:
            update_from(&running, part)
        ft_hmac_finish(&running, &self._key, out)
        return PyBytes_FromStringAndSize(<char *>out, <Py_ssize_t>ft_hash_digest_size(self._id))


@cython.final
cdef class Transcript:
    """The transcript hash (RFC 8446 section 4.4.1).

    Messages that come before the hash is known are kept and hashed when it is chosen.
    """

    def __init__(self):
        self._waiting = []
        self._kept = None

    @property
    def hash_name(self):
        """The chosen hash's name, or None while there is none."""
        return self._name

    cpdef choose(self, str name, bint retried=False, bint keep=False):
        """Fix the hash. Choosing the same one again does nothing; another one raises ValueError.

        When retried, the first message is the ClientHello that a HelloRetryRequest answers, and its
        hash stands for it. With keep, the messages themselves are kept until forget(): a TLS 1.2
        CertificateVerify may need another hash than this one (RFC 5246 section 7.4.8).
        """
        cdef ft_hash_id id = hash_id(name)
        if self._name is not None:
            if self._name != name:
                raise ValueError(f"the transcript hash is {self._name} already")
            return
        self._name = name
        ft_hash_init(&self._now, id)
        self._before = self._now
        if keep:
            self._kept = []
        waiting, self._waiting = self._waiting, []
        for index, message in enumerate(waiting):
            self.add(message)
            if retried and index == 0:
                self.replace_with_message_hash()

    cpdef add(self, bytes message):
        """Take in one whole handshake message, header included."""
        if message is None:
            raise TypeError("a message is bytes")
        self._last = message
        if self._name is None:
            self._waiting.append(message)
            return
        if self._kept is not None:
            self._kept.append(message)
        self._before = self._now
        update_from(&self._now, message)

    cpdef bytes digest(self):
        """Return the digest up to and including the last message."""
        self._check()
        return digest_of(self._now)

    cpdef bytes digest_before(self):
        """Return the digest up to, not including, the last message."""
        self._check()
        return digest_of(self._before)

    cpdef bytes digest_without_tail(self, str name, Py_ssize_t tail):
        """Return the digest by a hash up to the last message, which lacks its last tail bytes.

        What binds a pre-shared key to the ClientHello that offers it (RFC 8446 section 4.2.11.2). Raises ValueError
        when there is no message of that size, or the transcript has another hash.
        """
        cdef ft_hash running
        cdef Py_ssize_t size
        if self._last is None:
            raise ValueError("there is no message")
        size = len(self._last) - tail
        if tail < 0 or size < 0:
            raise ValueError(f"the last message has no tail of {tail} bytes")
        if self._name is None:
            ft_hash_init(&running, hash_id(name))
            for message in self._waiting[:-1]:
                update_from(&running, message)
        elif self._name != name:
            raise ValueError(f"the transcript hash is {self._name}")
        else:
            running = self._before
        update_from(&running, self._last[:size])
        return digest_of(running)

    def messages(self, bint before=False):
        """Return the kept messages, one after another; before leaves out the last one.

        Raises ValueError when none are kept.
        """
        if self._kept is None:
            raise ValueError("the messages are not kept")
        cdef Py_ssize_t count = len(self._kept)
        return b"".join(self._kept[:count - 1] if before and count else self._kept)

    def forget(self):
        """Keep no messages any longer; the hash goes on."""
        self._kept = None

    cpdef replace_with_message_hash(self):
        """Put the synthetic message_hash in place of the first ClientHello (RFC 8446 section 4.4.1).

        Call it when HelloRetryRequest is seen or sent, before that message is added.
        """
        cdef bytes digest = self.digest()
        ft_hash_init(&self._now, self._now.id)
        self.add(bytes((MESSAGE_HASH, 0, 0, len(digest))) + digest)

    cpdef Transcript copy(self):
        """Return an independent transcript in the same state."""
        cdef Transcript twin = Transcript.__new__(Transcript)
        twin._now = self._now
        twin._before = self._before
        twin._name = self._name
        twin._last = self._last
        twin._waiting = list(self._waiting)
        twin._kept = None if self._kept is None else list(self._kept)
        return twin

    cdef int _check(self) except -1:
        if self._name is None:
            raise ValueError("the transcript hash is not chosen yet")
        return 0


def implementations(str name):
    """Return the names of the compression functions this processor can run for a hash."""
    if hash_id(name) == FT_SHA256:
        return tuple(ft_sha256_implementation_name(i).decode() for i in range(ft_sha256_implementation_count()))
    return tuple(ft_sha512_implementation_name(i).decode() for i in range(ft_sha512_implementation_count()))


def digest_with(str name, Py_ssize_t index, bytes data not None):
    """Return the digest of data by the implementation at index in implementations(name).

    Raises IndexError when there is none.
    """
    cdef uint8_t out[FT_MAX_DIGEST]
    cdef ft_hash_id id = hash_id(name)
    if index < 0 or ft_hash_with(id, <size_t>index, data, <size_t>len(data), out) != 0:
        raise IndexError("no such implementation")
    return PyBytes_FromStringAndSize(<char *>out, <Py_ssize_t>ft_hash_digest_size(id))
