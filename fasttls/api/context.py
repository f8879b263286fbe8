"""SSLContext: a real subclass of the standard library's, whose connections are fasttls's own.

The base class keeps plain settings: options, verify_mode, verify_flags, check_hostname, the version
bounds and the cipher string. Everything with an effect on a connection is here. What is not
supported raises; nothing is silently inert.
"""

from __future__ import annotations

import _ssl
import ssl
import types
import warnings

from fasttls.api.context_offers import Offers
from fasttls.api.context_plain import PLAIN, PlainSettings
from fasttls.api.context_sessions import SessionSettings
from fasttls.api.context_trust import TrustSettings
from fasttls.api.sockets import SSLObject, SSLSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from typing import Any

    from fasttls.api.engine import Engine
    from fasttls.api.keyfile import Path
    from fasttls.api.keylog import KeyLogFile
    from fasttls.api.messages import MessageCallback
    from fasttls.api.session import SSLSession
    from fasttls.api.sni import SniCallback
    from fasttls.handshake.config import Config, Credential, Observer


def _static(cls: type, name: str) -> Any:
    """Return an attribute of a class as it is kept there, None where there is none."""
    return next((vars(one)[name] for one in cls.__mro__ if name in vars(one)), None)


# The properties that only keep them, ours and the standard library's.
_OWN = [_static(one, name) for one in (PlainSettings, _ssl._SSLContext) for name in PLAIN]


if TYPE_CHECKING:
    _StandardContext = ssl.SSLContext
else:
    # The standard library's class, or gevent's in its place: another one's would make connections itself.
    _StandardContext = next(one for one in ssl.SSLContext.__mro__ if one.__module__ in ("ssl", "gevent.ssl"))


class SSLContext(PlainSettings, Offers, SessionSettings, TrustSettings, _StandardContext):  # type: ignore[misc]
    """Settings for TLS connections, with the interface of `ssl.SSLContext`.

    A connection takes a snapshot when it is wrapped: later changes are for later connections. Safe
    to share between threads once it is set up.
    """

    sslsocket_class = SSLSocket
    sslobject_class = SSLObject

    _sni_callback: SniCallback | None = None
    _message_callback: MessageCallback | None = None
    _post_handshake_auth = False
    _key_log: KeyLogFile | None = None
    observer: Observer | None = None
    """Called with (sent, content type, bytes) for every handshake message, alert and ChangeCipherSpec
    of later connections, keys and application data never among them; for a trace."""

    _state: object = None  # another one after every change
    _snapshot: tuple[object, tuple[int, ...], Config] | None = None

    def __new__(cls, protocol: int | None = None, *args: Any, **kwargs: Any) -> SSLContext:
        """Make a context for PROTOCOL_TLS_CLIENT or PROTOCOL_TLS_SERVER (or PROTOCOL_TLS, for either)."""
        # This is also what `ssl.SSLContext` does while fasttls is injected; cls is then any class of contexts.
        if protocol is None:
            message = "ssl.SSLContext() without protocol argument is deprecated."
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            protocol = ssl.PROTOCOL_TLS
        self: SSLContext = _ssl._SSLContext.__new__(_class_of(cls), protocol)
        setting = object.__setattr__
        setting(self, "_only_client", protocol == ssl.PROTOCOL_TLS_CLIENT)
        setting(self, "_only_server", protocol == ssl.PROTOCOL_TLS_SERVER)
        return self

    if TYPE_CHECKING:

        def wrap_socket(  # type: ignore[override]  # what it returns is fasttls's
            self,
            sock: socket.socket,
            server_side: bool = False,
            do_handshake_on_connect: bool = True,
            suppress_ragged_eofs: bool = True,
            server_hostname: str | bytes | None = None,
            session: SSLSession | None = None,
        ) -> SSLSocket:
            """Return a connection over a socket."""

        def wrap_bio(  # type: ignore[override]
            self,
            incoming: ssl.MemoryBIO,
            outgoing: ssl.MemoryBIO,
            server_side: bool = False,
            server_hostname: str | bytes | None = None,
            session: SSLSession | None = None,
        ) -> SSLObject:
            """Return a connection over memory."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; the snapshot is made anew."""
        if name == "observer" and not (value is None or callable(value)):
            raise TypeError(f"{value} is not callable.")
        if name == "__class__" and isinstance(value, type) and issubclass(value, ssl.SSLContext):
            value = _class_of(value)  # a program's own class: fasttls stays below it
        plain = PLAIN.get(name)
        if plain is None or _static(type(self), name) not in _OWN:
            super().__setattr__(name, value)  # a subclass may have a property of its own for a plain setting
        else:
            if name == "minimum_version" and value == ssl.TLSVersion.SSLv3:
                self.options &= ~ssl.Options.OP_NO_SSLv3
            # From here, so that the standard library's warnings are told of the caller's line.
            plain.__set__(self, value)
        self._changed()

    def _changed(self) -> None:
        # A snapshot that another thread began before this change is not the one of this state.
        object.__setattr__(self, "_state", object())

    def _add_credential(self, credential: Credential) -> None:
        super()._add_credential(credential)
        self._prepare_to_serve()

    # What is called while connections are made.

    @property  # type: ignore[override]  # the name may be None
    def sni_callback(self) -> SniCallback | None:
        """A server's function of (socket, host name or None, this context).

        It may set the socket's context; it returns None, or an alert's code point to refuse with.
        """
        return self._sni_callback

    @sni_callback.setter
    def sni_callback(self, callback: SniCallback | None) -> None:
        if self.protocol == ssl.PROTOCOL_TLS_CLIENT:
            raise ValueError("sni_callback cannot be set on TLS_CLIENT context")
        if callback is not None and not callable(callback):
            raise TypeError("not a callable object")
        self._sni_callback = callback

    def set_servername_callback(self, server_name_callback: SniCallback | None) -> None:  # type: ignore[override]
        """Set sni_callback."""
        if server_name_callback is not None and not callable(server_name_callback):
            raise TypeError("not a callable object")
        self.sni_callback = server_name_callback

    @property
    def _msg_callback(self) -> MessageCallback | None:
        """A function that is told of every record's header, message, alert and ChangeCipherSpec, for debugging.

        It is called with the socket or object, "read" or "write", the version, the content type, the type of the
        message and its bytes. What it raises is raised when the operation is over.
        """
        return self._message_callback

    @_msg_callback.setter
    def _msg_callback(self, callback: MessageCallback | None) -> None:
        if callback is not None and not callable(callback):
            raise TypeError(f"{callback} is not callable.")
        self._message_callback = callback

    @property
    def keylog_filename(self) -> Any:
        """The file that secrets are appended to, in NSS's format, or None. Whoever reads it can decrypt."""
        return self._key_log.path if self._key_log is not None else None

    @keylog_filename.setter
    def keylog_filename(self, path: Path | None) -> None:
        from fasttls.api.keylog import KeyLogFile

        self._key_log = None if path is None else KeyLogFile(path)

    @property
    def post_handshake_auth(self) -> bool:
        """Whether a client may be asked for its certificate after the handshake of TLS 1.3 (RFC 8446 §4.6.2).

        A server that has it set asks then, by `SSLSocket.verify_client_post_handshake()`, and not before.
        """
        return self._post_handshake_auth

    @post_handshake_auth.setter
    def post_handshake_auth(self, value: bool) -> None:
        self._post_handshake_auth = bool(value)

    @property
    def security_level(self) -> int:  # type: ignore[override]  # read-only, as it truly is
        """OpenSSL's number for what is too weak in certificates; `@SECLEVEL=` in set_ciphers() lowers it.

        2, at first, refuses RSA below 2048 bits and signatures with SHA-1 or MD5; 1 takes RSA from 1024
        bits on; 0 refuses nothing for its strength.
        """
        return self._level

    # What is not supported.

    def set_npn_protocols(self, npn_protocols: Iterable[str]) -> None:
        """NPN was given up for ALPN."""
        raise NotImplementedError("NPN is not supported; use set_alpn_protocols()")

    # Connections.

    def _config(self) -> Config:
        """Return the settings as they are now, frozen."""
        from fasttls.api.snapshot import config_of

        return config_of(self)

    def _wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool,
        server_hostname: str | bytes | None = None,
        *,
        owner: object = None,
        session: object = None,
    ) -> Engine:
        """Return the engine for a connected socket; SSLSocket calls this."""
        return _over_socket(self, sock, server_side, server_hostname, owner, session)

    def _wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool,
        server_hostname: str | bytes | None = None,
        *,
        owner: object = None,
        session: object = None,
    ) -> Engine:
        """Return the engine for a pair of BIOs; SSLObject calls this."""
        for name, bio in (("incoming", incoming), ("outgoing", outgoing)):
            if not isinstance(bio, ssl.MemoryBIO):
                kind = type(bio).__name__
                raise TypeError(f"_wrap_bio() argument '{name}' must be _ssl.MemoryBIO, not {kind}")
        return _over_bios(self, incoming, outgoing, server_side, server_hostname, owner, session)


