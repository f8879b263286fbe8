"""Pre-shared keys in the ClientHello of TLS 1.3: offered by a client, chosen by a server (RFC 8446 §4.2.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from fasttls.crypto.finished import FinishedKey
from fasttls.crypto.key_schedule import EMPTY_HASH, EarlySecret
from fasttls.crypto.suites import Suite
from fasttls.handshake.auth import PeerIdentity
from fasttls.handshake.config import Config
from fasttls.handshake.flight import Flight
from fasttls.handshake.resume import LARGEST_OFFER, server_may_resume, usable_session
from fasttls.native._hash import Transcript
from fasttls.sessions.keys import open_ticket
from fasttls.sessions.replay import WINDOW_SECONDS
from fasttls.sessions.session import Session
from fasttls.wire.alerts import DecryptError, IllegalParameter
from fasttls.wire.extensions import OfferedPsks, PskIdentity
from fasttls.wire.iana import ExtensionType, ProtocolVersion
from fasttls.wire.messages import ClientHello, Encoded

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_EARLY_DATA = ExtensionType.EARLY_DATA
_PRE_SHARED_KEY = ExtensionType.PRE_SHARED_KEY
_PSK_KEY_EXCHANGE_MODES = ExtensionType.PSK_KEY_EXCHANGE_MODES
_TLS1_3 = ProtocolVersion.TLS1_3

_MOST_IDENTITIES = 8
"""Identities of a ClientHello that a server looks at."""


@dataclass(frozen=True)
class PskOffer:
    """One key that a client offers: from a session, or external."""

    identity: bytes
    secret: EarlySecret
    label: bytes
    session: Session | None
    peer: PeerIdentity | None
    """The server of the session, verified anew; None for an external key."""

    @property
    def hash_name(self) -> str:
        """The hash that it goes with."""
        return self.secret.hash_name


def client_offers(config: Config, session: Session | None, host: str | None) -> tuple[PskOffer, ...]:
    """Return the keys that a client offers, the session's first."""
    found = []
    # Where nothing but a key says who the server is, a session of before says nothing.
    usable = None if config.psk_only else usable_session(config, session, host, _TLS1_3)
    if usable is not None and 0 < len(usable[0].ticket) <= LARGEST_OFFER:
        kept, peer = usable
        secret = EarlySecret(kept.hash_name, kept.secret)
        found.append(PskOffer(kept.ticket, secret, b"res binder", kept, peer))
    made = config.make_psks(None) if config.make_psks is not None else ()
    for psk in (*config.external_psks, *made):
        found.append(PskOffer(psk.identity, EarlySecret(psk.hash_name, psk.secret), psk.binder_label, None, None))
    return tuple(found)


def send_with_binders(
    hello: ClientHello, offers: tuple[PskOffer, ...], config: Config, transcript: Transcript, flight: Flight
) -> None:
    """Send a ClientHello whose last extension offers keys, each bound to it (RFC 8446 §4.2.11.2).

    It is encoded once, with zeros for the binders, which are put in their place.
    """
    if not offers:
        flight.send(hello)
        return
    now = config.now()
    identities = tuple(
        [
            PskIdentity(offer.identity, 0 if offer.session is None else offer.session.obfuscated_age(now))
            for offer in offers
        ]
    )
    empty = tuple([bytes(len(EMPTY_HASH[offer.hash_name])) for offer in offers])
    hello.extensions.pop(_PRE_SHARED_KEY, None)
    hello.extensions[_PRE_SHARED_KEY] = OfferedPsks(identities, empty)
    encoded = hello.encode()
    tail = _binders_size(empty)
    unbound = transcript.copy()
    unbound.add(encoded)
    pieces = [encoded[: len(encoded) - tail + 2]]  # the binders' size stays
    for offer in offers:
        binder = _binder(offer, unbound.digest_without_tail(offer.hash_name, tail))
        pieces += (bytes((len(binder),)), binder)
    flight.send(Encoded(b"".join(pieces)))


def _binder(offer: PskOffer, digest: bytes) -> bytes:
    key = offer.secret.binder_key(offer.label)
    binder = FinishedKey(offer.hash_name, key).mac(digest)
    key.wipe()
    return binder


def _binders_size(binders: tuple[bytes, ...]) -> int:
    return 2 + sum(1 + len(binder) for binder in binders)


def selected_offer(offers: tuple[PskOffer, ...], selected: int | None, suite: Suite) -> PskOffer | None:
    """Return the offer that the server chose, None when it chose none. Raises IllegalParameter."""
    if selected is None:
        return None
    if selected >= len(offers):
        # RFC 8446 §4.2.11: within the range that was offered.
        raise IllegalParameter(f"the server selects pre-shared key {selected}, {len(offers)} were offered")
    offer = offers[selected]
    if offer.hash_name != suite.hash_name:
        # RFC 8446 §4.2.11: the suite's hash is the key's.
        raise IllegalParameter(f"the server selects a key for {offer.hash_name} and {suite.name}")
    return offer


