"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.signatures cimport curve_of, verify_with
from fasttls.handshake.auth cimport PeerIdentity, sign
from fasttls.handshake.config cimport Config, Credential
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.wanted cimport Wanted
from fasttls.wire.messages cimport CertificateVerify


cpdef tuple schemes_of(Credential credential)
cpdef choose_scheme(Credential credential, Wanted wanted, bint rsa_key)
cpdef tuple choose_client_credential(Config config, tuple accepted, bytes types, tuple authorities=*)
cpdef check_key(key_exchange, public)
cpdef check_curve(public)
cpdef verify(Config config, public, scheme, bytes signature, bytes content)
cpdef send_certificate_verify(Flight flight, Credential credential, scheme)
cpdef check_certificate_verify(Config config, PeerIdentity identity, CertificateVerify message, Flight flight)
