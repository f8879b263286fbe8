"""SSLSocket and SSLObject: the standard library's own, with the methods that only fasttls has."""

from __future__ import annotations

import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from fasttls.connection import Connection


_DER = 2  # _ssl.ENCODING_DER

CHANNEL_BINDING_TYPES = ["tls-unique", "tls-exporter", "tls-server-end-point"]
"""The channel bindings that there are."""


class _Extras:
    """What a fasttls socket can tell beside what `ssl` tells."""

    _sslobj: Any

    def _engine(self) -> Any:
        if self._sslobj is None:
            raise ValueError("No SSL wrapper around " + str(self))
        return self._sslobj

    def group(self) -> str | None:
        """Return the key exchange group's name, or None before the handshake."""
        name: str | None = self._sslobj.group() if self._sslobj is not None else None
        return name

    def client_sigalg(self) -> str | None:
        """Return the scheme that the client signed with, or None when it sent no certificate."""
        return self._signed_with(by_server=False)

    def server_sigalg(self) -> str | None:
        """Return the scheme that the server signed with, or None before the handshake."""
        return self._signed_with(by_server=True)

    def _signed_with(self, *, by_server: bool) -> str | None:
        from fasttls.wire.iana import SignatureScheme, name_of

        if self._sslobj is None:
            return None
        own, peer = self._sslobj.signature_algorithms()
        code = own if by_server == self._sslobj.server_side else peer
        return None if code is None else name_of(SignatureScheme, code).lower()

    def get_verified_chain(self) -> list[bytes]:
        """Return the path that was validated, DER, the peer's own certificate first and a trusted one last.

        When the peer was not verified, it is what get_unverified_chain() returns (Python 3.13).
        """
        return [one.public_bytes(_DER) for one in self._engine().get_verified_chain() or ()]

    def get_unverified_chain(self) -> list[bytes]:
        """Return the certificates as the peer sent them, DER."""
        return [one.public_bytes(_DER) for one in self._engine().get_unverified_chain() or ()]

    def hello_retried(self) -> bool:
        """Return whether the handshake had a HelloRetryRequest (RFC 8446 §4.1.4)."""
        return bool(self._engine().hello_retried())

    def key_update(self, request_peer: bool = False) -> None:
        """Change the keys that this side writes with, and ask the peer to do the same if wanted (RFC 8446 §4.6.3).

        Raises ValueError before the handshake is complete.
        """
        self._engine().key_update(request_peer)

    def export_keying_material(self, label: bytes | str, size: int, context: bytes | None = None) -> bytes:
        """Return size bytes that only the two sides can derive (RFC 8446 §7.5).

        Raises ValueError before the handshake is complete, or when label or size do not fit.
        """
        encoded = label.encode("ascii") if isinstance(label, str) else bytes(memoryview(label))
        exported: bytes = self._engine().export_keying_material(encoded, size, context)
        return exported

    def write_early_data(self, data: Buffer) -> int:
        """Send early data, before the handshake, and return how much of it was sent: 0 when the session allows none.

        The server may refuse it: look at early_data_accepted after the handshake, and send again what
        was refused. An attacker may send it to the server again. `SSLContext.early_data` allows it.
        """
        sent: int = self._engine().write_early(data)
        return sent

    @property
    def early_data_accepted(self) -> bool | None:
        """Whether early data was taken, None where there was none."""
        answer = self._engine().early_data_answer
        return None if answer is None else bool(answer.accepted)

    @property
    def early_data_reason(self) -> str:
        """Why early data was refused, as far as this side knows."""
        answer = self._engine().early_data_answer
        return "" if answer is None else str(answer.reason)

    @property
    def early_data(self) -> bytes:
        """What a server took of early data, when the handshake is complete. Anybody may have sent it before."""
        found: bytes = self._engine().early_data
        return found

    @property
    def connection(self) -> Connection:
        """The sans-IO connection: its `negotiated` has every code point."""
        found: Connection = self._engine().connection
        return found


class SSLSocket(_Extras, ssl.SSLSocket):
    """`ssl.SSLSocket` over the fasttls engine."""

    def get_channel_binding(self, cb_type: str = "tls-unique") -> bytes | None:
        """Return a channel binding, None before the handshake. Raises ValueError for one that there is not."""
        if self._sslobj is None and cb_type in CHANNEL_BINDING_TYPES:
            return None
        return super().get_channel_binding(cb_type)

    def _real_close(self) -> None:
        engine = getattr(self, "_sslobj", None)
        if engine is not None:
            engine.leave()
        super()._real_close()  # type: ignore[misc]  # typeshed does not show it


class SSLObject(_Extras, ssl.SSLObject):
    """`ssl.SSLObject` over the fasttls engine."""
