"""A byte stream, cut into records (RFC 8446 section 5.1)."""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

from fasttls.wire.alerts import ProtocolVersionAlert, RecordOverflow, UnexpectedMessage


cdef extern from "ft_record.h" nogil:
    enum:
        FT_RECORD_HEADER
        FT_MAX_PLAINTEXT


cdef extern from "ft_wire.h" nogil:
    uint32_t ft_load16(const uint8_t *p)

cdef enum:
    CHANGE_CIPHER_SPEC = 20
    HEARTBEAT = 24

HEADER_SIZE = FT_RECORD_HEADER
MAX_PLAINTEXT = FT_MAX_PLAINTEXT


cdef str what_it_looks_like(const uint8_t *data, Py_ssize_t size):
    """The reason for a first record that is none, in OpenSSL's words."""
    cdef bytes start = data[:min(size, 8)]
    if start[:4] in (b"GET ", b"POST", b"HEAD", b"PUT "):
        return "HTTP_REQUEST"
    if start[:5] == b"CONNE":
        return "HTTPS_PROXY_REQUEST"
    return "WRONG_VERSION_NUMBER"


# What a peer without TLS begins with, as far as a record's header is long, and what there is to say of it.
_WITHOUT_TLS = (
    (b"HTTP/", "the peer answers in HTTP: its port is one for http://"),
    (b"<?xml", "the peer sends XML: an XMPP server wants STARTTLS first, or its port is one for http://"),
    (b"<stre", "an XMPP server greets: TLS begins there with STARTTLS"),
    (b"<", "the peer sends a page: its port is one for http://, or a proxy answers"),
    (b"220", "a mail or FTP server greets: TLS begins there with STARTTLS"),
    (b"* OK", "an IMAP server greets: TLS begins there with STARTTLS"),
    (b"+OK", "a POP3 server greets: TLS begins there with STLS"),
    (b"SSH-", "the peer speaks SSH"),
    (b"AMQP", "the peer speaks AMQP without TLS"),
    (b"-ERR", "a Redis server answers without TLS, or a POP3 server does not want this client"),
    (b"-DENI", "a Redis server answers without TLS"),
    (b"\x03\0\0", "the peer speaks RDP, which has to be asked for TLS"),
    (b"GET ", "the client speaks HTTP: it is to use https://"),
    (b"POST", "the client speaks HTTP: it is to use https://"),
    (b"HEAD", "the client speaks HTTP: it is to use https://"),
    (b"PUT ", "the client speaks HTTP: it is to use https://"),
    (b"OPTIO", "the client speaks HTTP: it is to use https://"),
    (b"DELET", "the client speaks HTTP: it is to use https://"),
    (b"PATCH", "the client speaks HTTP: it is to use https://"),
    (b"PRI *", "the client speaks HTTP/2 without TLS: it is to use https://"),
    (b"CONNE", "the client takes this server for a proxy"),
    (b"PROXY", "a load balancer sends the PROXY protocol, which has to be read before TLS begins"),
    (b"\r\n\r\n\0", "a load balancer sends the PROXY protocol, which has to be read before TLS begins"),
)


cdef str who_speaks(bytes start):
    """What there is to say of a peer that does not begin with TLS."""
    if start[3:5] == b"\0\n":
        return "; a MySQL server greets: TLS begins there within its own protocol"
    for prefix, words in _WITHOUT_TLS:
        if start.startswith(prefix):
            return f"; {words}"
    return ""


