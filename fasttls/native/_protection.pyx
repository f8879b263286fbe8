"""Protection of records with an AEAD, and records without any (RFC 8446 section 5.2, RFC 5246 section 6.2.3.3)."""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_REFCNT
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from fasttls.native._secret cimport Secret

from fasttls.wire.alerts import BadRecordMac, RecordOverflow, UnexpectedMessage


cdef extern from *:
    """
    /* Cut bytes that nobody but the variable refers to, where they are. */
    #define FT_CUT(variable, size) _PyBytes_Resize(&(variable), (size))
    """
    int FT_CUT(object variable, Py_ssize_t size) except -1


cdef extern from "ft_record.h" nogil:
    enum:
        FT_RECORD_HEADER
        FT_NONCE
        FT_MAX_PLAINTEXT
        FT_MAX_CIPHERTEXT_13
        FT_MAX_CIPHERTEXT_12
    void ft_record_header(uint8_t *out, uint8_t content_type, uint32_t version, size_t length)
    void ft_record_nonce(uint8_t *out, const uint8_t *iv, uint64_t sequence)
    Py_ssize_t ft_record_content_end(const uint8_t *inner, size_t size)


cdef extern from "ft_wire.h" nogil:
    void ft_store16(uint8_t *p, uint32_t value)
    void ft_store64(uint8_t *p, uint64_t value)


cdef extern from "ft_memory.h" nogil:
    void ft_wipe(void *memory, size_t size)

cdef enum:
    VERSION_12 = 0x0303
    APPLICATION_DATA = 23
    MOST_TAG = 16  # bytes
    EXPLICIT_NONCE = 8  # bytes
    ADDITIONAL_DATA_12 = 13  # bytes


cdef bytes framed(uint8_t content_type, uint32_t version, const uint8_t *body, Py_ssize_t size):
    cdef bytes record = PyBytes_FromStringAndSize(NULL, FT_RECORD_HEADER + size)
    cdef uint8_t *out = <uint8_t *>PyBytes_AS_STRING(record)
    ft_record_header(out, content_type, version, <size_t>size)
    memcpy(out + FT_RECORD_HEADER, body, <size_t>size)
    return record


@cython.final
@cython.freelist(4)
cdef class Window:
    """Part of a bytes object, lent to an AEAD: to write there, when it is being made and nobody else has it yet.

    Whoever keeps a buffer of it keeps the object too.
    """

    def __getbuffer__(self, Py_buffer *view, int flags):
        if not self._lent:
            raise BufferError("there is nothing to write to")
        PyBuffer_FillInfo(
            view, self, PyBytes_AS_STRING(self._target) + self._start, self._size, self._read_only, flags
        )


cdef Window window(bytes target, Py_ssize_t start, bint read_only):
    """Return the part of target from start on."""
    cdef Window part = Window.__new__(Window)
    part._target = target
    part._start = start
    part._size = PyBytes_GET_SIZE(target) - start
    part._lent = True
    part._read_only = read_only
    return part


@cython.final
cdef class Later:
    """An AEAD that is made of a key when it is first used: it takes 2.5 KiB, and many a direction is never used."""

    def __init__(self, make, Secret key not None):
        self._make = make
        self._key = key

    def __reduce__(self):
        raise TypeError("an AEAD that is to be made cannot be pickled or copied")


cdef Later later(make, Secret key):
    cdef Later aead = Later.__new__(Later)
    if key is None:
        raise TypeError("an AEAD needs a key")
    aead._make = make
    aead._key = key
    return aead


cdef Py_ssize_t checked_tag_size(Py_ssize_t size) except -1:
    if not 0 <= size <= MOST_TAG:
        raise ValueError(f"a tag of {size} bytes, it has at most {MOST_TAG}")
    return size


cdef class Numbered:
    """What both directions of a connection share: an iv and a sequence number."""

    def __cinit__(self):
        self._aead = None
        self.sequence = 0

    def __dealloc__(self):
        ft_wipe(self._iv, sizeof(self._iv))

    cdef int _take_keys(self, aead, str method, Secret iv) except -1:
        """Take an iv, and an AEAD with the method that this direction needs, or a Later."""
        if iv._size != FT_NONCE:
            raise ValueError(f"an iv of {len(iv)} bytes, {FT_NONCE} are needed")
        if self._aead is not None:
            raise ValueError("record protection takes its keys once")
        memcpy(self._iv, iv._lend(), FT_NONCE)
        self._aead = aead if type(aead) is Later else getattr(aead, method)
        return 0

    cdef int _make_aead(self, str method) except -1:
        cdef Later later
        if type(self._aead) is Later:
            later = self._aead
            self._aead = getattr(later._make(later._key), method)
        return 0

    cdef bytes _nonce(self):
        cdef bytes nonce
        if self._aead is None:
            raise ValueError("record protection without keys")
        nonce = PyBytes_FromStringAndSize(NULL, FT_NONCE)
        ft_record_nonce(<uint8_t *>PyBytes_AS_STRING(nonce), self._iv, self.sequence)
        return nonce

    cdef int _advance(self) except -1:
        # RFC 8446 section 5.3: a sequence number must not wrap.
        if self.sequence == <uint64_t>0xFFFFFFFFFFFFFFFF:
            raise OverflowError("the sequence number of this connection is used up")
        self.sequence += 1
        return 0

    def __reduce__(self):
        raise TypeError("record protection cannot be pickled or copied")


