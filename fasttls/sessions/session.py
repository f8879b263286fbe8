"""A session as either side keeps it, and as bytes (RFC 8446 §4.6.1, RFC 5246 §7.4.1.2, RFC 5077 §4)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.suites12 import EVERY_SUITE
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader, Writer
from fasttls.wire.alerts import DecodeError
from fasttls.wire.iana import ProtocolVersion

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_TLS1_2 = ProtocolVersion.TLS1_2
_TLS1_3 = ProtocolVersion.TLS1_3

MOST_SECONDS = 7 * 86400
"""The longest that a ticket may be used (RFC 8446 §4.6.1)."""

_FORMAT = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """What a connection agreed on, as far as a later one may go on with it.

    A client has the ticket or session_id to name it by; a server puts all of it, encrypted, into the
    ticket. Times are seconds since the epoch. The secret is as good as the connections that it opens.
    """

    version: int
    suite: int
    secret: Secret
    """In TLS 1.3 the pre-shared key, in TLS 1.2 the master secret."""

    created: float
    lifetime: int  # seconds
    server_name: str | None
    alpn: bytes | None
    peer_chain: tuple[bytes, ...]
    """The certificates of the peer, DER; empty when it had none."""

    peer_signature_algorithm: int | None
    extended_master_secret: bool
    ticket: bytes = b""
    session_id: bytes = b""
    age_add: int = 0
    max_early_data: int = 0  # bytes
    verified: bool = False
    """Whether the peer's certificates were verified."""

    def __repr__(self) -> str:
        name = EVERY_SUITE[self.suite].name
        return f"<Session of {self.server_name or 'no name'}, {name}, for {self.lifetime} s>"

    def __reduce__(self) -> str:
        raise TypeError("a session is not pickled; to_bytes() gives its bytes, its secret among them")

    @property
    def hash_name(self) -> str:
        """The hash of the suite."""
        return EVERY_SUITE[self.suite].hash_name

    def expired(self, now: float) -> bool:
        """Whether it is too old; one from the future is too."""
        return not -60 <= now - self.created <= min(self.lifetime, MOST_SECONDS)

    def obfuscated_age(self, now: float) -> int:
        """Return the age as the client tells it, which only the server can read (RFC 8446 §4.2.11.1)."""
        age = max(0, int((now - self.created) * 1000))
        return (age + self.age_add) & 0xFFFFFFFF

    def age(self, obfuscated: int) -> float:
        """Return the age that a client told, in seconds."""
        return ((obfuscated - self.age_add) & 0xFFFFFFFF) / 1000

    def with_ticket(self, ticket: bytes) -> Session:
        """Return the same with a ticket to name it by; dataclasses.replace() takes longer."""
        return Session(
            version=self.version,
            suite=self.suite,
            secret=self.secret,
            created=self.created,
            lifetime=self.lifetime,
            server_name=self.server_name,
            alpn=self.alpn,
            peer_chain=self.peer_chain,
            peer_signature_algorithm=self.peer_signature_algorithm,
            extended_master_secret=self.extended_master_secret,
            ticket=ticket,
            session_id=self.session_id,
            age_add=self.age_add,
            max_early_data=self.max_early_data,
            verified=self.verified,
        )

    def to_bytes(self) -> bytes:
        """Return everything, THE SECRET AMONG IT: whoever has these bytes can open and read connections."""
        writer = Writer()
        writer.u8(_FORMAT)
        writer.u16(self.version)
        writer.u16(self.suite)
        writer.vector(1, bytes(self.secret))
        writer.vector(1, int(self.created * 1000).to_bytes(8, "big"))
        writer.u32(self.lifetime)
        writer.u32(self.age_add)
        writer.u32(self.max_early_data)
        writer.u8(self.extended_master_secret | self.verified << 1)
        writer.u16(self.peer_signature_algorithm or 0)
        writer.vector(2, (self.server_name or "").encode())
        writer.vector(1, self.alpn or b"")
        writer.vector(1, self.session_id)
        writer.vector(2, self.ticket)
        writer.open(3)
        for der in self.peer_chain:
            writer.vector(3, der)
        writer.close()
        return writer.finish()

    @classmethod
    def from_bytes(cls, data: bytes) -> Session:
        """Return what to_bytes() made bytes of. Raises ValueError for anything else."""
        try:
            return _read(Reader(data))
        except (DecodeError, UnicodeDecodeError) as exc:
            raise ValueError(f"these bytes are no session: {exc}") from exc


def _read(reader: Reader) -> Session:
    """Read what to_bytes() wrote."""
    if reader.u8() != _FORMAT:
        raise ValueError("these bytes are no session of this version of fasttls")
    version, suite = reader.u16(), reader.u16()
    if suite not in EVERY_SUITE or version not in (_TLS1_2, _TLS1_3):
        raise ValueError("these bytes are a session that cannot be gone on with")
    secret = Secret(reader.vector(1, 32))
    created = int.from_bytes(reader.vector(1, 8, 8), "big") / 1000
    lifetime, age_add, max_early_data, flags = reader.u32(), reader.u32(), reader.u32(), reader.u8()
    algorithm = reader.u16()
    server_name = reader.vector(2).decode()
    alpn, session_id, ticket = reader.vector(1), reader.vector(1), reader.vector(2)
    listed = reader.sub(3)
    chain = []
    while listed.more():
        chain.append(listed.vector(3, 1))
    reader.end()
    return Session(
        version=version,
        suite=suite,
        secret=secret,
        created=created,
        lifetime=lifetime,
        server_name=server_name or None,
        alpn=alpn or None,
        peer_chain=tuple(chain),
        peer_signature_algorithm=algorithm or None,
        extended_master_secret=bool(flags & 1),
        ticket=ticket,
        session_id=session_id,
        age_add=age_add,
        max_early_data=max_early_data,
        verified=bool(flags & 2),
    )
