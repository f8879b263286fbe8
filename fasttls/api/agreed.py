"""What a connection agreed on, as the methods of `_ssl._SSLSocket` tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fasttls.api.chain import ChainCertificate
from fasttls.crypto.suites12 import EVERY_SUITE, Suite12

if TYPE_CHECKING:
    from fasttls.connection import Connection
    from fasttls.events import Negotiated


class Agreed:
    """What there is to say of a connection: None, most of it, before the handshake is complete."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def _negotiated(self) -> Negotiated | None:
        return self._connection.negotiated

    def getpeercert(self, binary_form: bool = False) -> bytes | dict[str, Any] | None:
        """Return the peer's certificate: DER, or a dict, empty when it was not verified.

        Raises ValueError before the handshake is complete.
        """
        negotiated = self._negotiated
        if negotiated is None:
            raise ValueError("handshake not done yet")
        if not negotiated.peer_chain:
            return None
        if binary_form:
            return negotiated.peer_chain[0]
        if not negotiated.verified_path:
            return {}
        from fasttls.api.certdict import certificate_dict

        return certificate_dict(negotiated.peer_chain[0])

    def get_unverified_chain(self) -> list[ChainCertificate] | None:
        """Return the certificates as the peer sent them."""
        negotiated = self._negotiated
        return [ChainCertificate(der) for der in negotiated.peer_chain] if negotiated else None

    def get_verified_chain(self) -> list[ChainCertificate] | None:
        """Return the path that was validated, the trusted certificate last; what was sent when none was."""
        negotiated = self._negotiated
        if negotiated is None or not negotiated.verified_path:
            return self.get_unverified_chain()
        return [ChainCertificate(one.der) for one in negotiated.verified_path]

    def cipher(self) -> tuple[str, str, int] | None:
        """Return the suite's name, its version and its bits."""
        negotiated = self._negotiated
        if negotiated is None:
            return None
        suite = EVERY_SUITE[negotiated.suite]
        return suite.openssl_name, negotiated.version_name, suite.secret_bits

    def shared_ciphers(self) -> list[tuple[str, str, int]] | None:
        """Return, on a server, the suites of this side that the client has too, in this side's order."""
        negotiated = self._negotiated
        if negotiated is None or not self._connection.server_side:
            return None
        common = [EVERY_SUITE[code] for code in negotiated.own_suites if code in negotiated.client_suites]
        return [
            (suite.openssl_name, "TLSv1.2" if isinstance(suite, Suite12) else "TLSv1.3", suite.secret_bits)
            for suite in common
        ]

    def version(self) -> str | None:
        """Return the version's name."""
        return self._negotiated.version_name if self._negotiated else None

    def group(self) -> str | None:
        """Return the key exchange group's name."""
        return self._negotiated.group_name if self._negotiated else None

    def hello_retried(self) -> bool:
        """Return whether there was a HelloRetryRequest."""
        return self._negotiated is not None and self._negotiated.retried

    def signature_algorithms(self) -> tuple[int | None, int | None]:
        """Return the code points that this side and the peer signed with."""
        negotiated = self._negotiated
        if negotiated is None:
            return None, None
        return negotiated.own_signature_algorithm, negotiated.peer_signature_algorithm

    def compression(self) -> None:
        """Return None: there is no compression."""
        return

    def selected_alpn_protocol(self) -> str | None:
        """Return the application protocol."""
        negotiated = self._negotiated
        return negotiated.alpn.decode() if negotiated and negotiated.alpn is not None else None

    def get_channel_binding(self, cb_type: Any = "tls-unique") -> bytes | None:
        """Return a channel binding: tls-exporter (RFC 9266), tls-unique or tls-server-end-point (RFC 5929 §3, §4).

        tls-unique is what OpenSSL has for it in TLS 1.3, which does not define it, and None in TLS 1.2 without the
        extended master secret, where it is not unique (RFC 7627 §1). tls-server-end-point is None for a server that
        went on with a session, and without certificates. Others raise ValueError.
        """
        if cb_type == "tls-exporter":
            if self._negotiated is None:
                return None
            return self._connection.export_keying_material(b"EXPORTER-Channel-Binding", 32)
        if cb_type == "tls-server-end-point":
            from fasttls.api.endpoint import server_end_point

            return None if self._negotiated is None else server_end_point(self._negotiated, self.server_side)
        if cb_type != "tls-unique":
            raise ValueError(f"'{cb_type}' channel binding type not implemented")
        return self._connection.tls_unique

    def export_keying_material(self, label: bytes, size: int, context: bytes | None = None) -> bytes:
        """Return keying material for an application (RFC 8446 §7.5)."""
        return self._connection.export_keying_material(label, size, context)

    @property
    def server_side(self) -> bool:
        """Whether this is the server."""
        return self._connection.server_side

    @property
    def server_hostname(self) -> str | None:
        """The server's name: given by a client's caller, asked for by a server's client."""
        if self._connection.server_side:
            return self._negotiated.server_name if self._negotiated else None
        return self._connection.server_name

    @property
    def session_reused(self) -> bool:
        """Whether the connection went on with a session."""
        return self._negotiated is not None and self._negotiated.resumed

    @property
    def connection(self) -> Connection:
        """The sans-IO connection."""
        return self._connection