cdef class Sealer(Numbered):
    """Protects what is written; sequence is how many records its keys have protected."""

    cpdef bytes protect(self, uint8_t content_type, content, Py_ssize_t padding):
        """Return one record that holds content and padding zeros, counts in bytes."""
        raise TypeError("a Sealer is one of its kinds")

    cdef int _encrypt(self, bytes nonce, content, bytes additional, bytes record, Py_ssize_t start) except -1:
        """Fill record from start on with what protects content. Raises ValueError when it does not just fit."""
        self._make_aead("encrypt_into")
        cdef Window lent = window(record, start, False)
        cdef Py_ssize_t written = self._aead(nonce, content, additional, lent)
        lent._lent = False  # the record is made: nobody may change it
        if written != PyBytes_GET_SIZE(record) - start:
            raise ValueError(f"the AEAD wrote {written} bytes of {PyBytes_GET_SIZE(record) - start}")
        return 0

    def seal(self, uint8_t content_type, content, Py_ssize_t padding=0):
        """Return one record, as protect() does; without padding unless it is asked for."""
        return self.protect(content_type, content, padding)


cdef class Opener(Numbered):
    """Opens what is read; sequence is how many records its keys have opened.

    max_body is the longest body that a record may have, in bytes; hides_type says that a header's content type
    says nothing, as in TLS 1.3.
    """

    cpdef tuple open(self, bytes header, bytes body):
        """Return (content type, content). Raises an Alert for what is not authentic or too long."""
        raise TypeError("an Opener is one of its kinds")

    cdef bytes _decrypt(self, bytes nonce, body, bytes additional, Py_ssize_t size):
        """Return the size bytes that body protects. Raises BadRecordMac when it is not authentic.

        They are put where they stay: what an AEAD returns is filled with zeros first.
        """
        self._make_aead("decrypt_into")
        cdef bytes content = PyBytes_FromStringAndSize(NULL, size)
        cdef Window lent = window(content, 0, False)
        cdef Py_ssize_t written
        try:
            written = self._aead(nonce, body, additional, lent)
        except self._failure as exc:
            raise BadRecordMac(f"record {self.sequence} does not decrypt") from exc
        finally:
            lent._lent = False  # nobody may change it from here on
        if written != size:
            raise ValueError(f"the AEAD wrote {written} bytes of {size}")
        return content


@cython.final
cdef class PlainSealer(Sealer):
    """Writes records without protection. version is what the header says (RFC 8446 section 5.1).

    They are not numbered: sequence is always 0.
    """

    def __init__(self, uint32_t version=VERSION_12):
        self.version = version

    cpdef bytes protect(self, uint8_t content_type, content, Py_ssize_t padding):
        """Return one record. The padding is protected records' alone and must be 0."""
        cdef Py_buffer view
        if padding:
            raise ValueError("an unprotected record cannot be padded")
        PyObject_GetBuffer(content, &view, PyBUF_SIMPLE)
        try:
            if view.len > FT_MAX_PLAINTEXT:
                raise ValueError(f"{view.len} bytes do not fit one record")
            return framed(content_type, self.version, <const uint8_t *>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)


@cython.final
cdef class PlainOpener(Opener):
    """Reads records without protection. They are not numbered: sequence is always 0."""

    def __cinit__(self):
        self.max_body = FT_MAX_PLAINTEXT
        self.hides_type = False

    cpdef tuple open(self, bytes header, bytes body):
        """Return (content type, content)."""
        if header is None or body is None:
            raise TypeError("a record has a header and a body")
        return header[0], body


