"""What a peer says of the certificates that it takes (RFC 8446 §4.2.3, §4.2.4; RFC 5246 §7.4.1.4.1, §7.4.4)."""

from __future__ import annotations

from fasttls.handshake.config import Config, Credential
from fasttls.native._x509 import canonical_name
from fasttls.trust.certificate import CanonicalName


class Wanted:
    """It is read once, and what is asked of it takes no longer for a peer that says it at length, or again and again.

    accepted are the signature schemes that the peer verifies, in its order of preference, accepted_cert those for
    certificates when they differ; authorities are the DER names of whom it trusts, none of them for anybody.
    """

    def __init__(
        self,
        config: Config,
        accepted: tuple[int, ...],
        accepted_cert: tuple[int, ...] | None,
        authorities: tuple[bytes, ...],
    ) -> None:
        own = config.signs_with
        self.schemes = [scheme for scheme in dict.fromkeys(accepted) if scheme in own]
        """Those that this side may sign with, in the peer's order."""

        self._accepted_cert = accepted if accepted_cert is None else accepted_cert
        self._for_chains: frozenset[int] | None = None  # made of them where there are several credentials
        self._names = names_of(authorities) if authorities else None

    def rank(self, credential: Credential) -> tuple[bool, bool]:
        """Return how well a credential goes with it: the greater, the better.

        A chain from one of the authorities goes before others, then one whose signatures the peer verifies before
        one that it does not (RFC 8446 §4.2.4, §4.4.2.2).
        """
        if self._for_chains is None:
            self._for_chains = frozenset(self._accepted_cert)
        trusted = self._names is None or not self._names.isdisjoint(credential.issuers)
        return trusted, credential.chain_algorithms <= self._for_chains


def names_of(authorities: tuple[bytes, ...]) -> frozenset[CanonicalName]:
    """Return DER names in the form in which two that match are equal; what is no name names nobody."""
    found = set()
    for name in dict.fromkeys(authorities):
        try:
            found.add(canonical_name(name))
        except ValueError:
            continue
    return frozenset(found)
