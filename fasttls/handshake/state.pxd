"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""


cpdef readers_of(handlers)


cdef class State:
    cpdef explain_alert(self, description)


cdef class ConnectedState(State):
    cpdef export(self, bytes label, size, bytes context)
