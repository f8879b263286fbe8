"""The plain settings of a context, kept by the type below `ssl.SSLContext`.

`ssl.SSLContext` finds that type by way of its own name in the module `ssl`. Programs and other libraries put
classes of their own under that name; with these properties a context of fasttls does not depend on it.
"""

from __future__ import annotations

import _ssl
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_Base: Any = _ssl._SSLContext

PLAIN: dict[str, Any] = {
    name: getattr(_Base, name)
    for name in ("options", "verify_flags", "verify_mode", "check_hostname", "minimum_version", "maximum_version")
}
"""What the type below only keeps."""

READ = tuple(setting.__get__ for setting in (*PLAIN.values(), _Base._host_flags))
"""What connections are held to, read from the type below: whoever sets it there cannot be watched."""


class PlainSettings:
    """The part of SSLContext that is only kept, and read when a connection is wrapped."""

    # What every connection asks, and is not computed for each.

    _only_client: bool
    """Whether its connections are clients."""

    _only_server: bool
    """Whether its connections are servers."""

    _ignores_unexpected_eof = False
    """Whether OP_IGNORE_UNEXPECTED_EOF was set when the settings were last frozen."""

    @property
    def options(self) -> ssl.Options:
        """The OP_ flags."""
        return ssl.Options(_Base.options.__get__(self))

    @options.setter
    def options(self, value: int) -> None:
        _Base.options.__set__(self, value)

    @property
    def verify_mode(self) -> ssl.VerifyMode:
        """Whether the peer must have a certificate."""
        return ssl.VerifyMode(_Base.verify_mode.__get__(self))

    @verify_mode.setter
    def verify_mode(self, value: int) -> None:
        _Base.verify_mode.__set__(self, value)

    @property
    def verify_flags(self) -> ssl.VerifyFlags:
        """The VERIFY_ flags."""
        return ssl.VerifyFlags(_Base.verify_flags.__get__(self))

    @verify_flags.setter
    def verify_flags(self, value: int) -> None:
        _Base.verify_flags.__set__(self, value)

    @property
    def minimum_version(self) -> ssl.TLSVersion:
        """The lowest version, of those that fasttls speaks."""
        return ssl.TLSVersion(_Base.minimum_version.__get__(self))

    @minimum_version.setter
    def minimum_version(self, value: int) -> None:
        if value == ssl.TLSVersion.SSLv3:
            self.options &= ~ssl.Options.OP_NO_SSLv3
        _Base.minimum_version.__set__(self, value)

    @property
    def maximum_version(self) -> ssl.TLSVersion:
        """The highest version."""
        return ssl.TLSVersion(_Base.maximum_version.__get__(self))

    @maximum_version.setter
    def maximum_version(self, value: int) -> None:
        _Base.maximum_version.__set__(self, value)

    @property
    def hostname_checks_common_name(self) -> bool:
        """Whether a common name stands for a host where the server's certificate has no DNS name."""
        flags: int = _Base._host_flags.__get__(self)
        return not flags & _ssl.HOSTFLAG_NEVER_CHECK_SUBJECT

    @hostname_checks_common_name.setter
    def hostname_checks_common_name(self, value: bool) -> None:
        flags: int = _Base._host_flags.__get__(self) & ~_ssl.HOSTFLAG_NEVER_CHECK_SUBJECT
        _Base._host_flags.__set__(self, flags | (0 if value else _ssl.HOSTFLAG_NEVER_CHECK_SUBJECT))

    @property
    def protocol(self) -> ssl._SSLMethod:
        """The PROTOCOL_ constant that the context was made for."""
        return ssl._SSLMethod(_Base.protocol.__get__(self))
