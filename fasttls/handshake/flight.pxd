"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule12 cimport RecordKeys
from fasttls.crypto.suites cimport Suite
from fasttls.handshake.config cimport Config
from fasttls.native._hash cimport Transcript
from fasttls.native._secret cimport Secret
from fasttls.wire.messages cimport Message


cdef class Send:
    cdef readonly bytes message


cdef class SendChangeCipherSpec:
    pass


cdef class ReadWith:
    cdef readonly object epoch
    cdef readonly Suite suite
    cdef readonly Secret secret


cdef class WriteWith:
    cdef readonly object epoch
    cdef readonly Suite suite
    cdef readonly Secret secret


cdef class ReadWith12:
    cdef readonly RecordKeys keys


cdef class WriteWith12:
    cdef readonly RecordKeys keys


cdef class WritePlain:
    pass


cdef class OfferEarlyData:
    cdef readonly object size


cdef class TakeEarlyData:
    cdef readonly object size


cdef class AnswerKeyUpdate:
    pass


cdef class SendWarning:
    cdef readonly object description


cdef class Emit:
    cdef readonly object event


cdef class LogSecret:
    cdef readonly str label
    cdef readonly bytes client_random
    cdef readonly Secret secret


cdef class SelectConfig:
    cdef readonly Config config


cdef class SkipEarlyData:
    cdef readonly object size
    cdef readonly bint by_type


cdef class Flight:
    cdef public Transcript transcript
    cdef public bint _logs_secrets
    cdef public list effects
    cdef public bytes received
    cdef public bint changes_reading
    cpdef send(self, Message message)
    cpdef send_untracked(self, Message message)
    cpdef send_change_cipher_spec(self)
    cpdef read_with(self, epoch, Suite suite, Secret secret)
    cpdef write_with(self, epoch, Suite suite, Secret secret)
    cpdef read_with12(self, RecordKeys keys)
    cpdef write_with12(self, RecordKeys keys)
    cpdef write_plain(self)
    cpdef offer_early_data(self, size)
    cpdef take_early_data(self, size)
    cpdef answer_key_update(self)
    cpdef warn(self, description)
    cpdef emit(self, event)
    cpdef log_secret(self, str label, bytes client_random, Secret secret)
    cpdef select_config(self, Config config)
