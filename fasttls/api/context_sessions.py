"""What a context remembers of its connections for later ones: sessions, ticket keys, pre-shared keys, early data."""

from __future__ import annotations

import operator
import ssl

from fasttls.api.later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    from fasttls.handshake.config import Config
    from fasttls.sessions.cache import ClientSessions, ServerSessions
    from fasttls.sessions.counters import Counters
    from fasttls.sessions.keys import TicketKeyStore
    from fasttls.sessions.psk import ExternalPsk
    from fasttls.sessions.replay import ReplayGuard
    from fasttls.sessions.session import Session

    PskClientCallback = Callable[[str | None], tuple[str | None, bytes]]
    PskServerCallback = Callable[[str | None], bytes]

_LONGEST_PSK = 256  # bytes, OpenSSL's bound
_LONGEST_IDENTITY = 256  # bytes


# What connections share is made when a context is first used, and so are the modules imported.


def _client_sessions() -> ClientSessions:
    from fasttls.sessions.cache import ClientSessions

    return ClientSessions()


def _server_sessions() -> ServerSessions:
    from fasttls.sessions.cache import ServerSessions

    return ServerSessions()


def _counters() -> Counters:
    from fasttls.sessions.counters import Counters

    return Counters()


class SessionSettings:
    """The part of SSLContext that is about later connections."""

    protocol: Any
    verify_mode: Any
    _client_sessions: ClientSessions = later(_client_sessions)
    _server_sessions: ServerSessions = later(_server_sessions)
    _counters: Counters = later(_counters)
    _ticket_keys: TicketKeyStore | None = None
    _num_tickets = 2
    _renewed_tickets = 1
    _ticket_lifetime = 7200  # seconds
    _resumes = True
    _resumes_by_name = False
    _max_early_data = 0
    _replay_guard: ReplayGuard | None = None
    _early_data = False
    _psk_client: PskClientCallback | None = None
    _psk_server: PskServerCallback | None = None
    _psk_hint = ""

    @property
    def resumption(self) -> bool:
        """Whether sessions are gone on with; True at first.

        A client keeps the sessions of its connections and offers the newest one to the same server, by
        host, port, protocols and verification settings; what was verified then is verified anew. Where
        the port is not known, over memory BIOs (as in asyncio), it does so once this was set to True:
        the host name alone then says where a session leads.
        """
        return self._resumes

    @resumption.setter
    def resumption(self, value: bool) -> None:
        self._resumes = self._resumes_by_name = bool(value)
        if not value:
            self._client_sessions.clear()

    @property
    def num_tickets(self) -> int:
        """How many tickets a server gives after a full handshake of TLS 1.3."""
        return self._num_tickets

    @num_tickets.setter
    def num_tickets(self, value: int) -> None:
        value = operator.index(value)
        if value < 0:
            raise ValueError("value must be non-negative")
        if value > 255:
            raise ValueError("failed to set num tickets")
        if self.protocol != ssl.PROTOCOL_TLS_SERVER:
            raise ValueError("SSLContext is not a server context.")
        self._num_tickets = value

    @property
    def renewed_tickets(self) -> int:
        """How many it gives after a resumption of TLS 1.3, at most num_tickets; 1 at first.

        With 0 the tickets of a full handshake are all there is: what it verified is verified anew after that.
        """
        return self._renewed_tickets

    @renewed_tickets.setter
    def renewed_tickets(self, value: int) -> None:
        value = operator.index(value)
        if not 0 <= value <= 255:
            raise ValueError("a server gives 0 to 255 tickets after a resumption")
        self._renewed_tickets = value

    @property
    def ticket_lifetime(self) -> int:
        """For how many seconds a server lets a session be gone on with: at most seven days."""
        return self._ticket_lifetime

    @ticket_lifetime.setter
    def ticket_lifetime(self, seconds: int) -> None:
        from fasttls.sessions.session import MOST_SECONDS

        if not 0 < seconds <= MOST_SECONDS:
            raise ValueError(f"a session is gone on with for 1 to {MOST_SECONDS} seconds")
        self._ticket_lifetime = int(seconds)

    @property
    def ticket_keys(self) -> TicketKeyStore:
        """What a server seals its tickets with: keys of this process alone, unless others are set.

        `fasttls.FileTicketKeys` and `fasttls.EpochTicketKeys` share them between processes and machines.
        """
        if self._ticket_keys is None:
            from fasttls.sessions.keys import MemoryTicketKeys

            self._ticket_keys = MemoryTicketKeys()
        return self._ticket_keys

    @ticket_keys.setter
    def ticket_keys(self, keys: TicketKeyStore) -> None:
        if not callable(getattr(keys, "active", None)) or not callable(getattr(keys, "find", None)):
            raise TypeError(f"ticket keys come from an object with active() and find(), not {type(keys).__name__}")
        self._ticket_keys = keys

    def _prepare_to_serve(self) -> None:
        """Make the ticket keys of this process, and import the handshake: workers forked from it share both."""
        if self.protocol != ssl.PROTOCOL_TLS_CLIENT:
            import fasttls.api.wrapping
            import fasttls.handshake.server  # noqa: F401

            self.ticket_keys  # noqa: B018 - made when they are first asked for

    # Early data.

    @property
    def early_data(self) -> bool:
        """Whether a client may send early data (`SSLSocket.write_early_data`); False at first.

        An attacker may send it to the server again: only what is harmless when it is done twice belongs there.
        """
        return self._early_data

    @early_data.setter
    def early_data(self, value: bool) -> None:
        self._early_data = bool(value)

    @property
    def max_early_data(self) -> int:
        """How many bytes of early data a server takes; 0 at first. More needs a replay guard, set with it."""
        return self._max_early_data

    def set_early_data(self, size: int, replay_guard: ReplayGuard | None) -> None:
        """Let a server take so many bytes of early data, and none that the guard has seen (RFC 8446 §8).

        Raises ValueError for a size without a guard.
        """
        if not 0 <= size <= 0xFFFFFFFF:
            raise ValueError("early data has 0 to 2^32-1 bytes")
        if size and replay_guard is None:
            raise ValueError("a server takes early data only with a replay guard (RFC 8446 §8)")
        self._replay_guard, self._max_early_data = replay_guard, size

    # Pre-shared keys.

    def set_psk_client_callback(self, callback: PskClientCallback | None) -> None:
        """Set a client's function of a hint, or None, that returns an identity and a key (Python 3.13).

        An empty key is none. When the server takes no key, and verify_mode is CERT_NONE, the handshake fails.
        """
        self._check_psk(callback, "client", ssl.PROTOCOL_TLS_SERVER, "PROTOCOL_TLS_SERVER")
        self._psk_client = callback

    def set_psk_server_callback(self, callback: PskServerCallback | None, identity_hint: str | None = None) -> None:
        """Set a server's function of the client's identity that returns the key; an empty one refuses (Python 3.13).

        identity_hint is what the client's callback is called with in TLS 1.2; TLS 1.3 has none.
        """
        self._check_psk(callback, "server", ssl.PROTOCOL_TLS_CLIENT, "PROTOCOL_TLS_CLIENT")
        if not isinstance(identity_hint, str | None):
            raise TypeError(f"identity_hint must be str or None, not {type(identity_hint).__name__}")
        if identity_hint is not None and len(identity_hint.encode()) > _LONGEST_IDENTITY:
            from fasttls.api.errors import plain_error

            raise plain_error("failed to set identity hint")
        self._psk_server, self._psk_hint = callback, identity_hint or ""

    def _check_psk(self, callback: object, side: str, not_for: int, name: str) -> None:
        if self.protocol == not_for:
            from fasttls.api.errors import plain_error

            raise plain_error(f"Cannot add PSK {side} callback to a {name} context")
        if callback is not None and not callable(callback):
            raise TypeError("callback must be callable")

    def _client_psks(self, hint: str | None) -> tuple[ExternalPsk, ...]:
        from fasttls.native._secret import Secret
        from fasttls.sessions.psk import ExternalPsk

        assert self._psk_client is not None
        found = self._psk_client(hint)
        if not isinstance(found, tuple) or len(found) != 2:
            raise TypeError("a PSK callback returns an identity and a key")
        identity, key = found
        if not isinstance(identity, str | None) or not isinstance(key, bytes):
            raise TypeError("a PSK callback returns an identity, str or None, and a key, bytes")
        if not key:
            return ()
        if len(key) > _LONGEST_PSK or len((identity or "").encode()) > _LONGEST_IDENTITY:
            raise ValueError("the identity or the pre-shared key is too long")
        return (ExternalPsk((identity or "").encode() or b"\0", Secret(key)),)

    def _server_psk(self, identity: bytes) -> ExternalPsk | None:
        from fasttls.native._secret import Secret
        from fasttls.sessions.psk import ExternalPsk
        from fasttls.wire.alerts import HandshakeFailure

        assert self._psk_server is not None
        try:
            name = identity.decode()
        except UnicodeDecodeError:
            return None
        try:
            key = self._psk_server(None if name in ("", "\0") else name)
        except Exception as exc:
            # A server that accepts in a loop catches OSError: what a callback raises must not stop it.
            from fasttls.api.sni import report

            report(exc, self._psk_server)
            raise HandshakeFailure("the PSK callback raised an exception", reason="CALLBACK_FAILED") from exc
        if not isinstance(key, bytes):
            raise HandshakeFailure("the PSK callback returned no key", reason="CALLBACK_FAILED")
        # TLS 1.2 allows an empty identity (RFC 4279 §5.1); nobody looks at this one again.
        return ExternalPsk(identity or b"\0", Secret(key)) if key else None

    # For connections.

    def session_stats(self) -> dict[str, int]:
        """Return how many connections were begun and made, and how many of them went on with a session."""
        return {**self._counters.read(), "number": len(self._client_sessions) + len(self._server_sessions)}

    def _session_settings(self, options: int) -> dict[str, Any]:
        """Return what a Config has to know of all this."""
        stateless = not options & ssl.OP_NO_TICKET
        is_server = self.protocol != ssl.PROTOCOL_TLS_CLIENT
        found: dict[str, Any] = {
            "resumption": self._resumes,
            "num_tickets": self._num_tickets,
            "renewed_tickets": self._renewed_tickets,
            "ticket_lifetime": self._ticket_lifetime,
            "early_data": self._early_data,
            "max_early_data": self._max_early_data,
            "replay_guard": self._replay_guard,
        }
        if is_server:
            found["ticket_keys"] = self.ticket_keys if stateless else None
            found["server_sessions"] = self._server_sessions
        if self._psk_client is not None:
            found["make_psks"] = self._client_psks
            # Nothing else would say who the server is.
            found["psk_only"] = self.verify_mode == ssl.CERT_NONE
        if self._psk_server is not None:
            found["find_psk"] = self._server_psk
            found["psk_identity_hint"] = self._psk_hint
        return found

    def _place(self, config: Config, server_name: str | None, port: object) -> Hashable:
        """Return the key of a client's sessions: whatever says that two connections want the same."""
        return (
            server_name,
            port,
            config.alpn,
            config.minimum_version,
            config.maximum_version,
            config.peer_certificate,
            config.check_host,
            config.check_common_name,
            config.strict,
            config.partial_chain,
            config.strength,
            config.crl_check,
            config.ocsp_stapling,
            config.credentials,
        )

    def _take_session(self, config: Config, place: Hashable) -> Session | None:
        """Return a session to offer."""
        return self._client_sessions.take(place, config.now()) if config.resumption else None
