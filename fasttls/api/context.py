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
from collections.abc import Callable, Iterable
from inspect import getattr_static
from typing import TYPE_CHECKING, Any

from fasttls.api.channel import BioChannel, SocketChannel
from fasttls.api.context_offers import Offers
from fasttls.api.context_plain import PLAIN, PlainSettings
from fasttls.api.context_sessions import SessionSettings
from fasttls.api.context_trust import TrustSettings
from fasttls.api.errors import ssl_error
from fasttls.api.keyfile import Path, with_issuers
from fasttls.api.keylog import KeyLogFile
from fasttls.api.sni import SniCallback
from fasttls.api.sockets import SSLObject, SSLSocket
from fasttls.handshake.config import Config, Credential, Observer, PeerCertificate
from fasttls.trust.policy import CrlCheck, OCSPStapling, Strength
from fasttls.trust.store import TrustStore
from fasttls.wire.iana import ProtocolVersion

if TYPE_CHECKING:
    import socket

    from fasttls.api.engine import Engine
    from fasttls.api.messages import MessageCallback
    from fasttls.api.session import SSLSession


_VERIFY_MODES = {
    ssl.CERT_NONE: PeerCertificate.UNCHECKED,
    ssl.CERT_OPTIONAL: PeerCertificate.OPTIONAL,
    ssl.CERT_REQUIRED: PeerCertificate.REQUIRED,
}

# ssl.OP_LEGACY_SERVER_CONNECT, which Python 3.11 does not name.
_LEGACY = 0x4

# The properties that only keep them, ours and the standard library's.
_OWN = [getattr_static(one, name, None) for one in (PlainSettings, _ssl._SSLContext) for name in PLAIN]

_SPOKEN = (
    (ssl.TLSVersion.TLSv1_2, ProtocolVersion.TLS1_2),
    (ssl.TLSVersion.TLSv1_3, ProtocolVersion.TLS1_3),
)

# The protocols that are one version each, none of them but TLS 1.2 spoken.
_METHODS: dict[int, tuple[int, ...]] = {
    ssl.PROTOCOL_TLSv1: (),
    ssl.PROTOCOL_TLSv1_1: (),
    ssl.PROTOCOL_TLSv1_2: (ProtocolVersion.TLS1_2,),
}

