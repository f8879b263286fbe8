"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython

cimport fasttls.trust.policy as policies  # by another name: `Policy` is a name of the module beside as well

from fasttls.native._x509 cimport CertificateFields
from fasttls.trust.certificate cimport known_to_be_signed_by, may_be_issued_by
from fasttls.trust.names cimport check_host
from fasttls.trust.rules cimport check_dates, check_form, check_issuer, check_purpose, check_strength, refusal


cpdef tuple verify_chain(chain, store, policies.Policy policy)
cpdef _malformed(exc)


@cython.locals(one=CertificateFields)
cpdef bint _is_among(CertificateFields certificate, tuple path)


cdef class _Builder:
    cdef public CertificateFields _leaf
    cdef public list _pool
    cdef public object _store
    cdef public policies.Policy _policy
    cdef public int _signatures_left
    cdef public int _steps_left
    cdef public int _lookups_left
    cdef public object _refusal
    cdef public tuple _dead_end
    cdef public bint _everywhere
    cdef public bint _host_checked
    cdef public object _host_refusal
    cdef public object _comparisons
    cpdef tuple build(self)

    @cython.locals(last=CertificateFields)
    cpdef tuple _search(self, tuple path)
    cpdef bint _validates(self, tuple path)
    cpdef _no_path(self)

    @cython.locals(certificate=CertificateFields, depth=int, top=int, intermediates=int)
    cpdef _validate(self, tuple path)
    cpdef _check_name_constraints(self, tuple path)
    cpdef _check_signature(self, CertificateFields certificate, CertificateFields issuer, int depth)
