"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.groups cimport offers
from fasttls.handshake.config cimport Config
from fasttls.wire.messages cimport ClientHello


cdef class Asked:
    cdef readonly str server_name
    cdef readonly bint by_name


cpdef is_grease(code)
cpdef is_signal(code)
cpdef dict key_offers(Config config, tuple groups)
cpdef ClientHello build_client_hello(Config config, str host, dict shares)
cpdef bytes server_random(Config config, version)
cpdef is_downgrade(Config config, version, bytes random)
cpdef str version_label(version)
cpdef str version_range(Config config)
