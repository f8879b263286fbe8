"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cdef class Channel:
    cpdef deadline(self)
    cpdef bytes read(self, size, deadline, str doing)
    cpdef write(self, data, deadline, str doing)
    cpdef write_now(self, data)
    cpdef drain(self)
    cpdef bytes peek(self)
    cpdef skip(self, Py_ssize_t size)


cdef class BioChannel(Channel):
    cdef public object _incoming
    cdef public object _outgoing
    cpdef deadline(self)
    cpdef bytes read(self, size, deadline, str doing)
    cpdef write(self, data, deadline, str doing)
    cpdef write_now(self, data)
    cpdef drain(self)


cdef class SocketChannel(Channel):
    cdef public object _socket
    cpdef drain(self)
    cpdef bytes peek(self)
    cpdef skip(self, Py_ssize_t size)
    cpdef deadline(self)
    cpdef _wait(self, sock, event, deadline, str doing)
    cpdef _descriptor(self, sock, deadline, str doing)
    cpdef bytes read(self, size, deadline, str doing)
    cpdef write(self, data, deadline, str doing)
    cpdef write_now(self, data)
