"""Secret: key bytes that are owned, lent and wiped."""

cimport cython
from cpython.buffer cimport (
    PyBUF_SIMPLE,
    PyBUF_WRITABLE,
    PyBuffer_FillInfo,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fasttls.native._hash cimport c_hmac_key_init, c_hmac_key_wipe
from fasttls.native._sha2 cimport ft_hash_id, ft_hmac_key

cdef extern from "ft_memory.h" nogil:
    void ft_wipe(void *memory, size_t size)
    int ft_equal(const void *left, const void *right, size_t size)
    int ft_publish(void **place, void *value)


cdef Secret new_secret(Py_ssize_t size):
    """A secret of size bytes that the caller fills at once, through _data."""
    cdef Secret secret = Secret.__new__(Secret)
    secret._allocate(size)
    return secret


@cython.final
@cython.freelist(8)
cdef class Secret:
    """Key bytes with one owner.

    A Secret lends its bytes through the read-only buffer protocol, compares in constant time, shows
    nothing in its repr, refuses to be pickled or hashed, and zeroes its memory when wiped or freed.
    """

    def __cinit__(self):
        self._data = NULL
        self._size = -1
        self._capacity = 0
        self._keyed[0] = self._keyed[1] = self._keyed[2] = NULL

    def __init__(self, data):
        """Copy data, any readable buffer. The caller still owns, and should wipe, the original."""
        cdef Py_buffer view
        if self._data != NULL:
            raise ValueError("a Secret is filled once")
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            self._allocate(view.len)
            if view.len:
                memcpy(self._data, view.buf, <size_t>view.len)
        finally:
            PyBuffer_Release(&view)

    def __dealloc__(self):
        cdef int i
        for i in range(3):
            if self._keyed[i] != NULL:
                c_hmac_key_wipe(self._keyed[i])
                free(self._keyed[i])
        if self._data != NULL:
            ft_wipe(self._data, <size_t>self._capacity)
            if self._data != self._inline:
                free(self._data)

    cdef int _allocate(self, Py_ssize_t size) except -1:
        if size <= <Py_ssize_t>sizeof(self._inline):
            self._data = self._inline
        else:
            self._data = <uint8_t *>malloc(<size_t>size)
            if self._data == NULL:
                raise MemoryError()
        self._size = size
        self._capacity = size
        return 0

    cdef const uint8_t *_lend(self) except NULL:
        """The bytes, for as long as the caller holds this object. Raises ValueError once wiped."""
        if self._size < 0:
            raise ValueError("this secret was wiped")
        return self._data

    cdef const ft_hmac_key *hmac_key(self, ft_hash_id id) except NULL:
        """The bytes as the key of HMAC, for as long as the caller holds this object and does not wipe it.

        Most secrets of a key schedule are a key several times: taking one in costs as much as a MAC.
        """
        cdef const uint8_t *data = self._lend()
        cdef ft_hmac_key *made = self._keyed[<int>id]
        if made == NULL:
            made = <ft_hmac_key *>malloc(sizeof(ft_hmac_key))
            if made == NULL:
                raise MemoryError()
            c_hmac_key_init(made, id, data, <size_t>self._size)
            if not ft_publish(<void **>&self._keyed[<int>id], made):
                # Another thread was first, and its key is the same.
                c_hmac_key_wipe(made)
                free(made)
                made = self._keyed[<int>id]
        return made

    cpdef settle(self):
        """Give up what hmac_key() keeps, several times the size of the bytes: a later use makes it anew.

        For a secret that will hardly be a key again. Not while another thread uses it.
        """
        cdef int i
        for i in range(3):
            if self._keyed[i] != NULL:
                c_hmac_key_wipe(self._keyed[i])
                free(self._keyed[i])
                self._keyed[i] = NULL

    cpdef wipe(self):
        """Zero the bytes. Any later use raises ValueError; wiping again does nothing."""
        cdef int i
        for i in range(3):
            if self._keyed[i] != NULL:
                c_hmac_key_wipe(self._keyed[i])
        if self._data != NULL:
            ft_wipe(self._data, <size_t>self._capacity)
        self._size = -1

    @property
    def wiped(self):
        """Whether wipe() was called."""
        return self._size < 0

    def __len__(self):
        self._lend()
        return self._size

    def __getbuffer__(self, Py_buffer *view, int flags):
        self._lend()
        if flags & PyBUF_WRITABLE:
            raise BufferError("a Secret is read-only")
        # The memory lives as long as this object, and the buffer holds this object, so a wipe while
        # the bytes are lent leaves zeros behind and never a dangling pointer.
        PyBuffer_FillInfo(view, self, self._data, self._size, 1, flags)

    def __releasebuffer__(self, Py_buffer *view):
        pass

    def __eq__(self, other):
        """Compare with another Secret or buffer; the time depends on the lengths alone."""
        cdef Py_buffer view
        cdef bint equal = False
        self._lend()
        try:
            PyObject_GetBuffer(other, &view, PyBUF_SIMPLE)
        except TypeError:
            return NotImplemented
        if view.len == self._size:
            equal = ft_equal(self._data, view.buf, <size_t>self._size)
        PyBuffer_Release(&view)
        return equal

    __hash__ = None

    def __repr__(self):
        return "<Secret, wiped>" if self._size < 0 else f"<Secret of {self._size} bytes>"

    def __reduce__(self):
        raise TypeError("a Secret cannot be pickled or copied")

    def __copy__(self):
        raise TypeError("a Secret cannot be pickled or copied")

    def __deepcopy__(self, memo):
        raise TypeError("a Secret cannot be pickled or copied")
