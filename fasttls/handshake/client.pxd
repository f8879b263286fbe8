"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.events cimport EarlyDataAnswered
from fasttls.handshake.client12_resumed cimport Resumable
from fasttls.handshake.config cimport Config
from fasttls.handshake.flight cimport Flight
from fasttls.handshake.hello cimport (
    build_client_hello,
    is_downgrade,
    key_offers,
    version_label,
    version_range,
)
from fasttls.handshake.psk13 cimport PskOffer, client_offers, send_with_binders
from fasttls.handshake.state cimport State, readers_of
from fasttls.sessions.session cimport Session
from fasttls.wire.extensions cimport unsolicited
from fasttls.wire.messages cimport ClientHello, HelloRetryRequest, ServerHello


cdef class NotStarted(State):
    pass


cdef class Offered:
    cdef readonly tuple psks
    cdef readonly Resumable session12
    cdef readonly bint early


cpdef State start(Config config, str host, Flight flight, Session session=*)
cpdef _may_send_early(Config config, tuple psks)
cpdef _begin_early_data(Config config, PskOffer offer, ClientHello hello, Flight flight)
cpdef _selected_version(Config config, ClientHello hello, answer)
cpdef _check_common(ClientHello hello, answer, suites)
cpdef _check13(ClientHello hello, answer)


cdef class WaitServerHello(State):
    cdef readonly Config config
    cdef readonly str host
    cdef readonly ClientHello hello
    cdef readonly dict shares
    cdef readonly Offered offered
    cpdef str explain_alert(self, description)
    cpdef on_server_hello(self, ServerHello answer, Flight flight)


cdef class WaitSecondServerHello(State):
    cdef readonly Config config
    cdef readonly str host
    cdef readonly ClientHello hello
    cdef readonly dict shares
    cdef readonly HelloRetryRequest retry
    cdef readonly tuple psks
    cpdef on_server_hello(self, ServerHello answer, Flight flight)
