"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cpdef matches_dns(str pattern, str host)
cpdef check_host(certificate, str host)
cpdef host_names(certificate)
cpdef str _listed(certificate, most=*)
