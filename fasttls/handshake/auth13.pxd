"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.auth cimport PeerIdentity, identify_peer, sign, with_staple
from fasttls.handshake.flight cimport Flight
from fasttls.wire.extensions cimport unsolicited
from fasttls.wire.messages cimport CertificateRequest, CertificateVerify


cpdef tuple choose_credential(config, tuple accepted, tuple accepted_cert, tuple authorities=*)
cpdef CertificateRequest certificate_request(config, bytes context=*)
cpdef send_certificate_verify(Flight flight, credential, scheme, bytes context)
cpdef check_certificate_verify(config, PeerIdentity identity, CertificateVerify message, bytes context,
                               bytes transcript_hash)
