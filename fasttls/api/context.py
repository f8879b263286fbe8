"""SSLContext: a real subclass of the standard library's, whose connections are fasttls's own.

The base class keeps plain settings: options, verify_mode, verify_flags, check_hostname, the version
bounds and the cipher string. Everything with an effect on a connection is here. What is not
supported raises; nothing is silently inert.
"""

from __future__ import annotations

import _ssl
import os
import re
import ssl
import types
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fasttls.api.channel import BioChannel, SocketChannel
from fasttls.api.ciphers import cipher_dict
from fasttls.api.context_plain import PlainSettings
from fasttls.api.context_sessions import SessionSettings
from fasttls.api.context_trust import TrustSettings
from fasttls.api.engine import Engine
from fasttls.api.errors import ssl_error
from fasttls.api.keyfile import Path
from fasttls.api.keylog import KeyLogFile
from fasttls.api.session import session_of
from fasttls.api.sni import SniCallback, SniChoice
from fasttls.api.sockets import SSLObject, SSLSocket
from fasttls.connection import Connection
from fasttls.crypto.groups import DEFAULT_GROUPS, DEFAULT_KEY_SHARES, group_by_name
from fasttls.crypto.suites import DEFAULT_SUITES13, SUITES
from fasttls.crypto.suites12 import DEFAULT_SUITES12, SUITES12
from fasttls.handshake.config import Config, Credential, Observer, PeerCertificate
from fasttls.trust.policy import CrlCheck, OCSPStapling, Strength
from fasttls.trust.store import TrustStore
from fasttls.wire.iana import CipherSuite, NamedGroup, ProtocolVersion

if TYPE_CHECKING:
    import socket


_VERIFY_MODES = {
    ssl.CERT_NONE: PeerCertificate.UNCHECKED,
    ssl.CERT_OPTIONAL: PeerCertificate.OPTIONAL,
    ssl.CERT_REQUIRED: PeerCertificate.REQUIRED,
}

# ssl.OP_LEGACY_SERVER_CONNECT, which Python 3.11 does not name.
_LEGACY = 0x4

_IGNORE_UNEXPECTED_EOF = 0x80

# OpenSSL's security level for RSA of 2048 bits and more, and the highest that there is here.
_SECURITY_LEVEL = 2
_ASKED_LEVEL = re.compile(r"@SECLEVEL=(\d+)")

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