# The handshake is imported with the first connection, by functions that stand back then: an import statement costs
# a few µs each time.


def _over_socket(*arguments: Any) -> Engine:
    global _over_socket
    from fasttls.api.wrapping import over_socket

    _over_socket = over_socket
    return over_socket(*arguments)


def _over_bios(*arguments: Any) -> Engine:
    global _over_bios
    from fasttls.api.wrapping import over_bios

    _over_bios = over_bios
    return over_bios(*arguments)


def _class_of(cls: type[Any]) -> type[SSLContext]:
    """Return the class of fasttls that a class of contexts stands for: itself, or one that puts fasttls below it."""
    if cls is SSLContext and ssl.SSLContext.__module__ == "gevent.ssl" and ssl.SSLContext not in cls.__mro__:
        return _class_of(ssl.SSLContext)  # gevent has patched `ssl` since this class was made
    if issubclass(cls, SSLContext):
        return cls
    if cls in SSLContext.__mro__:
        return SSLContext
    for known in cls.__subclasses__():
        if issubclass(known, SSLContext) and known.__bases__ == (_Made, cls, SSLContext):
            return known
    return types.new_class(cls.__name__, (_Made, cls, SSLContext), exec_body=_named_as(cls))


class _Made:
    """What is first in a class that is made here: the program was told of its own class, and is not of this one."""

    def __init_subclass__(cls) -> None:
        """Call nobody else's: it may want arguments that were the class statement's."""


def _named_as(cls: type) -> Callable[[dict[str, Any]], None]:
    names = {name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__")}
    if cls.__module__ == "gevent.ssl":
        # Its setters go round everything between it and OpenSSL's context, where a callback would never be called.
        names |= {name: _static(SSLContext, name) for name in ("sni_callback", "_msg_callback")}
    return lambda namespace: namespace.update(names)
