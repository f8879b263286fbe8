"""The channel binding tls-server-end-point: a hash of the server's certificate (RFC 5929 §4)."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from fasttls.events import Negotiated
from fasttls.trust.certificate import CERTIFICATES


def server_end_point(negotiated: Negotiated, is_server: bool) -> bytes | None:
    """Return the hash of the server's certificate, None where it is not known or names no single hash."""
    peers = negotiated.peer_chain[0] if negotiated.peer_chain else None
    der = negotiated.own_certificate if is_server else peers
    if der is None:
        return None
    try:
        algorithm = CERTIFICATES.parse(der).x509.signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):
        return None
    if algorithm is None:
        return None  # Ed25519 and its like: RFC 5929 §4.1 leaves it undefined
    if algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(der)
    return digest.finalize()
