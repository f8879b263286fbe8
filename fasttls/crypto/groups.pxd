"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._secret cimport Secret


cdef class _X:
    cdef readonly object code
    cdef readonly tuple names
    cdef readonly object _private
    cdef readonly bytes _prefix
    cdef readonly Py_ssize_t size
    cpdef generate(self, random)
    cpdef Secret exchange(self, private, bytes share)
    cpdef offer(self, random)
    cpdef tuple answer(self, bytes share, random)


cdef class _XOffer:
    cdef readonly _X _group
    cdef readonly object _private
    cdef readonly bytes public
    cpdef Secret finish(self, bytes answer)


cdef class _Ecdh:
    cdef readonly object code
    cdef readonly tuple names
    cdef readonly object _curve
    cdef readonly object _order
    cdef readonly Py_ssize_t _size
    cdef readonly object _algorithm
    cpdef generate(self, random)
    cpdef bytes public(self, private)
    cpdef Secret exchange(self, private, bytes share)
    cpdef offer(self, random)
    cpdef tuple answer(self, bytes share, random)


cdef class _EcdhOffer:
    cdef readonly _Ecdh _group
    cdef readonly object _private
    cdef readonly bytes public
    cpdef Secret finish(self, bytes answer)


cdef class _HybridOffer:
    cdef readonly object _mlkem
    cdef readonly _XOffer _ecdh
    cdef readonly bytes public
    cpdef Secret finish(self, bytes answer)


cpdef Secret _joined(first, Secret second)
cpdef dict offers(tuple codes, random)
