"""What `SSLContext._msg_callback` is told: every record's header and every message, as OpenSSL tells it."""

from __future__ import annotations

import contextlib
import ssl
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fasttls.api.engine import Engine
from fasttls.handshake.config import Config
from fasttls.native._wire import Reader
from fasttls.wire.alerts import TLSError
from fasttls.wire.iana import ContentType, ExtensionType, HandshakeType, ProtocolVersion
from fasttls.wire.messages import HEADER_SIZE, ServerHello

if TYPE_CHECKING:
    from typing_extensions import Buffer

MessageCallback = Callable[[Any, str, int, int, int, bytes], None]
"""Called with the socket or object, "read" or "write", the version, the content and the message type, and the bytes."""

# The standard library's enumerations for this callback, which typeshed does not show.
_stdlib: Any = ssl
_TLSContentType, _TLSMessageType = _stdlib._TLSContentType, _stdlib._TLSMessageType
_TLSAlertType = _stdlib._TLSAlertType

_HEADER = 0x100
_INNER_CONTENT_TYPE = 0x101


class Tap:
    """Stands between a connection and its context's callback.

    An exception of the callback's does not disturb the handshake: it is kept until the operation is over.
    """

    def __init__(self, config: Config, *, server_side: bool) -> None:
        self._observer = config.observer
        # OpenSSL's notion of the version: the highest until it is agreed on.
        self._version = int(ProtocolVersion.TLS1_3 if server_side else config.maximum_version)
        self._server_side = server_side
        self._unsent: list[tuple[int, int, bytes]] = []
        self._error: BaseException | None = None
        self.engine: weakref.ref[TappedEngine] | None = None

    def on_message(self, config: Config) -> Config:
        """Return a configuration that tells this object of everything."""
        return replace(config, observer=self._see_message, record_observer=self._see_record)

    def _see_message(self, sent: bool, content_type: int, data: bytes) -> None:
        if self._observer is not None:
            self._observer(sent, content_type, data)
        hello = content_type == ContentType.HANDSHAKE and data[0] == HandshakeType.SERVER_HELLO
        if hello and sent:
            self._learn_version(data)
        if sent:
            # A record's header is told before what is in it, and several messages may share one.
            self._unsent.append((self._version, content_type, data))
            return
        if content_type != ContentType.CHANGE_CIPHER_SPEC:  # OpenSSL does not tell of one that it reads
            self._tell("read", self._version, content_type, data)
        if hello:
            self._learn_version(data)

    def _see_record(self, sent: bool, header: bytes, hidden: int | None) -> None:
        direction = "write" if sent else "read"
        self._tell(direction, int.from_bytes(header[1:3], "big"), _HEADER, header)
        if hidden is not None:
            version = int(ProtocolVersion.TLS1_2) if sent else self._version
            self._tell(direction, version, _INNER_CONTENT_TYPE, bytes([hidden]))
        if sent:
            unsent, self._unsent = self._unsent, []
            for version, content_type, data in unsent:
                self._tell("write", version, content_type, data)

    def _learn_version(self, hello: bytes) -> None:
        """Take the version of a ServerHello; one that is malformed fails in a moment anyway."""
        with contextlib.suppress(TLSError):
            message = ServerHello.read(Reader(hello, HEADER_SIZE))
            self._version = int(message.extensions.get(ExtensionType.SUPPORTED_VERSIONS, message.legacy_version))

    def _tell(self, direction: str, version: int, content_type: int, data: bytes) -> None:
        engine = self.engine() if self.engine is not None else None
        if engine is None or self._error is not None:
            return
        # As in OpenSSL, it is the callback of the context that the connection has now, sni_callback's choice included.
        callback = engine.context._message_callback
        if callback is None:
            return
        if content_type == ContentType.CHANGE_CIPHER_SPEC:
            message_type = int(_TLSMessageType.CHANGE_CIPHER_SPEC)
        else:
            message_type = data[1] if content_type == ContentType.ALERT else data[0]
        kinds: Any = _TLSMessageType
        if content_type == _HEADER:
            kinds = _TLSContentType
        elif content_type == ContentType.ALERT:
            kinds = _TLSAlertType
        try:
            callback(
                engine.owner,
                direction,
                _member(ssl.TLSVersion, version),
                _member(_TLSContentType, content_type),
                _member(kinds, message_type),
                data,
            )
        except BaseException as exc:
            self._error = exc

    @contextlib.contextmanager
    def operation(self) -> Iterator[None]:
        """Raise what the callback raised when the operation is over; when that failed too, keep it as the context."""
        try:
            yield
        except BaseException as exc:
            error, self._error = self._error, None
            if error is not None and exc.__context__ is None:
                exc.__context__ = error
            raise
        error, self._error = self._error, None
        if error is not None:
            raise error


def _member(kind: Any, value: int) -> int:
    """Return the member of an enumeration, or the number where there is none."""
    try:
        found: int = kind(value)
    except ValueError:
        return value
    return found


class TappedEngine(Engine):
    """An engine whose context has a callback for messages."""

    tap: Tap

    def do_handshake(self) -> None:
        """Complete the handshake."""
        with self.tap.operation():
            super().do_handshake()

    def read(self, size: int = 1024, buffer: Buffer | None = None) -> bytes | int:
        """Return application data."""
        with self.tap.operation():
            return super().read(size, buffer)

    def write(self, data: Buffer) -> int:
        """Send application data."""
        with self.tap.operation():
            return super().write(data)

    def shutdown(self) -> Any:
        """Send close_notify, and wait for the peer's."""
        with self.tap.operation():
            return super().shutdown()

    def key_update(self, request_peer: bool = False) -> None:
        """Send KeyUpdate."""
        with self.tap.operation():
            super().key_update(request_peer)

    def write_early(self, data: Buffer) -> int:
        """Send early data."""
        with self.tap.operation():
            return super().write_early(data)

    # verify_client_post_handshake() sends nothing: what is told of its request is part of the next write or read.