@cython.final
cdef class Sealer13(Sealer):
    """Protects records as TLS 1.3 does (RFC 8446 section 5.2).

    aead has encrypt_into(nonce, data, associated_data, buffer); tag_size is in bytes.
    """

    def __init__(self, aead, Secret iv not None, Py_ssize_t tag_size=16):
        self._take_keys(aead, "encrypt_into", iv)
        self._tag_size = checked_tag_size(tag_size)

    cpdef bytes protect(self, uint8_t content_type, content, Py_ssize_t padding):
        """Return one record that holds content and padding zeros, counts in bytes."""
        cdef Py_buffer view
        cdef bytes inner, header, record
        cdef Py_ssize_t size
        cdef uint8_t *out
        PyObject_GetBuffer(content, &view, PyBUF_SIMPLE)
        try:
            if padding < 0 or view.len + padding > FT_MAX_PLAINTEXT:
                raise ValueError(f"{view.len} bytes and {padding} of padding do not fit one record")
            inner = PyBytes_FromStringAndSize(NULL, view.len + 1 + padding)
            out = <uint8_t *>PyBytes_AS_STRING(inner)
            memcpy(out, view.buf, <size_t>view.len)
            out[view.len] = content_type
            memset(out + view.len + 1, 0, <size_t>padding)
        finally:
            PyBuffer_Release(&view)
        size = PyBytes_GET_SIZE(inner) + self._tag_size
        record = PyBytes_FromStringAndSize(NULL, FT_RECORD_HEADER + size)
        ft_record_header(<uint8_t *>PyBytes_AS_STRING(record), APPLICATION_DATA, VERSION_12, <size_t>size)
        header = PyBytes_FromStringAndSize(PyBytes_AS_STRING(record), FT_RECORD_HEADER)
        self._encrypt(self._nonce(), inner, header, record, FT_RECORD_HEADER)
        self._advance()
        return record


@cython.final
cdef class Opener13(Opener):
    """Opens records that TLS 1.3 protects (RFC 8446 section 5.2).

    aead has decrypt_into(nonce, data, associated_data, buffer), which raises failure for what is not authentic.
    """

    def __init__(self, aead, Secret iv not None, failure, Py_ssize_t tag_size=16):
        self._take_keys(aead, "decrypt_into", iv)
        self._tag_size = checked_tag_size(tag_size)
        self.max_body = FT_MAX_CIPHERTEXT_13
        self.hides_type = True  # the header's content type is application_data, always
        self._failure = failure

    cpdef tuple open(self, bytes header, bytes body):
        """Return (content type, content), padding removed.

        Raises BadRecordMac for a record that is not authentic or too short, RecordOverflow for a
        plaintext over 2^14 bytes, and UnexpectedMessage for one without a content type.
        """
        cdef bytes inner
        cdef Py_ssize_t end, size
        cdef uint8_t content_type
        if header is None or body is None:
            raise TypeError("a record has a header and a body")
        size = PyBytes_GET_SIZE(body) - self._tag_size
        if size < 0:
            raise BadRecordMac(f"a protected record of {PyBytes_GET_SIZE(body)} bytes")
        inner = self._decrypt(self._nonce(), body, header, size)
        self._advance()
        if size > FT_MAX_PLAINTEXT + 1:
            raise RecordOverflow(f"an inner plaintext of {size} bytes")
        end = ft_record_content_end(<const uint8_t *>PyBytes_AS_STRING(inner), <size_t>size)
        if end < 0:
            raise UnexpectedMessage("a protected record without a content type")
        content_type = <uint8_t>PyBytes_AS_STRING(inner)[end]
        if Py_REFCNT(inner) == 1:  # else an AEAD has kept what it was lent
            FT_CUT(inner, end)
            return content_type, inner
        return content_type, inner[:end]


cpdef Sealer13 sealer13_later(make, Secret key, Secret iv, Py_ssize_t tag_size):
    """Return the Sealer13 of an AEAD that make(key) makes when it is first used."""
    cdef Sealer13 sealer = Sealer13.__new__(Sealer13)
    sealer._take_keys(later(make, key), "encrypt_into", iv)
    sealer._tag_size = checked_tag_size(tag_size)
    return sealer


cpdef Opener13 opener13_later(make, Secret key, Secret iv, failure, Py_ssize_t tag_size):
    """Return the Opener13 of an AEAD that make(key) makes when it is first used."""
    cdef Opener13 opener = Opener13.__new__(Opener13)
    opener._take_keys(later(make, key), "decrypt_into", iv)
    opener._tag_size = checked_tag_size(tag_size)
    opener.max_body = FT_MAX_CIPHERTEXT_13
    opener.hides_type = True
    opener._failure = failure
    return opener


