"""A handshake as a list of steps: what crossed the wire, when, which way, and what it decided.

trace = Trace()
context.observer = trace
...
print("\\n".join(trace.lines(sock.connection)))
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from fasttls.diagnose.narrate import narrate
from fasttls.wire.iana import ContentType, ProtocolVersion, SignatureScheme, name_of

if TYPE_CHECKING:
    from fasttls.connection import Connection


class Step(NamedTuple):
    """One handshake message, alert or ChangeCipherSpec."""

    sent: bool
    content_type: int
    data: bytes
    seconds: float
    """Since the trace began."""


class Trace:
    """An observer that keeps the handshake of one connection. It sees no keys and no application data."""

    def __init__(self, most: int = 256) -> None:
        """Keep at most so many steps, the first ones."""
        self.steps: list[Step] = []
        self._most = most
        self._start = time.perf_counter()

    def __call__(self, sent: bool, content_type: int, data: bytes) -> None:
        """Take one step; a Config's or context's observer."""
        if len(self.steps) < self._most:
            self.steps.append(Step(sent, content_type, bytes(data), time.perf_counter() - self._start))

    def lines(self, connection: Connection) -> list[str]:
        """Return the trace for a person: each message, then what the connection decided."""
        ours, theirs = ("server", "client") if connection.server_side else ("client", "server")
        negotiated = connection.negotiated
        version = ProtocolVersion.TLS1_3 if negotiated is None else negotiated.version
        lines = []
        for step in self.steps:
            name, said = narrate(step.content_type, step.data, version)
            sender, receiver = (ours, theirs) if step.sent else (theirs, ours)
            unit = "byte" if len(step.data) == 1 else "bytes"
            head = f"{1000 * step.seconds:8.2f} ms  {sender} → {receiver}  {name:<20}{len(step.data):>6} {unit}"
            lines.append(head)
            lines += [f"{'':>14}{line}" for line in said]
            if step.content_type == ContentType.HANDSHAKE and not step.sent and connection.connected:
                lines += [f"{'':>14}✓ {line}" for line in _checked(name, connection)]
        return [*lines, "", *(f"  {line}" for line in decisions(connection))]


def _checked(name: str, connection: Connection) -> list[str]:
    """Return what this side found when it received a message; it is connected, so every check passed."""
    negotiated = connection.negotiated
    assert negotiated is not None
    match name:
        case "Certificate" if negotiated.verified_path:
            trusted = negotiated.verified_path[-1].description
            found = [f"a path of {len(negotiated.verified_path)} certificates ends in {trusted}, which is trusted here"]
            if connection.server_name is not None and connection.config.check_host:
                found.append(f"the certificate is for {connection.server_name}")
            return [*found, "signatures, dates, purposes and constraints hold"]
        case "CertificateVerify":
            return ["the signature verifies with the certificate's key"]
        case "Finished":
            return ["the MAC is the one this side computed"]
    return []


def decisions(connection: Connection) -> list[str]:
    """Return what a connection decided, or why it failed."""
    negotiated = connection.negotiated
    if negotiated is None:
        return [f"failed: {connection.error}" if connection.error is not None else "not complete"]
    retried = ", after a HelloRetryRequest" if negotiated.retried else ""
    decided = [
        f"version      {negotiated.version_name}",
        f"suite        {negotiated.suite_name}",
        f"key exchange {negotiated.group_name or 'RSA key transport'}{retried}",
    ]
    if negotiated.alpn is not None:
        decided.append(f"protocol     {negotiated.alpn.decode(errors='replace')}")
    if negotiated.verified_path:
        path = " ← ".join(one.description for one in negotiated.verified_path)
        decided.append(f"peer         {path} (trusted)")
    elif negotiated.peer_chain:
        decided.append("peer         a certificate that was not checked")
    signed = negotiated.peer_signature_algorithm
    if signed is not None:
        decided.append(f"proved by    {name_of(SignatureScheme, signed).lower()}")
    return decided