@dataclass(frozen=True)
class ChosenPsk:
    """The key that a server goes on with."""

    position: int
    """Its place among those that were offered."""

    suite: Suite
    secret: EarlySecret
    session: Session | None
    """None for an external key."""

    peer: PeerIdentity | None
    """The client of the session, verified anew; None when it had no certificate."""

    identity: bytes
    binder: bytes
    told_age: float
    """The session's age as the client tells it, in seconds."""


@dataclass(frozen=True)
class _Known:
    """What an identity stands for."""

    secret: EarlySecret
    label: bytes
    session: Session | None
    peer: PeerIdentity | None


def choose_psk(
    config: Config, hello: ClientHello, suites: Sequence[Suite], server_name: str | None, transcript: Transcript
) -> ChosenPsk | None:
    """Return the first key offered that is known, goes with one of the suites, and may be gone on with.

    Raises DecryptError when its binder is wrong (RFC 8446 §4.2.11).
    """
    offered: OfferedPsks | None = hello.extensions.get(_PRE_SHARED_KEY)
    modes: tuple[int, ...] = hello.extensions.get(_PSK_KEY_EXCHANGE_MODES, ())
    if offered is None or not set(modes) & set(config.psk_modes):
        return None
    for position, one in enumerate(offered.identities[:_MOST_IDENTITIES]):
        known = _known(config, one.identity, server_name)
        if known is None:
            continue
        suite = _suite_for(known, suites, early=_EARLY_DATA in hello.extensions)
        if suite is None:
            continue
        binder = offered.binders[position]
        digest = transcript.digest_without_tail(suite.hash_name, _binders_size(offered.binders))
        key = known.secret.binder_key(known.label)
        right = FinishedKey(suite.hash_name, key).verify(binder, digest)
        key.wipe()
        if not right:
            raise DecryptError("the binder of a pre-shared key does not verify", reason="BINDER_DOES_NOT_VERIFY")
        session = known.session
        told = session.age(one.obfuscated_ticket_age) if session is not None else 0.0
        return ChosenPsk(position, suite, known.secret, session, known.peer, one.identity, binder, told)
    return None


def _suite_for(known: _Known, suites: Sequence[Suite], *, early: bool) -> Suite | None:
    """Return the preferred suite with the key's hash (RFC 8446 §4.2.11); early data needs the session's own."""
    fitting = [suite for suite in suites if suite.hash_name == known.secret.hash_name]
    if early and known.session is not None:
        fitting.sort(key=lambda suite: known.session is None or suite.code != known.session.suite)
    return fitting[0] if fitting else None


def _session_of(config: Config, ticket: bytes) -> Session | None:
    """Return the session in a ticket, or the one that it is the id of."""
    if config.ticket_keys is not None:
        return open_ticket(config.ticket_keys, ticket)
    return None if config.server_sessions is None else config.server_sessions.find(ticket)


def _known(config: Config, identity: bytes, server_name: str | None) -> _Known | None:
    """Return what an identity stands for, or None when it is not to be gone on with."""
    if config.resumption:
        session = _session_of(config, identity)
        if session is not None:
            may = server_may_resume(config, session, server_name)
            if may is None or session.version != _TLS1_3:
                return None
            return _Known(EarlySecret(session.hash_name, session.secret), b"res binder", session, may.peer)
    psk = config.find_psk(identity) if config.find_psk is not None else None
    return None if psk is None else _Known(EarlySecret(psk.hash_name, psk.secret), psk.binder_label, None, None)


def use_up(config: Config, chosen: ChosenPsk | None) -> ChosenPsk | None:
    """Return what was chosen, None when it is a session that is kept here and was taken meanwhile: it is used once."""
    if chosen is None or chosen.session is None or config.ticket_keys is not None or config.server_sessions is None:
        return chosen
    return chosen if config.server_sessions.take(chosen.identity) is not None else None


def early_data_refusal(config: Config, chosen: ChosenPsk | None, suite: Suite, alpn: bytes | None) -> str:
    """Return why a server does not take the early data that is offered, or nothing when it does (RFC 8446 §4.2.10)."""
    session = None if chosen is None else chosen.session
    if chosen is None or session is None:
        return "no session was resumed"
    if not config.max_early_data or config.replay_guard is None:
        return "this server takes none"
    if chosen.position:
        return "it was not sent under the first pre-shared key"
    if not session.max_early_data:
        return "the ticket does not allow it"
    if session.max_early_data > config.max_early_data:
        return "the ticket allows more than this server takes now"
    if session.suite != suite.code or session.alpn != alpn:
        return "suite or protocol are not those of the session"
    real = config.now() - session.created
    if abs(real - chosen.told_age) > WINDOW_SECONDS:
        return "the ticket's age is not what the client says"  # RFC 8446 §8.3
    token = sha256(chosen.binder).digest()
    if not config.replay_guard.first_use(token, 2 * WINDOW_SECONDS + 2):
        return "it may have been seen before"
    return ""