class SSLContext(PlainSettings, SessionSettings, TrustSettings, ssl.SSLContext):  # type: ignore[misc]
    """Settings for TLS connections, with the interface of `ssl.SSLContext`.

    A connection takes a snapshot when it is wrapped: later changes are for later connections. Safe
    to share between threads once it is set up.
    """

    sslsocket_class = SSLSocket
    sslobject_class = SSLObject

    _alpn: tuple[bytes, ...]
    _suites: tuple[int, ...]  # of TLS 1.3
    _suites12: tuple[int, ...]
    _groups: tuple[int, ...]
    _key_shares: tuple[int, ...]
    _sni_callback: SniCallback | None
    _key_log: KeyLogFile | None
    _level: int
    observer: Observer | None
    """Called with (sent, content type, bytes) for every handshake message, alert and ChangeCipherSpec
    of later connections, keys and application data never among them; for a trace."""

    _state: object  # another one after every change
    _snapshot: tuple[object, Config] | None

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
        setting(self, "_alpn", ())
        setting(self, "_suites", DEFAULT_SUITES13)
        setting(self, "_suites12", DEFAULT_SUITES12)
        setting(self, "_groups", DEFAULT_GROUPS)
        setting(self, "_key_shares", DEFAULT_KEY_SHARES)
        setting(self, "_sni_callback", None)
        setting(self, "_key_log", None)
        setting(self, "_level", _SECURITY_LEVEL)
        setting(self, "_ocsp_stapling", OCSPStapling.OFF)
        self._init_sessions()
        setting(self, "observer", None)
        setting(self, "_state", object())
        setting(self, "_snapshot", None)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; what is not supported raises, and the snapshot is made anew."""
        if name == "verify_flags" and int(value) & ~int(_SUPPORTED_VERIFY_FLAGS):
            unsupported = ssl.VerifyFlags(int(value) & ~int(_SUPPORTED_VERIFY_FLAGS))
            raise NotImplementedError(f"{unsupported!r} is not supported")
        if name == "options" and int(value) & _IGNORE_UNEXPECTED_EOF:
            raise NotImplementedError("OP_IGNORE_UNEXPECTED_EOF is not supported: an end without close_notify is told")
        if name == "post_handshake_auth" and value:
            raise NotImplementedError("post-handshake authentication is not supported")
        if name == "hostname_checks_common_name" and value:
            raise NotImplementedError("a host name is checked against the subjectAltName only (RFC 9525 §2)")
        if name in ("_msg_callback", "sni_callback", "observer") and not (value is None or callable(value)):
            raise TypeError(f"{value} is not callable.")
        if name == "_msg_callback" and value is not None:
            raise NotImplementedError("_msg_callback is not supported")
        super().__setattr__(name, value)
        # A snapshot that another thread began before this change is not the one of this state.
        object.__setattr__(self, "_state", object())

    def _add_credential(self, credential: Credential) -> None:
        super()._add_credential(credential)
        self._prepare_ticket_keys()

    # What is offered and chosen.

    def set_ciphers(self, ciphers: str, /) -> None:
        """Set the suites of TLS 1.2, by an OpenSSL cipher string; those of TLS 1.3 stay, as in OpenSSL.

        OpenSSL parses the string, and what fasttls speaks of it counts. Raises ssl.SSLError for a string that
        selects nothing.
        """
        levels = [int(level) for level in _ASKED_LEVEL.findall(ciphers)]
        if any(level > _SECURITY_LEVEL for level in levels):
            raise NotImplementedError(f"a security level above {_SECURITY_LEVEL} is not supported: {ciphers!r}")
        super().set_ciphers(ciphers)
        selected = [cipher["id"] & 0xFFFF for cipher in super().get_ciphers()]
        chosen = tuple(code for code in selected if code in SUITES12)
        if not chosen and any(code not in SUITES for code in selected):
            raise ssl_error("NO_CIPHER_MATCH", f"no cipher match: {ciphers!r} selects only suites that are not AEADs")
        self._suites12 = chosen
        if levels:
            self._level = levels[-1]

    def set_ciphersuites(self, ciphersuites: str, /) -> None:
        """Set the suites of TLS 1.3, in order of preference: IANA names with colons between.

        Raises ssl.SSLError for a name that is not known.
        """
        chosen: list[int] = []
        for name in filter(None, ciphersuites.split(":")):
            code = CipherSuite.__members__.get(name)
            if code is None or code not in SUITES:
                raise ssl_error("NO_CIPHER_MATCH", f"no cipher match: {name!r}")
            if code not in chosen:
                chosen.append(code)
        if not chosen:
            raise ssl_error("NO_CIPHER_MATCH", "no cipher match: the list is empty")
        self._suites = tuple(chosen)

    def get_ciphers(self) -> list[dict[str, Any]]:  # type: ignore[override]  # typeshed's _Cipher is private
        """Return the suites that a connection may use, the preferred first."""
        return [cipher_dict(code) for code in self._config().offered_suites]

    def set_groups(self, groups: str, /) -> None:
        """Set the key exchange groups, in order of preference: OpenSSL's names with colons between.

        A `*` before a name asks a client to send a share for it; without any, it sends one for the
        first group, and for X25519 too when that is X25519MLKEM768 and X25519 is listed. A `?` lets
        a name be unknown. Raises ssl.SSLError for another one that is not known.
        """
        chosen: list[int] = []
        shares: list[int] = []
        for part in filter(None, groups.replace("/", ":").split(":")):
            name = part.lstrip("*?")
            marks = part[: len(part) - len(name)]
            group = group_by_name(name)
            if group is None:
                if "?" in marks:
                    continue
                raise ssl_error("UNKNOWN_GROUP", f"unknown group: {name!r}")
            if group.code not in chosen:
                chosen.append(group.code)
            if "*" in marks and group.code not in shares:
                shares.append(group.code)
        if not chosen:
            raise ssl_error("UNKNOWN_GROUP", "unknown group: the list is empty")
        if not shares:
            shares = chosen[:1]
            if shares == [NamedGroup.X25519MLKEM768] and NamedGroup.X25519 in chosen:
                shares.append(NamedGroup.X25519)
        self._groups, self._key_shares = tuple(chosen), tuple(shares)

    def get_groups(self, *, include_aliases: bool = False) -> list[str]:
        """Return the names of the groups that a connection may use, the preferred first."""
        from fasttls.crypto.groups import GROUPS

        names = [GROUPS[code].names for code in self._groups]
        return [name for group in names for name in (group if include_aliases else group[:1])]

    def set_ecdh_curve(self, name: str | bytes, /) -> None:
        """Set the one group to use. Raises ValueError for a name that is not known."""
        group = group_by_name(os.fsdecode(name))
        if group is None:
            raise ValueError(f"unknown elliptic curve name {name!r}")
        self._groups = self._key_shares = (group.code,)

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Set the application protocols, in order of preference. Raises ssl.SSLError for a name over 255 bytes."""
        names = tuple(name.encode("ascii") for name in alpn_protocols)
        if any(not 1 <= len(name) <= 255 for name in names):
            raise ssl.SSLError("ALPN protocols must be 1 to 255 in length")
        self._alpn = names

    @property  # type: ignore[override]  # the name may be None
    def sni_callback(self) -> SniCallback | None:
        """A server's function of (socket, host name or None, this context).

        It may set the socket's context; it returns None, or an alert's code point to refuse with.
        """
        return self._sni_callback

    @sni_callback.setter
    def sni_callback(self, callback: SniCallback | None) -> None:
        self._sni_callback = callback

    def set_servername_callback(self, server_name_callback: SniCallback | None) -> None:  # type: ignore[override]
        """Set sni_callback."""
        self.sni_callback = server_name_callback

    @property
    def keylog_filename(self) -> Any:
        """The file that secrets are appended to, in NSS's format, or None. Whoever reads it can decrypt."""
        return self._key_log.path if self._key_log is not None else None

    @keylog_filename.setter
    def keylog_filename(self, path: Path | None) -> None:
        self._key_log = None if path is None else KeyLogFile(path)

    @property
    def hostname_checks_common_name(self) -> bool:
        """Whether a common name can stand for a host: never (RFC 9525 §2)."""
        return False

    @hostname_checks_common_name.setter
    def hostname_checks_common_name(self, value: bool) -> None:
        """Only False is possible; __setattr__ refuses the rest."""

    @property  # type: ignore[override]  # None is what the standard library says without TLS 1.3
    def post_handshake_auth(self) -> None:
        """None: there is no post-handshake authentication; programs look before they set it."""
        return

    @post_handshake_auth.setter
    def post_handshake_auth(self, value: bool) -> None:
        """Only False is possible; __setattr__ refuses the rest."""

    @property
    def security_level(self) -> int:  # type: ignore[override]  # read-only, as it truly is
        """OpenSSL's number for what is too weak in certificates; `@SECLEVEL=` in set_ciphers() lowers it.

        2, at first, refuses RSA below 2048 bits and signatures with SHA-1 or MD5; 1 takes RSA from 1024
        bits on; 0 refuses nothing for its strength.
        """
        return self._level

    # What is not supported.

    def load_dh_params(self, path: Path, /) -> None:
        """Finite-field Diffie-Hellman parameters of one's own are not supported."""
        raise NotImplementedError("Diffie-Hellman parameters from a file are not supported")

    def set_npn_protocols(self, npn_protocols: Iterable[str]) -> None:
        """NPN was given up for ALPN."""
        raise NotImplementedError("NPN is not supported; use set_alpn_protocols()")

    # Connections.

    def _config(self) -> Config:
        """Return the settings as they are now, frozen."""
        state, kept = self._state, self._snapshot
        if kept is not None and kept[0] is state:
            return kept[1]
        low, high = self._versions()
        flags = self.verify_flags
        options = self.options
        snapshot = Config(
            minimum_version=low,
            maximum_version=high,
            suites=(*self._suites, *self._suites12),
            require_extended_master_secret=not options & _LEGACY,
            require_secure_renegotiation=not options & _LEGACY,
            groups=self._groups,
            key_shares=self._key_shares,
            alpn=self._alpn,
            credentials=self._credentials,
            peer_certificate=_VERIFY_MODES[self.verify_mode],
            trust=self._trust,
            check_host=self.check_hostname,
            partial_chain=bool(flags & ssl.VERIFY_X509_PARTIAL_CHAIN),
            strict=bool(flags & ssl.VERIFY_X509_STRICT),
            strength=Strength.of_level(self._level),
            crl_check=_crl_check(flags),
            ocsp_stapling=self._ocsp_stapling,
            prefer_server_suites=bool(options & ssl.OP_CIPHER_SERVER_PREFERENCE),
            compatibility_mode=bool(options & ssl.OP_ENABLE_MIDDLEBOX_COMPAT),
            key_log=self._key_log,
            observer=self.observer,
            **self._session_settings(options),
        )
        object.__setattr__(self, "_snapshot", (state, snapshot))
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

    def _wrap(
        self,
        channel: BioChannel | SocketChannel,
        server_side: bool,
        server_hostname: str | bytes | None,
        owner: object,
        session: object,
    ) -> Engine:
        if server_side and self.protocol == ssl.PROTOCOL_TLS_CLIENT:
            raise ssl.SSLError("Cannot create a server socket with a PROTOCOL_TLS_CLIENT context")
        if not server_side and self.protocol == ssl.PROTOCOL_TLS_SERVER:
            raise ssl.SSLError("Cannot create a client socket with a PROTOCOL_TLS_SERVER context")
        config = self._config()
        if server_side:
            if session is not None:
                raise ValueError("Cannot set session for server-side SSLSocket.")
            return self._wrap_server(config, channel, owner)
        name = server_hostname.decode("ascii") if isinstance(server_hostname, bytes) else server_hostname
        if name is not None and "\0" in name:
            raise TypeError("argument must be encoded string without null bytes, not str")
        given = None if session is None else session_of(session, self)
        connection = Connection(config, server_side=False, server_name=name, session=given)
        return Engine(self, connection, channel, owner, _refuse_context)

    def _wrap_server(self, config: Config, channel: BioChannel | SocketChannel, owner: object) -> Engine:
        callback = self._sni_callback
        if callback is None:
            return Engine(self, Connection(config, server_side=True), channel, owner, _refuse_context)
        choice = SniChoice(self, config, callback)
        connection = Connection(replace(config, select_config=choice.select), server_side=True)
        engine = Engine(self, connection, channel, owner, choice.take_context)
        choice.engine = engine
        return engine

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
        return self._wrap(SocketChannel(sock), server_side, server_hostname, owner, session)

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
        return self._wrap(BioChannel(incoming, outgoing), server_side, server_hostname, owner, session)


