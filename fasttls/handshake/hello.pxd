"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.wire.messages cimport ClientHello


cdef class Asked:
    cdef readonly str server_name
    cdef readonly bint by_name


cpdef is_grease(code)
cpdef is_signal(code)
cpdef dict key_offers(config, tuple groups)
cpdef ClientHello build_client_hello(config, str host, dict shares)
cpdef bytes server_random(config, version)
cpdef is_downgrade(config, version, bytes random)
cpdef str version_label(version)
cpdef str version_range(config)
