"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cdef class PublicKey:
    cdef readonly object key
    cdef readonly bint pss_only
    cdef readonly object pss
    cdef readonly dict _fitting


cpdef curve_of(key)


cdef class Scheme:
    cdef readonly object code
    cdef readonly object fits
    cdef readonly tuple arguments
    cpdef sign(self, key, data)
    cpdef verify(self, PublicKey public, signature, data)


cpdef bytes signed_content(bytes context, bytes transcript_hash)
cpdef verify_with(scheme, tuple accepted, PublicKey public, signature, data, schemes=*)


cdef class KeySigner:
    cdef public object _key
    cdef public object decrypt
    cdef public tuple schemes
    cdef public tuple schemes12
    cpdef sign(self, scheme, data)
