"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""



cdef class Asked:
    cdef readonly str server_name
    cdef readonly bint by_name
cpdef is_grease(code)
cpdef is_signal(code)
cpdef key_offers(config, tuple groups)
cpdef build_client_hello(config, str host, dict shares)
cpdef server_random(config, version)
cpdef is_downgrade(config, version, bytes random)
cpdef version_label(version)
cpdef version_range(config)
