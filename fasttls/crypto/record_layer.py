"""The record layer of one connection: what is cut, opened, sealed and sent, with the keys of now (RFC 8446 §5)."""

from __future__ import annotations

from collections.abc import Callable

from fasttls.native._protection import Opener, PlainOpener, PlainSealer, Sealer, Sealer13
from fasttls.native._record import Deframer
from fasttls.wire.iana import ContentType, ProtocolVersion

# An integer of C, where this is compiled.
_TYPE_HANDSHAKE = int(ContentType.HANDSHAKE)

_HEADER = 5  # bytes

_CHANGE_CIPHER_SPEC_RECORD = PlainSealer(ProtocolVersion.TLS1_2).seal(ContentType.CHANGE_CIPHER_SPEC, b"\x01")


class RecordLayer:
    """Both directions of a connection, in the clear at first.

    max_fragment is the most that a record holds, in bytes; padding says how many zeros to put behind so many
    bytes of content, where a record can be padded; the observer is called with (sent, header, hidden content type).
    """

    def __init__(
        self,
        max_fragment: int,
        padding: Callable[[int], int] | None,
        observer: Callable[[bool, bytes, int | None], object] | None,
    ) -> None:
        self.close_sent = False
        """Whether this side sent close_notify, and may send no more."""

        self._record_observer = observer
        self._deframer = Deframer()
        self._opener: Opener = PlainOpener()
        self._sealer: Sealer = PlainSealer(ProtocolVersion.TLS1_2)
        self._output: list[bytes] = []
        self._handshake_out = b""  # messages that wait to share a record
        self._padding = padding
        self._max_fragment = max_fragment

    @property
    def wanted(self) -> int:
        """How many bytes are needed to go on: those of the next record's header, then of its body."""
        return self._deframer.wanted

    @property
    def has_read(self) -> bool:
        """Whether a record was read with the keys that are in use."""
        return self._opener.sequence > 0

    def take_output(self) -> bytes:
        """Return the bytes for the peer, and forget them."""
        if not self._output:
            return b""
        output = self._output[0] if len(self._output) == 1 else b"".join(self._output)
        self._output.clear()
        return output

    def _open_with(self, opener: Opener) -> None:
        """Read with these keys from the next record on."""
        self._opener = opener
        self._deframer.max_body = opener.max_body

    def _seal_with(self, sealer: Sealer) -> None:
        """Write with these keys from here on; what waits goes out with those from before."""
        self._flush_handshake()
        self._sealer = sealer

    def _flush_handshake(self) -> None:
        """Put the waiting handshake messages into as few records as they fit."""
        waiting = self._handshake_out
        if not waiting:
            return
        self._handshake_out = b""
        if len(waiting) <= self._max_fragment:
            self._seal(_TYPE_HANDSHAKE, waiting)
            return
        for start in range(0, len(waiting), self._max_fragment):
            self._seal(_TYPE_HANDSHAKE, waiting[start : start + self._max_fragment])

    def _seal(self, content_type: int, content: bytes | memoryview) -> None:
        """Send one record."""
        padding = 0
        if self._padding is not None and isinstance(self._sealer, Sealer13):
            padding = max(0, min(self._padding(len(content)), self._max_fragment - len(content)))
        self._output.append(self._sealer.protect(content_type, content, padding))
        if self._record_observer is not None:
            hidden = content_type if isinstance(self._sealer, Sealer13) else None
            self._record_observer(True, self._output[-1][:_HEADER], hidden)

    def _send_change_cipher_spec(self) -> None:
        """Send the record that is never protected where this side sends it."""
        self._output.append(_CHANGE_CIPHER_SPEC_RECORD)
        if self._record_observer is not None:
            self._record_observer(True, _CHANGE_CIPHER_SPEC_RECORD[:_HEADER], None)
