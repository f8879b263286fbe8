"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython

from fasttls.native._x509 cimport CertificateFields
from fasttls.trust.policy cimport Strength


cpdef refusal(code, certificate, depth, str rule, str found, str expected, str detail=*)
cpdef check_form(CertificateFields certificate, depth)
cpdef check_issuer(CertificateFields certificate, int depth, int intermediates, bint strict, bint trusted)
cpdef check_purpose(CertificateFields certificate, int depth, purpose)
cpdef bint _is_step_up(tuple uses)
cpdef _check_netscape_type(CertificateFields certificate, purpose)


@cython.locals(bits=Py_ssize_t, needed=Py_ssize_t)
cpdef check_strength(CertificateFields certificate, int depth, Strength strength, bint trusted)
cpdef check_dates(CertificateFields certificate, depth, now)
cpdef str date(seconds)
