"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cpdef refusal(code, certificate, depth, str rule, str found, str expected, str detail=*)
cpdef check_form(certificate, depth)
cpdef check_purpose(certificate, depth, purpose)
cpdef check_dates(certificate, depth, now)
cpdef str date(seconds)
