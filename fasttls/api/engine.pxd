"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.connection cimport Connection
from fasttls.events cimport EarlyDataAnswered


cdef class ChainCertificate:
    cdef public bytes _der
    cpdef public_bytes(self, format=*)
    cpdef get_info(self)


cdef class Engine:
    cdef public object _context
    cdef public Connection _connection
    cdef public object _channel
    cdef public object _on_context
    cdef public object _owner
    cdef public object _plaintext
    cdef public object _outgoing
    cdef public object _committed
    cdef public object _lock
    cdef public object _write_lock
    cdef public object _writing
    cdef public object _sessions
    cdef public object _early
    cdef public EarlyDataAnswered _early_answer
    cpdef _collect(self)
    cpdef _pump(self, deadline, str doing)
    cpdef _on_event(self, event)
    cpdef _say_goodbye(self, deadline, str doing)
    cpdef _raise_failure(self)
    cpdef do_handshake(self)
    cpdef read(self, size=*, buffer=*)
    cpdef _fill(self)
    cpdef _take(self, size)
    cpdef write(self, data)
    cpdef _write(self, view, deadline)
    cpdef shutdown(self)
    cpdef getpeercert(self, bint binary_form=*)
    cpdef get_unverified_chain(self)
    cpdef get_verified_chain(self)
    cpdef cipher(self)
    cpdef shared_ciphers(self)
    cpdef version(self)
    cpdef group(self)
    cpdef hello_retried(self)
    cpdef signature_algorithms(self)
    cpdef compression(self)
    cpdef selected_alpn_protocol(self)
    cpdef get_channel_binding(self, str cb_type=*)
    cpdef key_update(self, bint request_peer=*)
    cpdef export_keying_material(self, bytes label, size, bytes context=*)
    cpdef verify_client_post_handshake(self)
    cpdef write_early(self, data)
