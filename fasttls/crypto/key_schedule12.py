"""The secrets of TLS 1.2: master secret, key block, Finished, exporter (RFC 5246 §6.3, §8.1)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.suites12 import Suite12
from fasttls.native._finished import finished12, finished12_matches
from fasttls.native._kdf import key_block12, prf12
from fasttls.native._secret import Secret

VERIFY_DATA_SIZE = 12
"""Bytes of a Finished, for every suite that is spoken (RFC 5246 §7.4.9)."""

_MASTER_SIZE = 48  # bytes
_CLIENT = b"client finished"
_SERVER = b"server finished"

# RFC 5705 §4: the labels that TLS itself uses are not for exporters.
_RESERVED = frozenset({_CLIENT, _SERVER, b"master secret", b"key expansion", b"extended master secret"})


@dataclass(frozen=True)
class RecordKeys:
    """What protects one direction."""

    suite: Suite12
    key: Secret
    iv: Secret


class MasterSecret:
    """The master secret of a connection, and everything that is derived from it."""

    __slots__ = ("_client_random", "_secret", "_server_random", "extended", "suite")

    def __init__(
        self, suite: Suite12, secret: Secret, client_random: bytes, server_random: bytes, extended: bool
    ) -> None:
        self.suite = suite
        self.extended = extended
        """Whether it is bound to the handshake (RFC 7627)."""

        self._secret = secret
        self._client_random = client_random
        self._server_random = server_random

    @property
    def secret(self) -> Secret:
        """The secret itself, for the key log."""
        return self._secret

    def keys(self) -> tuple[RecordKeys, RecordKeys]:
        """Derive the client's and the server's write keys (RFC 5246 §6.3)."""
        suite = self.suite
        client_key, server_key, client_iv, server_iv = key_block12(
            suite.hash_name,
            self._secret,
            self._client_random,
            self._server_random,
            suite.key_size,
            suite.fixed_iv_size,
        )
        return RecordKeys(suite, client_key, client_iv), RecordKeys(suite, server_key, server_iv)

    def finished(self, transcript_hash: bytes, of_client: bool) -> bytes:
        """Return one side's verify_data (RFC 5246 §7.4.9)."""
        return finished12(self.suite.hash_name, self._secret, _CLIENT if of_client else _SERVER, transcript_hash)

    def finished_matches(self, verify_data: bytes, transcript_hash: bytes, of_client: bool) -> bool:
        """Whether verify_data is one side's, in constant time."""
        label = _CLIENT if of_client else _SERVER
        return finished12_matches(self.suite.hash_name, self._secret, label, transcript_hash, verify_data)

    def export(self, label: bytes, size: int, context: bytes | None = None) -> bytes:
        """Return size bytes for label; no context and an empty one differ (RFC 5705 §4).

        Raises ValueError for a label of TLS's own, for a context that does not fit, and without the
        extended master secret, which alone makes the result this connection's (RFC 7627 §5.4).
        """
        if not self.extended:
            raise ValueError("keying material cannot be exported without the extended master secret")
        if label in _RESERVED:
            raise ValueError(f"the label {label!r} is reserved")
        seed = self._client_random + self._server_random
        if context is not None:
            if len(context) > 0xFFFF:
                raise ValueError("the context of an exporter has at most 65535 bytes")
            seed += len(context).to_bytes(2, "big") + context
        exported = prf12(self.suite.hash_name, self._secret, label, seed, size)
        result = bytes(exported)
        exported.wipe()
        return result


def master_secret(
    suite: Suite12,
    premaster: Secret,
    client_random: bytes,
    server_random: bytes,
    session_hash: bytes | None,
) -> MasterSecret:
    """Derive the master secret and wipe the premaster secret.

    session_hash is the digest up to ClientKeyExchange when both sides have extended_master_secret
    (RFC 7627 §4), else None (RFC 5246 §8.1).
    """
    if session_hash is None:
        secret = prf12(suite.hash_name, premaster, b"master secret", client_random + server_random, _MASTER_SIZE)
    else:
        secret = prf12(suite.hash_name, premaster, b"extended master secret", session_hash, _MASTER_SIZE)
    premaster.wipe()
    return MasterSecret(suite, secret, client_random, server_random, session_hash is not None)
