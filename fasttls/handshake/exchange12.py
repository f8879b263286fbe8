"""The key exchanges of TLS 1.2, from either side: ECDHE, DHE and RSA key transport (RFC 5246 §7.4.3, §7.4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fasttls.crypto.groups import GROUPS, Offer
from fasttls.crypto.rsa_transport import Decrypt, modulus_size, receive, transport
from fasttls.crypto.suites12 import KeyExchange, Suite12
from fasttls.handshake.auth import PeerIdentity
from fasttls.handshake.config import Config
from fasttls.native._secret import Secret
from fasttls.wire.alerts import DecodeError, IllegalParameter
from fasttls.wire.iana import NamedGroup, ProtocolVersion, name_of
from fasttls.wire.messages12 import (
    ClientKeyExchange,
    ServerDhParams,
    ServerEcdhParams,
    SignedParams,
    read_dhe,
    read_ecdhe,
    read_public,
    write_public,
)

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_DHE_RSA = KeyExchange.DHE_RSA
_TLS1_2 = ProtocolVersion.TLS1_2

if TYPE_CHECKING:
    from fasttls.crypto.dhe import DhePrivate

ServerParams = ServerEcdhParams | ServerDhParams


@dataclass(frozen=True)
class Agreed:
    """What a client sends, the premaster secret that it leads to, and the group, if that has a code point."""

    message: ClientKeyExchange
    premaster: Secret
    group: int | None


def read_server_params(suite: Suite12, body: bytes) -> tuple[ServerParams, SignedParams]:
    """Read a ServerKeyExchange of the suite's key exchange. Raises DecodeError or IllegalParameter."""
    return read_ecdhe(body) if suite.key_exchange.uses_curves else read_dhe(body)


def agree(config: Config, suite: Suite12, params: ServerParams | None, identity: PeerIdentity) -> Agreed:
    """Do the client's part; params is what the server signed, None for RSA key transport.

    Raises IllegalParameter or HandshakeFailure for parameters that lead to no secret, or to a weak one.
    """
    random = config.random if config.deterministic_keys else None
    match params:
        case ServerEcdhParams(group, public):
            if group not in config.ecdhe_groups:
                # RFC 8422 §5.4: one of those that the client offered.
                raise IllegalParameter(
                    f"the server selects {name_of(NamedGroup, group)}, which was not offered", reason="WRONG_CURVE"
                )
            own, premaster = GROUPS[group].answer(public, random)
            return Agreed(write_public(own, 1), premaster, group)
        case ServerDhParams():
            from fasttls.crypto import dhe  # rarely needed, and slow to import

            own, premaster, code = dhe.answer(params)
            return Agreed(write_public(own, 2), premaster, code)
    premaster, encrypted = transport(identity.public_key.key, _TLS1_2, config.random)
    return Agreed(write_public(encrypted, 2), premaster, None)


class ServerExchange(Protocol):
    """A server's part of a key exchange."""

    @property
    def params(self) -> bytes | None:
        """What ServerKeyExchange says and signs; None when there is no such message."""

    def finish(self, message: ClientKeyExchange) -> Secret:
        """Return the premaster secret. Raises DecodeError or IllegalParameter; RSA key transport never tells."""


@dataclass(frozen=True)
class _Ecdhe:
    """ECDHE: the server makes a key first (RFC 8422 §2)."""

    group: int
    offer: Offer

    @property
    def params(self) -> bytes:
        return ServerEcdhParams(self.group, self.offer.public).encode()

    def finish(self, message: ClientKeyExchange) -> Secret:
        return self.offer.finish(read_public(message.body, 1))


@dataclass(frozen=True)
class _Dhe:
    """DHE in one of RFC 7919's groups."""

    group: int
    private: DhePrivate

    @property
    def params(self) -> bytes:
        return self.private.params.encode()

    def finish(self, message: ClientKeyExchange) -> Secret:
        return self.private.finish(read_public(message.body, 2))


@dataclass(frozen=True)
class _Transport:
    """RSA key transport: the client makes the premaster secret and encrypts it."""

    config: Config
    decrypt: Decrypt
    size: int  # bytes of the modulus
    version: int
    """What the ClientHello says, which the premaster secret must begin with (RFC 5246 §7.4.7.1)."""

    @property
    def params(self) -> None:
        return None

    def finish(self, message: ClientKeyExchange) -> Secret:
        try:
            encrypted = read_public(message.body, 2)
        except DecodeError:
            # RFC 5246 §7.4.7.1: what is malformed must look like what is not; Finished will not verify.
            encrypted = b""
        return receive(self.decrypt, self.size, encrypted, self.version, self.config.random)


def server_exchange(
    config: Config,
    key_exchange: KeyExchange,
    group: int | None,
    decrypt: Decrypt | None,
    public_key: object,
    client_version: int = ProtocolVersion.TLS1_2,
) -> ServerExchange:
    """Begin the server's part: group for ECDHE and DHE; decrypt, the certificate's key and a version for RSA."""
    if group is None:
        assert decrypt is not None
        return _Transport(config, decrypt, modulus_size(public_key), client_version)
    if key_exchange is not _DHE_RSA:
        return _Ecdhe(group, GROUPS[group].offer(config.random if config.deterministic_keys else None))
    from fasttls.crypto import dhe  # rarely needed, and slow to import

    return _Dhe(group, dhe.generate(group))
