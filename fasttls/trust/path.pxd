"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.trust.names cimport check_host
from fasttls.trust.rules cimport check_dates, check_form, check_purpose, refusal


cpdef tuple verify_chain(chain, store, policy)
cpdef _malformed(exc)


cdef class _Builder:
    cdef public object _leaf
    cdef public object _pool
    cdef public object _store
    cdef public object _policy
    cdef public object _signatures_left
    cdef public object _steps_left
    cdef public object _refusal
    cdef public tuple _dead_end
    cdef public object _everywhere
    cpdef tuple build(self)
    cpdef _no_path(self)
    cpdef _validate(self, tuple path)
    cpdef _check_signature(self, certificate, issuer, depth)
