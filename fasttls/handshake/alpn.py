"""A server's choice of the application protocol, in every version (RFC 7301 §3.2)."""

from __future__ import annotations

from fasttls.handshake.config import Config
from fasttls.wire.alerts import InternalError, NoApplicationProtocol
from fasttls.wire.iana import ExtensionType
from fasttls.wire.messages import ClientHello

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_ALPN = ExtensionType.ALPN


def choose_alpn(config: Config, hello: ClientHello) -> bytes | None:
    """Return the protocol to speak, or None. Raises NoApplicationProtocol, or what the callback raises."""
    offered: tuple[bytes, ...] = hello.extensions.get(_ALPN, ())
    if not offered:
        return None
    if config.alpn_callback is not None:
        selected = config.alpn_callback(offered)
        if selected is not None and selected not in offered:
            raise InternalError(f"the ALPN callback selects {selected!r}, which was not offered")
        return selected
    for protocol in config.alpn:
        if protocol in offered:
            return protocol
    if config.alpn and config.alpn_required:
        raise NoApplicationProtocol(f"the client offers {offered!r}, we have {config.alpn!r}")
    return None