@cython.final
cdef class Deframer:
    """Cuts a byte stream into records. It holds at most what was fed and not yet taken.

    max_body is the longest body accepted next, in bytes: 2^14 in the clear, 2^14 + 256 when protected.
    A header and its body that are fed as bytes objects of just that size, as who reads `wanted` bytes does, are
    returned as they are. Whatever else comes is put together in a buffer.
    """

    def __cinit__(self):
        self._data = NULL
        self._start = 0
        self._end = 0
        self._room = 0
        self.max_body = FT_MAX_PLAINTEXT

    def __dealloc__(self):
        free(self._data)

    @property
    def waiting(self):
        """How many bytes were fed and not yet taken."""
        if self._header is not None:
            return FT_RECORD_HEADER + (0 if self._body is None else PyBytes_GET_SIZE(self._body))
        return self._end - self._start

    @property
    def wanted(self):
        """How many more bytes the next record needs: those of its header first, then of its body."""
        return self.missing()

    cdef Py_ssize_t missing(self) noexcept:
        cdef Py_ssize_t have = self._end - self._start
        if self._header is not None:
            return 0 if self._body is not None else body_size(<const uint8_t *>PyBytes_AS_STRING(self._header))
        if have < FT_RECORD_HEADER:
            return FT_RECORD_HEADER - have
        have -= FT_RECORD_HEADER + body_size(self._data + self._start)
        return -have if have < 0 else 0

    cpdef feed(self, data):
        """Append received bytes, from any readable buffer."""
        cdef Py_buffer view
        if type(data) is bytes and self._keep_whole(<bytes>data):
            return
        self._spill()
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            self._append(<const uint8_t *>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    cpdef Py_ssize_t take_header(self, data):
        """Take the whole header of a record whose body is to come, and return the size of that; else return 0.

        A header that next() would refuse is not taken.
        """
        cdef const uint8_t *header
        if type(data) is not bytes or PyBytes_GET_SIZE(<bytes>data) != FT_RECORD_HEADER:
            return 0
        header = <const uint8_t *>PyBytes_AS_STRING(<bytes>data)
        if self._header is None and self._is_header(header) and body_size(header) and self._keep_whole(<bytes>data):
            return body_size(header)
        return 0

    cdef bint _is_header(self, const uint8_t *header) noexcept:
        return (header[1] == 3 and CHANGE_CIPHER_SPEC <= header[0] <= HEARTBEAT
                and body_size(header) <= self.max_body)

    cdef bint _keep_whole(self, bytes data) noexcept:
        """Keep a whole header, or the whole body that belongs to it, and say whether it was one."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        if self._header is None:
            if self._start == self._end and size == FT_RECORD_HEADER:
                self._header = data
                return True
        elif self._body is None and size and size == body_size(<const uint8_t *>PyBytes_AS_STRING(self._header)):
            self._body = data
            return True
        return False

    cdef int _spill(self) except -1:
        """Move what was kept whole to the buffer."""
        cdef bytes header = self._header
        cdef bytes body = self._body
        if header is not None:
            # The buffer is empty: both go in, or neither does.
            if body is not None:
                header = header + body
            self._append(<const uint8_t *>PyBytes_AS_STRING(header), PyBytes_GET_SIZE(header))
            self._header = self._body = None
        return 0

    cdef int _append(self, const uint8_t *data, Py_ssize_t size) except -1:
        cdef uint8_t *moved
        if not size:
            return 0
        if self._start:
            self._end -= self._start
            memmove(self._data, self._data + self._start, <size_t>self._end)
            self._start = 0
        if size > self._room - self._end:
            moved = <uint8_t *>realloc(self._data, <size_t>(self._end + size))
            if moved == NULL:
                raise MemoryError()
            self._data = moved
            self._room = self._end + size
        memcpy(self._data + self._end, data, <size_t>size)
        self._end += size
        return 0

    cdef int _check(self, const uint8_t *header, Py_ssize_t have) except -1:
        """Refuse a header as soon as it is there; have is how many bytes may be shown."""
        cdef Py_ssize_t size = body_size(header)
        if self._is_header(header):
            return 0
        if header[1] != 3:
            start = header[:min(have, 16)]
            raise ProtocolVersionAlert(
                f"this is no TLS record: {start!r}{who_speaks(start)}", reason=what_it_looks_like(header, have)
            )
        if not CHANGE_CIPHER_SPEC <= header[0] <= HEARTBEAT:
            raise UnexpectedMessage(f"no such content type: {header[0]}")
        # Before the rest is waited for: an oversized record is not worth the memory.
        raise RecordOverflow(f"a record of {size} bytes, at most {self.max_body} are allowed")

    cpdef tuple next(self):
        """Return the next record as (header, body), or None while it is not all there.

        Raises ProtocolVersionAlert for what is no TLS record, UnexpectedMessage for an unknown content
        type and RecordOverflow for a body over max_body: as soon as the header says so.
        """
        cdef Py_ssize_t have = self._end - self._start
        cdef const uint8_t *header
        cdef Py_ssize_t size
        cdef bytes head, body
        if self._header is not None:
            head, body = self._header, self._body
            header = <const uint8_t *>PyBytes_AS_STRING(head)
            self._check(header, FT_RECORD_HEADER)
            if body is None and body_size(header):
                return None
            self._header = self._body = None
            return head, b"" if body is None else body
        if have < FT_RECORD_HEADER:
            return None
        header = self._data + self._start
        self._check(header, have)
        size = body_size(header)
        if have < FT_RECORD_HEADER + size:
            return None
        head = PyBytes_FromStringAndSize(<const char *>header, FT_RECORD_HEADER)
        body = PyBytes_FromStringAndSize(<const char *>header + FT_RECORD_HEADER, size)
        self._start += FT_RECORD_HEADER + size
        if self._start == self._end:
            # An idle connection holds no buffer.
            free(self._data)
            self._data = NULL
            self._start = self._end = self._room = 0
        return head, body


cdef inline Py_ssize_t body_size(const uint8_t *header) noexcept:
    return <Py_ssize_t>ft_load16(header + 3)
