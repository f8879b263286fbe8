"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

cimport cython
from libc.stdint cimport uint64_t

from fasttls.crypto.record_layer cimport RecordLayer
from fasttls.events cimport (
    ApplicationData,
    EarlyData,
    HandshakeCompleted,
    Negotiated,
    PeerAuthenticated,
    PeerClosed,
)
from fasttls.handshake.config cimport Config
from fasttls.handshake.flight cimport (
    AnswerKeyUpdate,
    Emit,
    Flight,
    LogSecret,
    OfferEarlyData,
    ReadWith,
    ReadWith12,
    SelectConfig,
    Send,
    SendChangeCipherSpec,
    SendWarning,
    SkipEarlyData,
    TakeEarlyData,
    WritePlain,
    WriteWith,
    WriteWith12,
)
from fasttls.handshake.machine cimport Machine
from fasttls.handshake.state cimport ConnectedState, State
from fasttls.native._hash cimport Transcript
from fasttls.native._protection cimport PlainSealer

cdef int _TYPE_CHANGE_CIPHER_SPEC
cdef int _TYPE_ALERT
cdef int _TYPE_HANDSHAKE
cdef int _TYPE_APPLICATION_DATA


cdef class Exchange(RecordLayer):
    cdef public Config config
    cdef public bint server_side
    cdef public str server_name
    cdef public object _observer
    cdef public object _server_sessions
    cdef public Negotiated negotiated
    cdef public object error
    cdef public bint peer_closed
    cdef public Transcript _transcript
    cdef public object _read_epoch
    cdef public uint64_t _records_per_key
    cdef public object _skip_early_data
    cdef public bint _skip_by_type
    cdef public Py_ssize_t _empty_records
    cdef public Py_ssize_t _warnings
    cdef public Py_ssize_t _change_cipher_specs
    cdef public bint _answered
    cdef public bint _answer_due
    cdef public Py_ssize_t _early_data_left
    cdef public Py_ssize_t _early_data_due
    cdef public Machine _machine

    @cython.locals(content_type=cython.int, hides_type=cython.bint, hears_plain_alerts=cython.bint)
    cpdef _on_record(self, bytes header, bytes body, list events)
    cpdef _on_empty(self, int content_type)
    cpdef _skip(self, size)
    cpdef _on_change_cipher_spec(self, bytes body, list events)
    cpdef _on_handshake(self, bytes content, list events)
    cpdef _on_application_data(self, bytes content, list events)
    cpdef _on_early_data(self, bytes content, list events)
    cpdef _on_alert(self, bytes content, list events)
    cpdef _apply(self, list effects, list events)
    cpdef _send_message(self, Send effect)

    @cython.locals(most=uint64_t)
    cpdef _write_with(self, WriteWith effect)
    cpdef _read_with(self, ReadWith effect)
    cpdef _apply_rare(self, effect)
    cpdef _emit(self, event, list events)
    cpdef _answer_key_update(self)
    cpdef _update_keys(self, bint request_peer)
    cpdef _write(self, int content_type, content)
    cpdef _send_alert(self, level, description)
    cpdef _fail(self, error)
    cpdef _forget_session(self)
    cpdef ConnectedState _connected_state(self)
    cpdef _check_usable(self)
    cpdef _check_sendable(self)
