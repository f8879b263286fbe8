"""The key schedule of TLS 1.3: one class for each secret, each used once (RFC 8446 §7.1).

    EarlySecret → HandshakeSecret → MasterSecret → the application traffic secrets

A stage that was passed is wiped and cannot be used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fasttls.native._hash import Hash
from fasttls.native._kdf import derive_secret, hkdf_expand_label, hkdf_extract
from fasttls.native._secret import Secret

EMPTY_HASH: Mapping[str, bytes] = {name: Hash(name).digest() for name in ("sha256", "sha384")}
_ZEROS = {name: Secret(bytes(len(digest))) for name, digest in EMPTY_HASH.items()}

# Without a pre-shared key the early secret, and what the next stage is salted with, are constants.
_DERIVED_WITHOUT_PSK = {
    name: derive_secret(name, hkdf_extract(name, None, zeros), b"derived", EMPTY_HASH[name])
    for name, zeros in _ZEROS.items()
}


@dataclass(frozen=True)
class TrafficSecrets:
    """The secrets of one epoch, one for what each side writes."""

    client: Secret
    server: Secret


class EarlySecret:
    """The first stage, from a pre-shared key or from none."""

    __slots__ = ("_secret", "hash_name")

    def __init__(self, hash_name: str, psk: Secret | None = None) -> None:
        self.hash_name = hash_name
        self._secret = None if psk is None else hkdf_extract(hash_name, None, psk)

    def _derive(self, label: bytes, transcript_hash: bytes) -> Secret:
        assert self._secret is not None, "without a pre-shared key there are no early secrets"
        return derive_secret(self.hash_name, self._secret, label, transcript_hash)

    def binder_key(self, label: bytes) -> Secret:
        """Derive the key of a binder; label is b"res binder", b"ext binder" or b"imp binder" (RFC 9258 §5.2)."""
        return self._derive(label, EMPTY_HASH[self.hash_name])

    def client_traffic(self, client_hello: bytes) -> Secret:
        """Derive the secret that protects early data; the digest is that of the ClientHello."""
        return self._derive(b"c e traffic", client_hello)

    def exporter(self, client_hello: bytes) -> Exporter:
        """Derive the exporter of early data; the digest is that of the ClientHello."""
        return Exporter(self.hash_name, self._derive(b"e exp master", client_hello))

    def into_handshake(self, shared: Secret | None) -> HandshakeSecret:
        """Mix in the (EC)DHE shared secret, or none with a pre-shared key alone, then wipe it and this stage."""
        key = _ZEROS[self.hash_name] if shared is None else shared
        if self._secret is None:
            mixed = hkdf_extract(self.hash_name, _DERIVED_WITHOUT_PSK[self.hash_name], key)
        else:
            salt = self._derive(b"derived", EMPTY_HASH[self.hash_name])
            mixed = hkdf_extract(self.hash_name, salt, key)
            salt.wipe()
            self._secret.wipe()
        if shared is not None:
            shared.wipe()
        return HandshakeSecret(self.hash_name, mixed)


class HandshakeSecret:
    """The second stage, which protects the rest of the handshake."""

    __slots__ = ("_secret", "hash_name")

    def __init__(self, hash_name: str, secret: Secret) -> None:
        self.hash_name = hash_name
        self._secret = secret

    def traffic(self, hellos: bytes) -> TrafficSecrets:
        """Derive the handshake traffic secrets; hellos is the digest up to ServerHello."""
        return TrafficSecrets(
            derive_secret(self.hash_name, self._secret, b"c hs traffic", hellos),
            derive_secret(self.hash_name, self._secret, b"s hs traffic", hellos),
        )

    def into_master(self) -> MasterSecret:
        """Go on to the master secret, and wipe this stage."""
        salt = derive_secret(self.hash_name, self._secret, b"derived", EMPTY_HASH[self.hash_name])
        self._secret.wipe()
        master = hkdf_extract(self.hash_name, salt, _ZEROS[self.hash_name])
        salt.wipe()
        return MasterSecret(self.hash_name, master)


class MasterSecret:
    """The last stage, from which everything after the handshake comes."""

    __slots__ = ("_secret", "hash_name")

    def __init__(self, hash_name: str, secret: Secret) -> None:
        self.hash_name = hash_name
        self._secret = secret

    def traffic(self, to_server_finished: bytes) -> TrafficSecrets:
        """Derive the first application traffic secrets; the digest is the one up to the server's Finished."""
        return TrafficSecrets(
            derive_secret(self.hash_name, self._secret, b"c ap traffic", to_server_finished),
            derive_secret(self.hash_name, self._secret, b"s ap traffic", to_server_finished),
        )

    def exporter(self, to_server_finished: bytes) -> Exporter:
        """Derive the exporter; the digest is the one up to the server's Finished."""
        return Exporter(self.hash_name, derive_secret(self.hash_name, self._secret, b"exp master", to_server_finished))

    def into_resumption(self, to_client_finished: bytes) -> Secret:
        """Derive the resumption secret from the digest up to the client's Finished, and wipe this stage."""
        resumption = derive_secret(self.hash_name, self._secret, b"res master", to_client_finished)
        self._secret.wipe()
        return resumption


class Exporter:
    """Keying material for applications (RFC 8446 §7.5)."""

    __slots__ = ("hash_name", "secret")

    def __init__(self, hash_name: str, secret: Secret) -> None:
        self.hash_name = hash_name
        self.secret = secret

    def export(self, label: bytes, size: int, context: bytes = b"") -> bytes:
        """Return size bytes for label; no context and an empty one give the same (RFC 8446 §7.5).

        Raises ValueError when the label or the size does not fit.
        """
        secret = derive_secret(self.hash_name, self.secret, label, EMPTY_HASH[self.hash_name])
        exported = hkdf_expand_label(self.hash_name, secret, b"exporter", Hash(self.hash_name, context).digest(), size)
        secret.wipe()
        return bytes(exported)


def next_traffic_secret(hash_name: str, secret: Secret) -> Secret:
    """Return the traffic secret of the next generation (RFC 8446 §7.2), and wipe this one."""
    following = hkdf_expand_label(hash_name, secret, b"traffic upd", b"", len(secret))
    secret.wipe()
    return following


def ticket_key(hash_name: str, resumption: Secret, nonce: bytes) -> Secret:
    """Return the pre-shared key of a ticket (RFC 8446 §4.6.1)."""
    return hkdf_expand_label(hash_name, resumption, b"resumption", nonce, len(resumption))
