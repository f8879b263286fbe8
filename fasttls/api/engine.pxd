"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.api.channel cimport Channel
from fasttls.api.session_link cimport SessionLink
from fasttls.connection cimport Connection
from fasttls.events cimport (
    ApplicationData,
    EarlyData,
    EarlyDataAnswered,
    HandshakeCompleted,
    Negotiated,
    TicketReceived,
)
from fasttls.native._mutex cimport Mutex


cdef class Engine:
    cdef object __weakref__
    cdef public object _context
    cdef public Connection _connection
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
    cdef public Py_ssize_t _looked
    cdef public SessionLink _sessions
    cdef public object _early
    cdef public EarlyDataAnswered _early_answer
    cpdef _collect(self)
    cpdef _flush(self, deadline, str doing)
    cpdef _flush_now(self)
    cpdef bint _pump(self, Py_ssize_t seen, deadline, str doing) except -1
    cpdef bint _read_record(self, deadline, str doing) except -1
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
    cpdef getpeercert(self, bint binary_form=*)
    cpdef get_unverified_chain(self)
    cpdef get_verified_chain(self)
    cpdef tuple cipher(self)
    cpdef shared_ciphers(self)
    cpdef str version(self)
    cpdef str group(self)
    cpdef hello_retried(self)
    cpdef tuple signature_algorithms(self)
    cpdef compression(self)
    cpdef str selected_alpn_protocol(self)
    cpdef bytes get_channel_binding(self, cb_type=*)
    cpdef key_update(self, bint request_peer=*)
    cpdef bytes export_keying_material(self, bytes label, size, bytes context=*)
    cpdef verify_client_post_handshake(self)
    cpdef _take_certificates(self, context)
    cpdef write_early(self, data)