def _class_of(cls: type[Any]) -> type[SSLContext]:
    """Return the class of fasttls that a class of contexts stands for: itself, or one that puts fasttls below it."""
    if cls is SSLContext and ssl.SSLContext.__module__ == "gevent.ssl" and ssl.SSLContext not in cls.__mro__:
        return _class_of(ssl.SSLContext)  # gevent has patched `ssl` since this class was made
    if issubclass(cls, SSLContext):
        return cls
    if cls in SSLContext.__mro__:
        return SSLContext
    for known in cls.__subclasses__():
        if known.__bases__ == (cls, SSLContext):
            return known
    made: type[SSLContext] = types.new_class(cls.__name__, (cls, SSLContext), exec_body=_named_as(cls))
    return made


def _named_as(cls: type) -> Callable[[dict[str, Any]], None]:
    names = {name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__")}
    if cls.__module__ == "gevent.ssl":
        # Its setters go round everything between it and OpenSSL's context, where a callback would never be called.
        own = vars(SSLContext)
        names |= {name: own[name] for name in ("sni_callback", "_msg_callback") if name in own}
    return lambda namespace: namespace.update(names)


def _crl_check(flags: int) -> CrlCheck:
    """Return what the flags ask; one bit alone of VERIFY_CRL_CHECK_CHAIN is VERIFY_CRL_CHECK_LEAF, or nothing."""
    if not flags & ssl.VERIFY_CRL_CHECK_LEAF:
        return CrlCheck.NONE
    every = (flags & ssl.VERIFY_CRL_CHECK_CHAIN) == ssl.VERIFY_CRL_CHECK_CHAIN
    return CrlCheck.CHAIN if every else CrlCheck.LEAF


def _refuse_context(context: SSLContext) -> None:
    raise ssl_error("CONTEXT", "the context can be changed by a server's sni_callback only")
