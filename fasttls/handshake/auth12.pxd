"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.auth cimport PeerIdentity, sign
from fasttls.handshake.flight cimport Flight
from fasttls.wire.messages cimport CertificateVerify


cpdef tuple schemes_of(credential)
cpdef is_rsa(scheme)
cpdef tuple choose_client_credential(config, tuple accepted, bytes types, tuple authorities=*)
cpdef check_key(key_exchange, public)
cpdef verify(config, public, scheme, bytes signature, bytes content)
cpdef send_certificate_verify(Flight flight, credential, scheme)
cpdef check_certificate_verify(config, PeerIdentity identity, CertificateVerify message, Flight flight)
