"""Which certificate to trust (RFC 5280, RFC 9525).

    from fasttls import trust

    path = trust.verify_chain(chain, store, server_name="example.com")

usable without a connection: chain is what a peer sent, store a `TrustStore`.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fasttls.trust.certificate import CERTIFICATES, Certificate
    from fasttls.trust.policy import CrlCheck, OCSPStapling, Purpose, Strength
    from fasttls.trust.signing import SIGNATURES
    from fasttls.trust.store import TrustStore
    from fasttls.trust.verdicts import CertificateRejected, VerifyCode
    from fasttls.trust.verify import verify_chain
    from fasttls.wire.alerts import BadCertificate

__all__ = [
    "CERTIFICATES",
    "SIGNATURES",
    "BadCertificate",
    "Certificate",
    "CertificateRejected",
    "CrlCheck",
    "OCSPStapling",
    "Purpose",
    "Strength",
    "TrustStore",
    "VerifyCode",
    "verify_chain",
]


# Where these are: a store needs no path, and is what a context is made with.
_WHERE = {
    "CERTIFICATES": "trust.certificate",
    "SIGNATURES": "trust.signing",
    "BadCertificate": "wire.alerts",
    "Certificate": "trust.certificate",
    "CertificateRejected": "trust.verdicts",
    "CrlCheck": "trust.policy",
    "OCSPStapling": "trust.policy",
    "Purpose": "trust.policy",
    "Strength": "trust.policy",
    "TrustStore": "trust.store",
    "VerifyCode": "trust.verdicts",
    "verify_chain": "trust.verify",
}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"fasttls.{_WHERE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
