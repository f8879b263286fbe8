"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython

from fasttls.crypto.signatures cimport signed_content, verify_with
from fasttls.handshake.auth cimport PeerIdentity, identify_peer, sign, with_staple
from fasttls.handshake.config cimport Config, Credential
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.wanted cimport Wanted
from fasttls.wire.extensions cimport unsolicited
from fasttls.wire.messages cimport Certificate, CertificateEntry, CertificateRequest, CertificateVerify


cpdef tuple choose_credential(Config config, tuple accepted, tuple accepted_cert, tuple authorities=*)
cpdef CertificateRequest certificate_request(Config config, bytes context=*)
cpdef Certificate certificate_of(Credential credential, bytes context=*, bint staple=*)
cpdef send_certificate(Flight flight, Credential credential, bint staple=*)
cpdef send_certificate_verify(Flight flight, Credential credential, scheme, bytes context)


@cython.locals(entry=CertificateEntry)
cpdef PeerIdentity check_certificate(Config config, Certificate message, purpose, str host, dict offered)
cpdef check_certificate_verify(Config config, PeerIdentity identity, CertificateVerify message, bytes context,
                               bytes transcript_hash)
