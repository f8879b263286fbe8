"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.crypto.key_schedule12 cimport RecordKeys
from fasttls.crypto.suites cimport Suite
from fasttls.native._kdf cimport traffic_keys
from fasttls.native._protection cimport (
    Opener12,
    Opener13,
    Sealer12,
    Sealer13,
    opener13_later,
    sealer13_later,
)
from fasttls.native._secret cimport Secret


cpdef Sealer13 sealer13(Suite suite, Secret secret)
cpdef Sealer12 sealer12(RecordKeys keys)
cpdef Opener12 opener12(RecordKeys keys)
cpdef Opener13 opener13(Suite suite, Secret secret)
