"""One certificate of a chain, as `_ssl.Certificate` shows it."""

from __future__ import annotations

import ssl
from typing import Any

from fasttls.trust.certificate import CERTIFICATES


class ChainCertificate:
    """One certificate of a chain, as `_ssl.Certificate` shows it."""

    __slots__ = ("_der",)

    def __init__(self, der: bytes) -> None:
        self._der = der

    def public_bytes(self, format: int = 1) -> bytes | str:  # noqa: A002 - CPython names it so
        """Return PEM text, or DER bytes when format is `_ssl.ENCODING_DER`."""
        return self._der if format == 2 else ssl.DER_cert_to_PEM_cert(self._der)

    def get_info(self) -> dict[str, Any]:
        """Return the certificate as `getpeercert()` shows it."""
        from fasttls.api.certdict import certificate_dict

        return certificate_dict(self._der)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChainCertificate) and self._der == other._der

    def __hash__(self) -> int:
        return hash(self._der)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{CERTIFICATES.parse(self._der).description}'>"
