"""Trust stores: the certificates that a path may end at."""

from __future__ import annotations

import os
import re
import ssl
import threading
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterator

from fasttls.trust.certificate import CERTIFICATES, CanonicalName, Certificate

_PEM = re.compile(
    rb"-----BEGIN (?P<kind>(?:TRUSTED |X509 )?CERTIFICATE|X509 CRL)-----\s*?\n(?P<body>[^-]*)-----END (?P=kind)-----"
)
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")


def pem_certificates(data: bytes) -> list[bytes]:
    """Return the DER of every certificate in PEM text, which may have other text around them.

    Raises ValueError for a block that is not base64, and for a CRL or a certificate with OpenSSL's
    trust settings, which are not to be passed over in silence.
    """
    found = []
    for block in _PEM.finditer(data):
        if block["kind"] in (b"X509 CRL", b"TRUSTED CERTIFICATE"):
            raise ValueError(f"PEM blocks of the kind {block['kind'].decode()} are not supported")
        try:
            found.append(a2b_base64(block["body"]))
        except Base64Error as exc:
            raise ValueError(f"a PEM block that is not base64: {exc}") from exc
    return found


def der_certificates(data: bytes) -> list[bytes]:
    """Return the DER certificates that stand one after another in data. Raises ValueError."""
    found = []
    while data:
        size = _der_size(data)
        found.append(data[:size])
        data = data[size:]
    return found


def _der_size(data: bytes) -> int:
    """Return the size of the DER SEQUENCE that data begins with."""
    if len(data) < 2 or data[0] != 0x30:
        raise ValueError("not a DER certificate")
    size, header = data[1], 2
    if size >= 0x80:
        header += size - 0x80
        if not 3 <= header <= 6 or len(data) < header:
            raise ValueError("not a DER certificate")
        size = int.from_bytes(data[2:header], "big")
    if header + size > len(data):
        raise ValueError("a DER certificate that is cut short")
    return header + size


class TrustStore:
    """A set of trusted certificates, safe between threads.

    Certificates are added by value, or by sources that are only read when a path needs them. They
    are parsed when first looked for.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._raw: dict[bytes, None] = {}  # DER, not parsed yet
        self._by_subject: dict[CanonicalName, list[Certificate]] = {}
        self._known: set[bytes] = set()
        self._sources: list[Callable[[], list[bytes]]] = []

    def add(self, der: bytes) -> None:
        """Trust one certificate. Raises ValueError when it is malformed."""
        CERTIFICATES.parse(der)
        self.add_unchecked(der)

    def add_unchecked(self, der: bytes) -> None:
        """Trust one certificate that is parsed later; a malformed one then counts for nothing."""
        with self._lock:
            if der not in self._known:
                self._known.add(der)
                self._raw[der] = None

    def add_source(self, read: Callable[[], list[bytes]]) -> None:
        """Add certificates that `read` returns, when a path is not found without them."""
        with self._lock:
            self._sources.append(read)

    def _parse_waiting(self) -> None:
        for der in self._raw:
            try:
                certificate = Certificate(der)
                self._by_subject.setdefault(certificate.subject, []).append(certificate)
            except ValueError:
                continue  # as OpenSSL does with a store's file; it can only make less be trusted
        self._raw.clear()

    def read_sources(self) -> bool:
        """Read the sources that were not read yet; return whether there were any."""
        with self._lock:
            sources, self._sources = self._sources, []
            for source in sources:
                for der in source():
                    self.add_unchecked(der)
            return bool(sources)

    def find(self, subject: CanonicalName) -> list[Certificate]:
        """Return the trusted certificates with this subject; sources are read when none is loaded."""
        with self._lock:
            self._parse_waiting()
            if subject not in self._by_subject and self.read_sources():
                self._parse_waiting()
            return list(self._by_subject.get(subject, ()))

    def __contains__(self, certificate: Certificate) -> bool:
        """Whether exactly this certificate is trusted."""
        with self._lock:
            if certificate.der in self._known:
                return True
        return any(found.der == certificate.der for found in self.find(certificate.subject))

    def __iter__(self) -> Iterator[Certificate]:
        """Iterate over what was loaded so far, as `get_ca_certs` shows it."""
        with self._lock:
            self._parse_waiting()
            return iter([one for found in self._by_subject.values() for one in found])

    def __len__(self) -> int:
        return len(self._known)


def read_file(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> list[bytes]:
    """Return the certificates of a PEM file. Raises OSError, and ValueError when there is none."""
    with open(path, "rb") as file:
        found = pem_certificates(file.read())
    if not found:
        raise ValueError("no certificate was found")
    return found


def directory_source(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> Callable[[], list[bytes]]:
    """Return a source over a directory of OpenSSL's hashed names; what cannot be read counts for nothing."""

    def read() -> list[bytes]:
        found: list[bytes] = []
        try:
            names = sorted(os.fsdecode(name) for name in os.listdir(path))
        except OSError:
            return found
        for name in names:
            if _HASHED_NAME.fullmatch(name):
                try:
                    found += read_file(os.path.join(os.fsdecode(path), name))
                except (OSError, ValueError):
                    continue
        return found

    return read


def add_default_paths(store: TrustStore) -> None:
    """Trust what the platform trusts: the file and directory of OpenSSL's defaults and environment."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None:
        try:
            for der in read_file(paths.cafile):
                store.add_unchecked(der)
        except (OSError, ValueError):
            pass  # a default that is not there leaves the store as it is
    if paths.capath is not None:
        store.add_source(directory_source(paths.capath))
