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

from fasttls.crypto.suites12 import SUITES12
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


def report(error: Exception, callback: Callable[..., Any]) -> None:
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
        # As in the standard library, that is who the server is and whom it trusts, and what TLS 1.2 chooses among.
        # Which versions are spoken and how the client is verified is settled by the context that the connection began
        # with: another one takes nothing of that back.
        began = self._config
        self._chosen = replace(
            began,
            credentials=found.credentials,
            trust=found.trust,
            certificate_authorities=found.certificate_authorities,
            peer_certificate=max(began.peer_certificate, found.peer_certificate, key=_STRICTER.index),
            strength=found.strength,
            suites=(
                *(code for code in began.suites if code not in SUITES12),
                *(code for code in found.suites if code in SUITES12),
            ),
            signing_algorithms=found.signing_algorithms,
            signature_algorithms=found.signature_algorithms,
            signature_algorithms_cert=found.signature_algorithms_cert,
            dhe_groups=found.dhe_groups,
            alpn=found.alpn,
            alpn_required=found.alpn_required,
            alpn_callback=found.alpn_callback,
        )

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
            report(exc, self._callback)
            raise HandshakeFailure("sni_callback raised an exception", reason="CALLBACK_FAILED") from exc
        finally:
            self.active = False
        if result is None:
            return self._chosen
        if not isinstance(result, int):
            kind = type(result).__name__
            wrong = TypeError(f"sni_callback returns None or an alert's number, not {kind}")
            report(wrong, self._callback)
            raise InternalError(str(wrong), reason="CALLBACK_FAILED") from wrong
        try:
            refusal = ALERTS[AlertDescription(result)]
        except (KeyError, ValueError):
            wrong_number = f"sni_callback returned {result}, which is no alert to refuse with"
            raise InternalError(wrong_number, reason="CALLBACK_FAILED") from None
        raise refusal(
            f"sni_callback refused the server name {hello.server_name!r} with {refusal.__name__}",
            reason="CALLBACK_FAILED",
        )