_SUPPORTED_VERIFY_FLAGS = (
    ssl.VERIFY_X509_TRUSTED_FIRST
    | ssl.VERIFY_X509_PARTIAL_CHAIN
    | ssl.VERIFY_X509_STRICT
    | ssl.VERIFY_CRL_CHECK_LEAF
    | ssl.VERIFY_CRL_CHECK_CHAIN
)


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

    _sni_callback: SniCallback | None
    _message_callback: MessageCallback | None
    _post_handshake_auth: bool
    _key_log: KeyLogFile | None
    observer: Observer | None
    """Called with (sent, content type, bytes) for every handshake message, alert and ChangeCipherSpec
    of later connections, keys and application data never among them; for a trace."""

    _state: object  # another one after every change
    _snapshot: tuple[object, tuple[int, ...], Config] | None

    def __new__(cls, protocol: int | None = None, *args: Any, **kwargs: Any) -> SSLContext:
        """Make a context for PROTOCOL_TLS_CLIENT or PROTOCOL_TLS_SERVER (or PROTOCOL_TLS, for either)."""
        # This is also what `ssl.SSLContext` does while fasttls is injected; cls is then any class of contexts.
        if protocol is None:
            message = "ssl.SSLContext() without protocol argument is deprecated."
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            protocol = ssl.PROTOCOL_TLS
        self: SSLContext = _ssl._SSLContext.__new__(_class_of(cls), protocol)
        setting = object.__setattr__
        setting(self, "_trust", TrustStore())
        setting(self, "_credentials", ())
        self._init_plain(protocol)
        self._init_offers()
        setting(self, "_sni_callback", None)
        setting(self, "_message_callback", None)
        setting(self, "_post_handshake_auth", False)
        setting(self, "_key_log", None)
        setting(self, "_ocsp_stapling", OCSPStapling.OFF)
        self._init_sessions()
        setting(self, "observer", None)
        setting(self, "_state", object())
        setting(self, "_snapshot", None)
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
        if plain is None or getattr_static(type(self), name) not in _OWN:
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
        self._prepare_ticket_keys()

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
        state, kept, plain = self._state, self._snapshot, self._plain_values()
        if kept is not None and kept[0] is state and kept[1] == plain:
            return kept[2]
        low, high = self._versions()
        flags = self.verify_flags
        unsupported = int(flags) & ~int(_SUPPORTED_VERIFY_FLAGS)
        if unsupported:
            raise NotImplementedError(f"{ssl.VerifyFlags(unsupported)!r} is not supported")
        options = self.options
        snapshot = Config(
            minimum_version=low,
            maximum_version=high,
            require_extended_master_secret=not options & _LEGACY,
            require_secure_renegotiation=not options & _LEGACY,
            credentials=tuple(with_issuers(one, self._trust) for one in self._credentials),
            peer_certificate=_VERIFY_MODES[self.verify_mode],
            trust=self._trust,
            check_host=self.check_hostname,
            check_common_name=self.hostname_checks_common_name,
            partial_chain=bool(flags & ssl.VERIFY_X509_PARTIAL_CHAIN),
            strict=bool(flags & ssl.VERIFY_X509_STRICT),
            strength=Strength.of_level(self._level),
            crl_check=_crl_check(flags),
            ocsp_stapling=self._ocsp_stapling,
            prefer_server_suites=bool(options & ssl.OP_CIPHER_SERVER_PREFERENCE),
            compatibility_mode=bool(options & ssl.OP_ENABLE_MIDDLEBOX_COMPAT),
            key_log=self._key_log,
            observer=self.observer,
            post_handshake_auth=self._post_handshake_auth,
            **self._offer_settings(is_server=self.protocol == ssl.PROTOCOL_TLS_SERVER),
            **self._session_settings(options),
        )
        object.__setattr__(self, "_ignores_unexpected_eof", bool(options & ssl.OP_IGNORE_UNEXPECTED_EOF))
        object.__setattr__(self, "_snapshot", (state, plain, snapshot))
        return snapshot

    def _versions(self) -> tuple[int, int]:
        """Return the lowest and the highest version. Raises ssl.SSLError when none is left that is spoken."""
        bounds = _METHODS.get(self.protocol)
        if bounds is None:
            low, high = self.minimum_version, self.maximum_version
            excluded = self.options & ssl.OP_NO_TLSv1_2, self.options & ssl.OP_NO_TLSv1_3
            spoken = [
                code
                for (version, code), no in zip(_SPOKEN, excluded, strict=True)
                if not no
                and (low is ssl.TLSVersion.MINIMUM_SUPPORTED or low <= version)
                and (high is ssl.TLSVersion.MAXIMUM_SUPPORTED or version <= high)
                and (low is not ssl.TLSVersion.MAXIMUM_SUPPORTED or version is ssl.TLSVersion.TLSv1_3)
            ]
            bounds = tuple(spoken)
        if not bounds:
            raise ssl_error(
                "NO_PROTOCOLS_AVAILABLE",
                "no protocols available: fasttls speaks TLS 1.2 and TLS 1.3, the context excludes them",
            )
        return min(bounds), max(bounds)

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
        return _make_engine(self, SocketChannel(sock), server_side, server_hostname, owner, session)

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
        return _make_engine(self, BioChannel(incoming, outgoing), server_side, server_hostname, owner, session)


def _make_engine(*arguments: Any) -> Engine:
    """Import the handshake with the first connection, and stand back: an import statement costs a few µs each time."""
    global _make_engine
    from fasttls.api.wrapping import make_engine

    _make_engine = make_engine
    return make_engine(*arguments)


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
        names |= {name: getattr_static(SSLContext, name) for name in ("sni_callback", "_msg_callback")}
    return lambda namespace: namespace.update(names)


def _crl_check(flags: int) -> CrlCheck:
    """Return what the flags ask; one bit alone of VERIFY_CRL_CHECK_CHAIN is VERIFY_CRL_CHECK_LEAF, or nothing."""
    if not flags & ssl.VERIFY_CRL_CHECK_LEAF:
        return CrlCheck.NONE
    every = (flags & ssl.VERIFY_CRL_CHECK_CHAIN) == ssl.VERIFY_CRL_CHECK_CHAIN
    return CrlCheck.CHAIN if every else CrlCheck.LEAF