cdef bytes additional_data12(uint64_t sequence, const char *header, Py_ssize_t size):
    """What an AEAD suite of TLS 1.2 authenticates beside the content (RFC 5246 section 6.2.3.3)."""
    cdef bytes data = PyBytes_FromStringAndSize(NULL, ADDITIONAL_DATA_12)
    cdef uint8_t *out = <uint8_t *>PyBytes_AS_STRING(data)
    ft_store64(out, sequence)
    memcpy(out + 8, header, 3)  # content type and version, as the record has them
    ft_store16(out + 11, <uint32_t>size)
    return data


@cython.final
cdef class Sealer12(Sealer):
    """Protects records as TLS 1.2's AEAD suites do (RFC 5246 section 6.2.3.3).

    explicit says that eight bytes of the nonce are in the record, as AES-GCM and AES-CCM have it
    (RFC 5288 section 3); they are the sequence number. Without, RFC 7905 section 2.
    """

    def __init__(self, aead, Secret iv not None, bint explicit, Py_ssize_t tag_size=16):
        self._take_keys(aead, "encrypt_into", iv)
        self._explicit = explicit
        self._tag_size = checked_tag_size(tag_size)

    cpdef bytes protect(self, uint8_t content_type, content, Py_ssize_t padding):
        """Return one record. There is no padding in TLS 1.2's AEAD suites: it must be 0."""
        cdef Py_buffer view
        cdef Py_ssize_t size
        cdef bytes nonce, additional, record
        cdef Py_ssize_t start = FT_RECORD_HEADER + (EXPLICIT_NONCE if self._explicit else 0)
        if padding:
            raise ValueError("a TLS 1.2 record cannot be padded")
        PyObject_GetBuffer(content, &view, PyBUF_SIMPLE)
        size = view.len
        PyBuffer_Release(&view)
        if size > FT_MAX_PLAINTEXT:
            raise ValueError(f"{size} bytes do not fit one record")
        nonce = self._nonce()
        record = PyBytes_FromStringAndSize(NULL, start + size + self._tag_size)
        ft_record_header(<uint8_t *>PyBytes_AS_STRING(record), content_type, VERSION_12,
                         <size_t>(start + size + self._tag_size - FT_RECORD_HEADER))
        if self._explicit:
            memcpy(PyBytes_AS_STRING(record) + FT_RECORD_HEADER,
                   PyBytes_AS_STRING(nonce) + FT_NONCE - EXPLICIT_NONCE, EXPLICIT_NONCE)
        additional = additional_data12(self.sequence, PyBytes_AS_STRING(record), size)
        self._encrypt(nonce, content, additional, record, start)
        self._advance()
        return record


@cython.final
cdef class Opener12(Opener):
    """Opens records that TLS 1.2's AEAD suites protect; aead as for Opener13, the rest as for Sealer12."""

    def __init__(self, aead, Secret iv not None, bint explicit, Py_ssize_t tag_size, failure):
        self._take_keys(aead, "decrypt_into", iv)
        self.max_body = FT_MAX_CIPHERTEXT_12
        self.hides_type = False
        self._explicit = explicit
        self._tag_size = checked_tag_size(tag_size)
        self._failure = failure

    cpdef tuple open(self, bytes header, bytes body):
        """Return (content type, content).

        Raises BadRecordMac for a record that is not authentic or too short, and RecordOverflow for a
        plaintext over 2^14 bytes.
        """
        cdef Py_ssize_t overhead = self._tag_size + (EXPLICIT_NONCE if self._explicit else 0)
        cdef Py_ssize_t size
        cdef bytes nonce, content
        cdef object protected = body
        if header is None or body is None:
            raise TypeError("a record has a header and a body")
        size = PyBytes_GET_SIZE(body) - overhead
        if PyBytes_GET_SIZE(header) != FT_RECORD_HEADER:
            raise ValueError(f"a record header of {PyBytes_GET_SIZE(header)} bytes, it has {FT_RECORD_HEADER}")
        if size < 0:
            raise BadRecordMac(f"a protected record of {PyBytes_GET_SIZE(body)} bytes")
        if size > FT_MAX_PLAINTEXT:
            raise RecordOverflow(f"a plaintext of {size} bytes")
        nonce = self._nonce()
        if self._explicit:
            memcpy(PyBytes_AS_STRING(nonce) + FT_NONCE - EXPLICIT_NONCE, PyBytes_AS_STRING(body), EXPLICIT_NONCE)
            # The explicit part replaces the sequence number, which the iv's zeros left bare.
            protected = window(body, EXPLICIT_NONCE, True)
        content = self._decrypt(
            nonce, protected, additional_data12(self.sequence, PyBytes_AS_STRING(header), size), size
        )
        self._advance()
        return header[0], content
