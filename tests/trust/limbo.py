"""The cases of x509-limbo: certificate chains that others found hard, with the verdict they should get."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fasttls.trust.crl import crl_der
from fasttls.trust.path import CrlCheck, Policy, Purpose, verify_chain
from fasttls.trust.pem import pem_certificates
from fasttls.trust.store import TrustStore
from fasttls.trust.verdicts import CertificateRejected
from fasttls.wire.alerts import BadCertificate

FILE = "limbo/limbo.json"
_PURPOSES = {"SERVER": Purpose.SERVER_AUTH, "CLIENT": Purpose.CLIENT_AUTH}


@dataclass(frozen=True)
class LimboCase:
    """One case as it stands in the file."""

    data: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.data["id"])

    @property
    def should_succeed(self) -> bool:
        return bool(self.data["expected_result"] == "SUCCESS")

    def chain(self) -> list[bytes]:
        """The peer's certificate and what it sends with it, DER."""
        texts = [self.data["peer_certificate"], *self.data["untrusted_intermediates"]]
        return [der for text in texts for der in pem_certificates(text.encode())]

    def store(self) -> TrustStore:
        """What the case trusts."""
        store = TrustStore()
        for text in self.data["trusted_certs"]:
            for der in pem_certificates(text.encode()):
                store.add_unchecked(der)
        for text in self.data["crls"]:
            for der in crl_der(text):
                store.add_crl(der)
        return store

    def policy(self, now: float, *, strict: bool) -> Policy:
        """The case's rules: a trust anchor of limbo may be any certificate."""
        moment = self.data["validation_time"]
        if moment is not None:
            now = datetime.fromisoformat(moment).timestamp()
        name = self.data["expected_peer_name"]
        host = name["value"] if name is not None and name["kind"] in ("DNS", "IP") else None
        purpose = _PURPOSES[self.data["validation_kind"]]
        depth = self.data["max_chain_depth"]
        return Policy(
            purpose,
            now,
            host,
            partial_chain=True,
            strict=strict,
            web_pki=strict,
            crl_check=CrlCheck.LEAF if self.data["crls"] else CrlCheck.NONE,
            most_intermediates=8 if depth is None else depth,
        )

    def refusal(self, now: float, *, strict: bool) -> str | None:
        """Return why the chain is refused, or None. What is no refusal is raised."""
        try:
            verify_chain(self.chain(), self.store(), self.policy(now, strict=strict))
        except (CertificateRejected, BadCertificate, ValueError) as refused:
            return str(refused)
        return None


@cache
def load(path: Path) -> dict[str, LimboCase]:
    """Return the cases of a file by their names."""
    cases = json.loads(path.read_text())["testcases"]
    return {case["id"]: LimboCase(case) for case in cases}
