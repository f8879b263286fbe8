"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.native._x509 cimport CertificateFields


cpdef bint may_be_issued_by(CertificateFields certificate, CertificateFields issuer)
cpdef bint _names_issuer_of(CertificateFields certificate, CertificateFields issuer)
cpdef bint known_to_be_signed_by(CertificateFields certificate, CertificateFields issuer)
