"""C declarations of the module beside: compiled code reads its fields and calls it without going through Python."""

from fasttls.handshake.config cimport Config
from fasttls.wire.messages cimport ClientHello


cpdef bytes choose_alpn(Config config, ClientHello hello)
