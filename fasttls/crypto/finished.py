"""Finished: the key of one side, that makes and checks its MAC (RFC 8446 §4.4.4)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.native._finished import finished13, finished13_matches
from fasttls.native._secret import Secret


@dataclass(frozen=True)
class FinishedKey:
    """The base key of one side's Finished."""

    hash_name: str
    base_key: Secret

    def mac(self, transcript_hash: bytes) -> bytes:
        """Return the verify_data for a transcript."""
        return finished13(self.hash_name, self.base_key, transcript_hash)

    def verify(self, verify_data: bytes, transcript_hash: bytes) -> bool:
        """Whether verify_data is right for the transcript, in constant time."""
        return finished13_matches(self.hash_name, self.base_key, transcript_hash, verify_data)
