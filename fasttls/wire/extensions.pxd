"""C signatures, so that compiled code calls compiled code without going through Python."""

cimport cython

from fasttls.native._wire cimport Reader, Writer


cdef class KeyShareEntry:
    cdef readonly object group
    cdef readonly bytes key_exchange


cdef class PskIdentity:
    cdef readonly bytes identity
    cdef readonly object obfuscated_ticket_age


cdef class OfferedPsks:
    cdef readonly tuple identities
    cdef readonly tuple binders


cdef class Codec:
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, value)


cdef class _Empty(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, value)


cdef class _Raw(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, value)


cdef class _U16(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, value)


cdef class _U32(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, value)


cdef class _U16s(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, values)


cdef class _U8s(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, values)


cdef class _ServerName(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, name)


cpdef tuple _read_protocols(Reader reader)
cpdef _write_protocols(Writer writer, tuple names)


cdef class _Protocols(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, names)


cdef class _Protocol(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, name)


cdef class _Versions(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, versions)


cpdef KeyShareEntry _read_key_share(Reader reader)
cpdef _write_key_share(Writer writer, KeyShareEntry share)


cdef class _KeyShare(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, share)


cdef class _KeyShares(Codec):
    @cython.locals(share=KeyShareEntry)
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, shares)


cdef class _Cookie(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, cookie)


cdef class _Authorities(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, names)


cdef class _OfferedPsks(Codec):
    cpdef read(self, Reader reader)

    @cython.locals(psks=OfferedPsks, one=PskIdentity)
    cpdef write(self, Writer writer, offered)


cdef class _Status(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, response)


cdef class _StatusRequest(_Raw):
    cpdef read(self, Reader reader)


cdef class _OidFilters(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, filters)


cdef class _Vector16(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, data)


cdef class _Vector8(Codec):
    cpdef read(self, Reader reader)
    cpdef write(self, Writer writer, data)


@cython.locals(block=Reader, data=Reader, codecs=dict, codec=Codec, found=dict)
cpdef dict read_extensions(Reader reader, carrier)


@cython.locals(codecs=dict, codec=Codec)
cpdef write_extensions(Writer writer, carrier, dict extensions)
cpdef unsolicited(dict extensions, dict offered)
