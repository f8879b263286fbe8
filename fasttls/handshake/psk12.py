"""ECDHE with a pre-shared key in TLS 1.2: what its two messages say, and the premaster secret (RFC 5489, RFC 4279)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.groups import GROUPS
from fasttls.handshake.config import Config
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader, Writer
from fasttls.sessions.psk import ExternalPsk
from fasttls.wire.alerts import HandshakeFailure, IllegalParameter
from fasttls.wire.iana import ECCurveType, NamedGroup, name_of
from fasttls.wire.messages12 import ClientKeyExchange, ServerEcdhParams

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_NAMED_CURVE = ECCurveType.NAMED_CURVE


@dataclass(frozen=True)
class PskParams:
    """struct { opaque psk_identity_hint<0..2^16-1>; ServerECDHParams params; } (RFC 5489 §2)."""

    hint: bytes
    group: int
    public: bytes

    def encode(self) -> bytes:
        """Return the body of a ServerKeyExchange, which nobody signs."""
        writer = Writer()
        writer.vector(2, self.hint)
        writer.raw(ServerEcdhParams(self.group, self.public).encode())
        return writer.finish()

    @classmethod
    def read(cls, body: bytes) -> PskParams:
        """Read the body. Raises DecodeError, or IllegalParameter for an unnamed curve."""
        reader = Reader(body)
        hint, kind = reader.vector(2), reader.u8()
        if kind != _NAMED_CURVE:
            raise IllegalParameter(f"ServerKeyExchange has a curve of type {kind}", reason="WRONG_CURVE")
        found = cls(hint, reader.u16(), reader.vector(1, 1))
        reader.end()
        return found


@dataclass(frozen=True)
class PskKeyExchange:
    """struct { opaque psk_identity<0..2^16-1>; ClientECDiffieHellmanPublic public; } (RFC 5489 §2)."""

    identity: bytes
    public: bytes

    def message(self) -> ClientKeyExchange:
        """Return the ClientKeyExchange."""
        writer = Writer()
        writer.vector(2, self.identity)
        writer.vector(1, self.public)
        return ClientKeyExchange(writer.finish())

    @classmethod
    def read(cls, body: bytes) -> PskKeyExchange:
        """Read the body. Raises DecodeError."""
        reader = Reader(body)
        found = cls(reader.vector(2), reader.vector(1, 1))
        reader.end()
        return found


@dataclass(frozen=True)
class AgreedPsk:
    """What a client sends, the premaster secret that it leads to, and the key's identity."""

    message: ClientKeyExchange
    premaster: Secret
    identity: bytes


def client_psk(config: Config, hint: bytes) -> ExternalPsk:
    """Return the client's key for a server's hint. Raises HandshakeFailure when there is none."""
    made: tuple[ExternalPsk, ...] = ()
    if config.make_psks is not None:
        made = config.make_psks(hint.decode("utf-8", "replace") or None)
    for psk in (*config.external_psks, *made):
        if not psk.imported:  # RFC 9258 §4: an imported key is for TLS 1.3
            return psk
    raise HandshakeFailure("there is no pre-shared key for this server", reason="PSK_NO_CLIENT_CB")


def agree_psk(config: Config, params: PskParams) -> AgreedPsk:
    """Do the client's part. Raises IllegalParameter and HandshakeFailure."""
    if params.group not in config.ecdhe_groups:
        # RFC 8422 §5.4: one of those that the client offered.
        raise IllegalParameter(
            f"the server selects {name_of(NamedGroup, params.group)}, which was not offered", reason="WRONG_CURVE"
        )
    psk = client_psk(config, params.hint)
    random = config.random if config.deterministic_keys else None
    own, shared = GROUPS[params.group].answer(params.public, random)
    return AgreedPsk(PskKeyExchange(psk.identity, own).message(), psk_premaster(shared, psk.secret), psk.identity)


def psk_premaster(shared: Secret, key: Secret) -> Secret:
    """struct { opaque other_secret<0..2^16-1>; opaque psk<0..2^16-1>; } (RFC 4279 §2); shared is wiped."""
    joined = bytearray()
    for part in (shared, key):
        joined += len(part).to_bytes(2, "big")
        joined += memoryview(part)
    premaster = Secret(joined)
    joined[:] = bytes(len(joined))
    shared.wipe()
    return premaster
