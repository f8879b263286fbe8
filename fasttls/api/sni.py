"""A server's sni_callback: another context, or an alert, for the name that a client asks for."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from traceback import print_exception
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from fasttls.handshake.config import ClientHelloInfo, Config, PeerCertificate
from fasttls.wire.alerts import ALERTS, AlertDescription, HandshakeFailure, InternalError

if TYPE_CHECKING:
    from fasttls.api.context import SSLContext
    from fasttls.api.engine import Engine

SniCallback = Callable[[Any, str | None, "SSLContext"], int | None]

_STRICTER = (PeerCertificate.UNCHECKED, PeerCertificate.OPTIONAL, PeerCertificate.REQUIRED)


class _Unraisable(NamedTuple):
    """What sys.unraisablehook takes."""

    exc_type: type[BaseException]
    exc_value: BaseException
    exc_traceback: TracebackType | None
    err_msg: str | None
    object: Any


def _report(error: Exception, callback: SniCallback) -> None:
    """Tell of an exception that goes nowhere: to the program's hook if it has one, or on standard error."""
    hook: Any = sys.unraisablehook
    if hook is not sys.__unraisablehook__:
        with suppress(TypeError):  # Python's own, which a hook may hand it on to, takes Python's own class alone
            hook(_Unraisable(type(error), error, error.__traceback__, None, callback))
            return
    if sys.stderr is not None:
        print(f"Exception ignored in: {callback!r}", file=sys.stderr)
        print_exception(error)


class SniChoice:
    """The choice for one connection of a server whose context has a callback."""

    engine: weakref.ref[Engine]
    """The connection's engine, whose owner the callback is shown; the engine owns this object."""

    active = False
    """Whether the callback is being called, and may set the context."""

    def __init__(self, context: SSLContext, config: Config, callback: SniCallback) -> None:
        self._context = context
        self._config = config
        self._callback = callback
        self._chosen: Config | None = None

    def take_context(self, context: SSLContext) -> None:
        """Go on with another context, when the callback sets it. Raises TypeError for what is none of fasttls."""
        try:
            found = context._config()
        except AttributeError:
            raise TypeError("The value must be a SSLContext of fasttls") from None
        # As in the standard library, another context does not take back that the client is verified.
        mode = max(self._config.peer_certificate, found.peer_certificate, key=_STRICTER.index)
        # What the connection asks of the client, and when, is settled by the context that it began with.
        later = self._config.post_handshake_auth
        self._chosen = replace(found, peer_certificate=mode, post_handshake_auth=later)

    def select(self, hello: ClientHelloInfo) -> Config | None:
        """Call the callback; return the configuration to go on with, None for the context's own.

        Raises an Alert when the callback refuses the name, or fails.
        """
        engine = self.engine()
        assert engine is not None
        self.active = True
        try:
            result = self._callback(engine.owner, hello.server_name, self._context)
        except Exception as exc:
            # A server that accepts in a loop catches OSError: what a callback raises must not stop it.
            _report(exc, self._callback)
            raise HandshakeFailure("sni_callback raised an exception", reason="CALLBACK_FAILED") from exc
        finally:
            self.active = False
        if result is None:
            return self._chosen
        if not isinstance(result, int):
            kind = type(result).__name__
            wrong = TypeError(f"sni_callback returns None or an alert's number, not {kind}")
            _report(wrong, self._callback)
            raise InternalError(str(wrong), reason="CALLBACK_FAILED") from wrong
        try:
            refusal = ALERTS[AlertDescription(result)]
        except (KeyError, ValueError):
            raise InternalError(f"sni_callback returned {result}, which is no alert to refuse with") from None
        raise refusal("sni_callback refused the server name")
