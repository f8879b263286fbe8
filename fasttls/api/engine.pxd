"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.api.agreed cimport Agreed
from fasttls.api.channel cimport Channel
from fasttls.api.session_link cimport SessionLink
from fasttls.events cimport (
    ApplicationData,
    EarlyData,
    EarlyDataAnswered,
    HandshakeCompleted,
    TicketReceived,
)
from fasttls.native._mutex cimport Mutex


cdef class Engine(Agreed):
    cdef object __weakref__
    cdef public object _context
    cdef public Channel _channel
    cdef public object _choice
    cdef public object _ignores_eof
    cdef public object _owner
    cdef public list _plaintext
    cdef public Py_ssize_t _taken
    cdef public list _outgoing
    cdef public Py_ssize_t _committed
    cdef public Py_ssize_t _early_committed
    cdef public Mutex _lock
    cdef public Mutex _write_lock
    cdef public Mutex _writing
    cdef public Mutex _reading
    cdef public Py_ssize_t _forks
    cdef public Py_ssize_t _looked
    cdef public bint _wrote
    cdef public SessionLink _sessions
    cdef public object _early
    cdef public EarlyDataAnswered _early_answer
    cpdef _collect(self)
    cpdef _flush(self, deadline, str doing)
    cpdef _flush_now(self)
    cpdef bint _pump(self, Py_ssize_t seen, deadline, str doing) except -1
    cpdef bint _read_record(self, deadline, str doing) except -1
    cpdef bint _sent_tickets_alone(self) except -1
    cpdef _receive(self, bytes data)
    cpdef _end(self)
    cpdef _on_event(self, event)
    cpdef _say_goodbye(self, deadline, str doing)
    cpdef _raise_failure(self)
    cpdef do_handshake(self)
    cpdef read(self, size=*, buffer=*)
    cpdef _fill(self)
    cpdef write(self, data)
    cpdef _write(self, view, deadline)
    cpdef pending(self)
    cpdef shutdown(self)
    cpdef leave(self)
    cpdef key_update(self, bint request_peer=*)
    cpdef verify_client_post_handshake(self)
    cpdef _take_certificates(self, context)
    cpdef write_early(self, data)
