"""Validation without a connection."""

from __future__ import annotations

import time as clock
from math import isnan
from typing import TYPE_CHECKING

from fasttls.trust.names import as_ascii, as_ip_address
from fasttls.trust.path import verify_chain as verify_by_policy
from fasttls.trust.policy import CrlCheck, Policy, Purpose, Strength

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fasttls.trust.certificate import Certificate
    from fasttls.trust.store import TrustStore


def verify_chain(
    chain: Sequence[bytes],
    store: TrustStore,
    server_name: str | bytes | None = None,
    *,
    purpose: Purpose = Purpose.SERVER_AUTH,
    time: float | datetime | None = None,
    partial_chain: bool = False,
    strict: bool = False,
    strength: Strength | None = None,
    crl_check: CrlCheck = CrlCheck.NONE,
) -> tuple[Certificate, ...]:
    """Return the verified path of a chain: the peer's own certificate first, a trusted one last.

    chain is DER, the peer's own certificate first, the rest in any order. server_name is the host name
    or IP address that the first certificate must be for, or None to check none. time is the moment to
    judge by, seconds since the epoch or a datetime with a time zone; None is now. strict holds the path
    to RFC 5280's form as VERIFY_X509_STRICT does, and to the form of the web's public authorities on
    top of that. The other arguments are those of `Policy`.

    Raises CertificateRejected, whose attributes say which certificate, which rule, what was found and
    what was expected; BadCertificate for what does not parse; ValueError for a server_name that is
    none, an empty chain, or a datetime without a time zone.
    """
    if not chain:
        raise ValueError("a chain has one certificate or more")
    host = server_name.decode("ascii") if isinstance(server_name, bytes) else server_name
    if host is not None and as_ip_address(host) is None:
        as_ascii(host)
    if time is None:
        now = clock.time()
    elif isinstance(time, int | float):
        now = float(time)
        if isnan(now):
            raise ValueError(f"{time} is no moment")
    elif time.tzinfo is None:
        raise ValueError("a datetime without a time zone is no moment")
    else:
        now = time.timestamp()
    policy = Policy(purpose, now, host, partial_chain, strict, strength or Strength(), crl_check, web_pki=strict)
    return verify_by_policy(chain, store, policy)
